/** Injection token of the options as they were given to `RedisLogModule`. */
export const REDIS_LOG_OPTIONS = Symbol.for('nestjs-redis-log.options');

/** Injection token of a logger whose context is the class it is injected into; see `InjectRedisLogger`. */
export const REDIS_CHILD_LOGGER = Symbol.for('nestjs-redis-log.child-logger');

/** Injection token of what the options come to once every default is filled in. */
export const REDIS_LOG_RESOLVED = Symbol.for('nestjs-redis-log.resolved');

/** Injection token of the parts that `RedisLogModule` looks after. */
export const REDIS_LOG_PARTS = Symbol.for('nestjs-redis-log.parts');

/** Injection token of what follows messages and tasks to their end; see `RedisLogInterceptor` and `LogTask`. */
export const REDIS_LOG_OUTCOMES = Symbol.for('nestjs-redis-log.outcomes');

/** Injection token of the request log; undefined where requests are not logged. */
export const REDIS_LOG_REQUESTS = Symbol.for('nestjs-redis-log.requests');

/** Injection token of what counts messages for `LogInsights`; undefined where nobody asked for it. */
export const REDIS_LOG_INSIGHTS_COUNTER = Symbol.for('nestjs-redis-log.insights-counter');
