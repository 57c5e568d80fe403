// A process in which contestants log in turn; see figures/client-cost.mjs and its neighbours.
import { openLogger } from '../loggers/index.mjs';
import { callTimes, cost, flooding, pacing } from './load.mjs';

/** @param input `{ names, where }`: the contestants to open, and what `openLogger` is told */
export async function open({ names, where }) {
  const loggers = new Map();
  for (const name of names) loggers.set(name, await openLogger(name, where));
  return {
    flood: ({ name, records }) => cost(loggers.get(name), flooding(records)),
    paced: ({ name, rate, ms }) => cost(loggers.get(name), pacing(rate, ms)),
    calls: ({ name, rate, ms }) => callTimes(loggers.get(name), rate, ms),
  };
}
