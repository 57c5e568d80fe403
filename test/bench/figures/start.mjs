// What importing the package adds to the start of a Nest application, in fresh processes.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { alternate, figure } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';

const CHILD = fileURLToPath(new URL('../lib/start-child.mjs', import.meta.url));

export async function measure(bench) {
  const start = async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, name]);
    return JSON.parse(stdout);
  };
  for (const name of ['without', 'with']) await start(name);
  // Processes are short and their times scatter: more of them than of other rounds, where there is time.
  const rounds = bench.quick ? bench.rounds : bench.rounds * 2;
  const measured = await alternate(['with', 'without'], rounds, start);
  const of = (name, what) => measured[name].map((each) => each[what]);
  const added = (what) => of('with', what).map((value, round) => value - of('without', what)[round]);
  const open = [...new Set(measured.with.flatMap((each) => each.resources))];
  return [
    figure({
      id: 'start',
      name: 'import of the package, added to Nest and ioredis',
      unit: 'ms',
      ours: added('ms'),
      bar: 60,
      note: `Nest and ioredis alone: ${median(of('without', 'ms')).toFixed(0)} ms; sockets and timers opened: ${open.join(', ') || 'none'}`,
      met: median(added('ms')) <= 60 && open.length === 0,
    }),
    figure({
      id: 'start-share',
      name: 'import of the package, CPU',
      unit: 'ms',
      ours: added('cpuMs'),
      peer: of('without', 'cpuMs'),
      peerName: 'Nest and ioredis',
      note: 'for comparison',
      isDifference: true,
    }),
  ];
}
