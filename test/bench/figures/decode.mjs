// Decoding on one core.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';

const CHILD = new URL('../lib/decode-child.mjs', import.meta.url);

export async function measure(bench) {
  const figures = [];
  for (const sites of [1, 5]) {
    const child = await openChild(CHILD, { sites });
    const round = (name) => child.call(name, {});
    for (const name of ['ours', 'json']) await round(name);
    const measured = await alternate(['ours', 'json'], bench.rounds, round);
    await child.close();
    const label = sites === 1 ? 'one call site' : 'five call sites';
    const common = { unit: 'records/s', better: 'higher', ours: measured.ours };
    figures.push(figure({ ...common, id: `decode-${sites}`, name: `decode, ${label}`, bar: 200_000 }));
    figures.push(
      figure({
        ...common,
        id: `decode-json-${sites}`,
        name: `decode, ${label}`,
        peer: measured.json,
        peerName: 'JSON.parse of the same record',
        note: 'for comparison',
      }),
    );
  }
  return figures;
}
