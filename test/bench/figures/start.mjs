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
  const measured = await alternate(['with', 'without'], bench.rounds, start);
  const ms = (name) => measured[name].map((each) => each.ms);
  const added = ms('with').map((value, round) => value - ms('without')[round]);
  const open = [...new Set(measured.with.flatMap((each) => each.resources))];
  return [
    figure({
      id: 'start',
      name: 'import of the package, added to Nest and ioredis',
      unit: 'ms',
      ours: added,
      bar: 60,
      note: `Nest and ioredis alone: ${median(ms('without')).toFixed(0)} ms; sockets and timers opened: ${open.join(', ') || 'none'}`,
      met: median(added) <= 60 && open.length === 0,
    }),
    figure({
      id: 'start-share',
      name: 'start of Nest, ioredis and the package',
      unit: 'ms',
      ours: ms('with'),
      peer: ms('without'),
      peerName: 'Nest and ioredis alone',
      note: 'for comparison',
    }),
  ];
}
