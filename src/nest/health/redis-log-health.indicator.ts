import { Inject, Injectable } from '@nestjs/common';
import type { HealthOptions, LogHealth } from '../../redis/health.js';
import { RedisLogger } from '../logger/redis-logger.js';

/** What `@nestjs/terminus` takes from an indicator, and answers with. */
export type RedisLogHealthResult<Key extends string = string> = Record<
  Key,
  // Terminus 11 has no type for `degraded`, and terminus 12 takes these two as well.
  Omit<LogHealth, 'status'> & { readonly status: 'up' | 'down' }
>;

/**
 * Health of the way to Redis for `@nestjs/terminus` 11 and 12. `up`, or `degraded` while records wait, which terminus answers
 * with HTTP status 200 (terminus 11, which does not know that word, gets `up` and the details); `down` only where
 * `downWhen` asks for it. `RedisLogModule` provides it; without terminus, `RedisLogger.health()` says the same.
 *
 * @example
 * \@HealthCheck()
 * \@Get() check() { return this.health.check([() => this.redisLog.isHealthy('logs')]); }
 */
@Injectable()
export class RedisLogHealthIndicator {
  readonly #logger: RedisLogger;

  constructor(@Inject(RedisLogger) logger: RedisLogger) {
    this.#logger = logger;
  }

  /** @param key under which the answer stands. Default `redis-log`. */
  async isHealthy<const Key extends string = 'redis-log'>(
    key: Key = 'redis-log' as Key,
    options?: HealthOptions,
  ): Promise<RedisLogHealthResult<Key>> {
    const health = this.#logger.health(options);
    const status = health.status === 'degraded' && !(await knowsDegraded()) ? 'up' : health.status;
    return { [key]: { ...health, status } } as RedisLogHealthResult<Key>;
  }
}

let degradedIsKnown: Promise<boolean> | undefined;

/** Terminus is asked, and not its version number. Without it nobody can misunderstand the word. */
function knowsDegraded(): Promise<boolean> {
  return (degradedIsKnown ??= import('@nestjs/terminus').then(
    ({ HealthIndicatorService }) => 'degraded' in new HealthIndicatorService().check('redis-log'),
    () => true,
  ));
}
