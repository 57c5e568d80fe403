import 'reflect-metadata';
import { Injectable, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { storedRecords } from '../nest/support.js';
import { of, run } from './support.js';

const redis = useRedisServer();
const BOOT_MS = 120;

@Injectable()
class Worker implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Worker');

  async onModuleInit(): Promise<void> {
    this.#logger.log('booting');
    await delay(BOOT_MS);
    this.#logger.log('booted');
  }

  onApplicationShutdown(): void {
    for (let n = 0; n < 500; n++) this.#logger.log('the last things');
  }
}

describe('Requests of users that are about boot, shutdown and outages', () => {
  it('3: what is logged at shutdown arrives (nestjs-pino#1859, #1408; nest#15978, #14432, #6047; pino#2002)', async () => {
    const { finish } = await run(redis, {}, { providers: [Worker] });
    const records = of('Worker', await finish());
    expect(records.filter(({ body }) => body === 'the last things')).toHaveLength(500);
  });

  it('4: what is logged at boot arrives, with its own time (nest#13400, #7495, #9880, #8733; nestjs-pino#553, #387)', async () => {
    const { finish } = await run(redis, {}, { providers: [Worker] });
    const [first, second] = of('Worker', await finish());
    expect([first?.body, second?.body]).toEqual(['booting', 'booted']);
    const [from, to] = [first, second].map((record) => {
      const [seconds, nanoseconds] = record?.hrTime ?? [0, 0];
      return seconds * 1_000 + nanoseconds / 1e6;
    });
    expect((to ?? 0) - (from ?? 0)).toBeGreaterThanOrEqual(BOOT_MS - 5);
  });

  it('12: registering twice is refused, not logged twice (nestjs-pino#3074, #1500, #1790)', async () => {
    const log = RedisLogModule.forRoot({ connection: redis.url, stream: 'logs', console: false });
    class Feature {}
    class AppModule {}
    for (const again of [RedisLogModule.forRoot(), RedisLogModule]) {
      Module({ imports: [again] })(Feature);
      Module({ imports: [log, Feature] })(AppModule);
      const start = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
      await expect(start).rejects.toMatchObject({ code: 'REDIS_LOG_MODULE_MISUSED' });
    }
  });

  it('13: Redis going away neither ends the application nor fills its memory (winston-redis#23; ioredis#444, #896, #1829)', async () => {
    await using server = await startRedisServer();
    class AppModule {}
    const options = {
      connection: server.url,
      stream: 'logs',
      console: false as const,
      queue: { maxRecords: 1_000 },
    };
    Module({ imports: [RedisLogModule.forRoot(options)] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    app.useLogger(app.get(RedisLogger));
    const redisLogger = app.get(RedisLogger);
    const logger = new Logger('Ctx');
    logger.log('before');
    await redisLogger.flush();
    await server.kill();
    for (let n = 0; n < 20_000; n++) logger.log('while it is away', { n });
    const { queued, inFlight, dropped } = redisLogger.stats();
    expect(queued + inFlight).toBeLessThanOrEqual(1_300);
    expect((dropped.queue_full ?? 0) + queued + inFlight).toBe(20_000);
    await server.restart();
    await until(async () => (await redisLogger.flush({ timeoutMs: 500 })).pending === 0, {
      timeoutMs: 15_000,
    });
    logger.log('after');
    await app.close();
    const bodies = (await storedRecords(server, 'logs')).map(({ body }) => body);
    expect(bodies.at(-1)).toBe('after');
    expect(bodies.length).toBeGreaterThan(500);
  });
});
