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

/**
 * The injection token of what `InjectRedisLogger` injects, to put something else in its place in a test.
 *
 * @example
 * const { logger, logs } = createTestingLogger();
 * const providers = [OrdersService, { provide: getRedisLoggerToken(), useValue: logger }];
 */
export function getRedisLoggerToken(): symbol {
  return REDIS_CHILD_LOGGER;
}
