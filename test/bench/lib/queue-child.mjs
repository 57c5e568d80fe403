// Fills a queue that nobody empties, and times the calls at its beginning, at its end, and when it is full.
import { openRedisLog } from '../loggers/redis-log.mjs';
import { flood } from './load.mjs';
import { SITES } from './records.mjs';

const QUEUE = 100_000;
const PART = QUEUE / 5;

export async function open() {
  const input = {
    redis: 'redis://127.0.0.1:1',
    sites: SITES.slice(0, 1),
    options: { queue: { maxRecords: QUEUE } },
  };
  const warm = await openRedisLog(input);
  const measured = await openRedisLog(input);
  return {
    async fill() {
      // Compiled by another logger first, so that the first part does not pay for it; it overflows too.
      await flood(warm, QUEUE * 2);
      const first = await part(measured);
      for (let i = 0; i < 3; i++) await part(measured);
      const last = await part(measured);
      const over = await part(measured);
      return { first, last, over };
    },
  };
}

/** CPU microseconds a call over the next fifth of the queue. */
async function part(logger) {
  const before = process.cpuUsage();
  await flood(logger, PART);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PART;
}
