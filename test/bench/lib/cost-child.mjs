// A process in which contestants log in turn; see figures/client-cost.mjs and its neighbours.
import { openLogger } from '../loggers/index.mjs';
import { callTimes, cost, flooding, pacing } from './load.mjs';

const WARM_UP = 20_000;

/**
 * @param input `{ names, where, warmUp }`: the contestants to open, what `openLogger` is told, and how many records
 * each of them logs before anything is measured
 */
export async function open({ names, where, warmUp = WARM_UP }) {
  const loggers = new Map();
  for (const name of names) {
    const logger = await openLogger(name, where);
    // A slow pace alone would measure code that is not compiled yet, for longer than a benchmark lasts.
    if (warmUp > 0) await cost(logger, flooding(warmUp));
    loggers.set(name, logger);
  }
  return {
    flood: ({ name, records }) => cost(loggers.get(name), flooding(records)),
    paced: ({ name, rate, ms }) => cost(loggers.get(name), pacing(rate, ms)),
    calls: ({ name, rate, ms }) => callTimes(loggers.get(name), rate, ms),
  };
}
