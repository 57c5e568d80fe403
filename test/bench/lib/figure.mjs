// What every figure hands back, and the order in which its rounds are run.
import { median } from './statistics.mjs';

/**
 * Runs A and B in turn, B first in every other round, so that neither profits from its place. `run(name, round)`
 * measures one. Returns what was measured by name.
 */
export async function alternate(names, rounds, run) {
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) measured[name].push(await run(name, round));
  }
  return measured;
}

/**
 * A figure: ours against a peer's, both medians. `bar` is the most (or, with `better: 'higher'`, the least) that the
 * ratio may be; the guard of the quick run is looser or tighter and comes from guards.mjs.
 * @param options `{ id, name, unit, ours, peer, peerName, bar, better, note, met, isDifference }`: `ours` and `peer`
 * are one value a round; without a peer the bar is for `ours` itself; `met` overrides the comparison where a bar has
 * two halves; `isDifference` says that `ours` is what one measurement had more than another
 */
export function figure(options) {
  const { id, name, unit, peerName, bar, better = 'lower', note, isDifference = false } = options;
  const ours = median(options.ours);
  const peer = options.peer === undefined ? null : median(options.peer);
  const ratio = peer === null ? null : ours / peer;
  const judged = ratio ?? ours;
  const meets = better === 'lower' ? judged <= bar : judged >= bar;
  const rounds = options.ours.map((value, index) => [value, options.peer?.[index] ?? null]);
  return {
    id,
    name,
    unit,
    ours,
    peer,
    peerName: peerName ?? null,
    ratio,
    bar: bar ?? null,
    better,
    met: bar === undefined ? null : (options.met ?? meets),
    note: note ?? null,
    rounds,
    isDifference,
  };
}
