// What the quick run watches: ratios as they were when the figure was last looked at, and how much worse they may
// get. A regression of 1.5 x is caught; the noise of a busy machine, less than that, is not taken for one.

/** Medians of a few short rounds, and further looks at whatever fails, stay within this. */
export const TOLERANCE = 1.3;

/** Ratio to the peer by id of the figure. Lower it when the write path gets better: that is what keeps it so. */
export const BASELINES = {
  'client-cost-pino-1': 0.52,
  'client-cost-pino-5': 0.48,
  'client-cost-otlp-1': 0.34,
  'call-p50-1': 0.42,
  'client-cost-at-least-once': 0.65,
  'memory-json-1': 0.55,
  'memory-json-5': 0.5,
  'memory-json-5-json': 0.68,
  'heap-1': 0.57,
  'heap-5': 0.55,
  'level-off-console': 0.4,
  'decode-json-1': 1.5,
  'decode-json-5': 1.4,
  consumer: 1,
  'start-share': 0.18,
  'queue-last': 0.6,
  'queue-over': 0.75,
};

/** The verdict on one figure; undefined where nothing guards it. */
export function guard({ id, ratio, better, name, peerName }) {
  const baseline = BASELINES[id];
  if (baseline === undefined || ratio === null) return undefined;
  const limit = better === 'lower' ? baseline * TOLERANCE : baseline / TOLERANCE;
  const passed = better === 'lower' ? ratio <= limit : ratio >= limit;
  const sign = better === 'lower' ? 'at most' : 'at least';
  const line = `${passed ? 'ok  ' : 'FAIL'} ${id}: ${name}: ${ratio.toFixed(2)} x ${peerName} (${sign} ${limit.toFixed(2)})`;
  return { id, passed, line };
}
