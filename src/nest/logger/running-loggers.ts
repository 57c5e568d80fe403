import { Logger } from '@nestjs/common';
import { processWide } from '../../process-wide.js';
import { EarlyLogger } from './early-logger.js';
import type { LoggerCore } from './logger-core.js';
import { RedisLogger } from './redis-logger.js';

/** Those of the applications that run, in the order in which they came up; one list per process. */
function registry(): Set<RedisLogger> {
  return processWide('running-loggers', () => new Set());
}

/**
 * Notes that an application runs. Nest's own `Logger` is one for the whole process and belongs to the application that
 * set it last: when that one is closed, by the function that is returned, the youngest of the others gets its calls,
 * which would be refused else.
 */
export function noteRunning(core: LoggerCore): () => void {
  const running = registry();
  const logger = new RedisLogger(core);
  running.add(logger);
  return () => {
    running.delete(logger);
    const heir = [...running].at(-1);
    const current = Logger['staticInstanceRef'];
    const isOurs = RedisLogger.isOf(core, current) || EarlyLogger.isOf(core, current);
    if (heir !== undefined && isOurs) Logger.overrideLogger(heir);
  };
}
