// A call whose level is off: it must cost next to nothing, and run no lazy message.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';

const CHILD = new URL('../lib/level-off-child.mjs', import.meta.url);
const BAR_NS = 50;

export async function measure(bench) {
  const child = await openChild(CHILD, {});
  const calls = bench.quick ? 1_000_000 : 5_000_000;
  const round = (name) => child.call(name, { calls });
  for (const name of ['ours', 'console']) await round(name);
  const measured = await alternate(['ours', 'console'], bench.rounds, round);
  const lazy = await child.call('lazy', { calls: 1_000 });
  await child.close();
  const bar = Math.max(BAR_NS, median(measured.console));
  return [
    figure({
      id: 'level-off',
      name: 'a call whose level is off',
      unit: 'ns',
      ours: measured.ours,
      bar,
      note: `Nest's ConsoleLogger: ${median(measured.console).toFixed(0)} ns; lazy messages run: ${lazy}`,
      met: median(measured.ours) <= bar && lazy === 0,
    }),
    figure({
      id: 'level-off-console',
      name: 'a call whose level is off',
      unit: 'ns',
      ours: measured.ours,
      peer: measured.console,
      peerName: "Nest's ConsoleLogger",
      note: 'for comparison',
    }),
  ];
}
