import { expect, it } from 'vitest';
import { runSoak } from '../soak/soak.js';

/** And on until every kind of fault has come once; `npm run soak` does the same for as long as one likes. */
const SECONDS = 20;
/** So few, and so late, that a busy machine with two cores keeps up. */
const RATE = 2_000;
const LOOP_DELAY_CEILING_MS = 250;

it('keeps every promise through one fault after another: nothing lost, doubled, altered or out of order', async () => {
  const report = await runSoak({ seconds: SECONDS, rate: RATE, loopDelayCeilingMs: LOOP_DELAY_CEILING_MS });
  // Whatever is wrong says so here, with the seed that repeats it.
  expect({ seed: report.seed, problems: report.problems }).toEqual({ seed: report.seed, problems: [] });
  expect(report.stored + report.spool.stored).toBeGreaterThan(SECONDS * RATE * 0.8);
}, 180_000);
