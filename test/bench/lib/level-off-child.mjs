// Calls whose level is off, ours and the ConsoleLogger's, in one process.
import { ConsoleLogger } from '@nestjs/common';
import { openRedisLog } from '../loggers/redis-log.mjs';
import { SITES } from './records.mjs';

export async function open() {
  const [site] = SITES;
  const { logger } = await openRedisLog({ redis: 'redis://127.0.0.1:1', sites: [site] });
  const ours = logger.withContext(site.context);
  const console = new ConsoleLogger(site.context, { logLevels: ['error'] });
  const message = site.message(1);
  const attributes = site.attributes(1);
  return {
    ours: async ({ calls }) => time(() => ours.debug(message, attributes), calls),
    console: async ({ calls }) => time(() => console.debug(message, attributes), calls),
    /** How many of the lazy messages ran. */
    async lazy({ calls }) {
      let ran = 0;
      for (let i = 0; i < calls; i++) ours.debug(() => `ran ${++ran}`);
      return ran;
    },
  };
}

/** Nanoseconds of CPU a call. */
function time(call, calls) {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) call();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / calls;
}
