import { Inject } from '@nestjs/common';
import { REDIS_CHILD_LOGGER } from './module/redis-log.tokens.js';

/**
 * Injects a `RedisLogger` whose context is the name of the class it is injected into.
 *
 * @example
 * constructor(@InjectRedisLogger() private readonly logger: RedisLogger) {}
 */
export function InjectRedisLogger(): ParameterDecorator & PropertyDecorator {
  return Inject(REDIS_CHILD_LOGGER);
}
