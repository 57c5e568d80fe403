// What the quick run watches: ratios as they were when the figure was last looked at, and how much worse they may
// get. A regression of 1.5 x is caught; the noise of a busy machine is not taken for one. Each side counts with its best
// round: a neighbour can only make a round slower, and code that became slower has no good round any more.

/** Best rounds, and further looks at whatever fails, stay within this. */
export const TOLERANCE = 1.35;

/**
 * Ratio to the peer by id of the figure. Lower it when the write path gets better: that is what keeps it so. Where a
 * figure has two peers the two make one guard, by their geometric mean: a slow disk or a busy neighbour moves one of
 * the ratios, code of ours that became slower moves both.
 */
const GUARDS = [
  { id: 'client-cost-1', baselines: { 'client-cost-pino-1': 0.52, 'client-cost-otlp-1': 0.35 } },
  { id: 'client-cost-5', baselines: { 'client-cost-pino-5': 0.48, 'client-cost-otlp-5': 0.33 } },
  { id: 'call-p50', baselines: { 'call-p50-1': 0.42 } },
  { id: 'client-cost-at-least-once', baselines: { 'client-cost-at-least-once': 0.65 } },
  { id: 'memory-1', baselines: { 'memory-json-1': 0.55 } },
  { id: 'memory-5', baselines: { 'memory-json-5': 0.5 } },
  { id: 'memory-5-json', baselines: { 'memory-json-5-json': 0.68 } },
  { id: 'heap-1', baselines: { 'heap-1': 0.57 } },
  { id: 'heap-5', baselines: { 'heap-5': 0.55 } },
  { id: 'level-off', baselines: { 'level-off-console': 0.4 } },
  { id: 'decode-1', baselines: { 'decode-json-1': 1.5 } },
  { id: 'decode-5', baselines: { 'decode-json-5': 1.4 } },
  { id: 'consumer', baselines: { consumer: 1 } },
  { id: 'start', baselines: { 'start-share': 0.18 } },
  { id: 'queue-last', baselines: { 'queue-last': 0.6 } },
  { id: 'queue-over', baselines: { 'queue-over': 0.75 } },
];

/** The verdicts on what was measured: one for each guard whose figures are all there. */
export function judge(figures) {
  const byId = new Map(figures.map((each) => [each.id, each]));
  return GUARDS.filter(({ baselines }) => Object.keys(baselines).every((id) => byId.has(id))).map((guard) =>
    verdict(guard, byId),
  );
}

function verdict({ id, baselines }, byId) {
  const parts = Object.entries(baselines).map(([figureId, baseline]) => ({
    ...byId.get(figureId),
    baseline,
  }));
  const worse = Math.exp(parts.reduce((sum, part) => sum + Math.log(timesWorse(part)), 0) / parts.length);
  const passed = worse <= TOLERANCE;
  const ratios = parts.map((part) => `${ratioOf(part).toFixed(2)} (${part.baseline}) x ${part.peerName}`);
  const line = `${passed ? 'ok  ' : 'FAIL'} ${id}: ${parts[0].name}: ${ratios.join(', ')}: ${worse.toFixed(2)} x the baseline (at most ${TOLERANCE})`;
  return { id, figureIds: Object.keys(baselines), passed, line };
}

function timesWorse(part) {
  return part.better === 'lower' ? ratioOf(part) / part.baseline : part.baseline / ratioOf(part);
}

function ratioOf({ rounds, better, ratio, isDifference }) {
  // Noise can make a difference of two measurements smaller, so its best round says nothing.
  if (isDifference) return ratio;
  const best = better === 'lower' ? Math.min : Math.max;
  return best(...rounds.map(([ours]) => ours)) / best(...rounds.map(([, peer]) => peer));
}
