import 'reflect-metadata';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { lines, saidDuring, storedRecords } from '../nest/support.js';

let redis: RedisServer;
let app: INestApplicationContext | undefined;
let printed: string[] = [];
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  printed = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await app?.close();
  app = undefined;
});

async function start(options: RedisLogModuleOptions = {}): Promise<RedisLogger> {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', console: false, ...options } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
  app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return app.get(RedisLogger);
}

describe('While Redis is away for longer than a limit', () => {
  it('records are printed too, and stored all the same once it is back; one line says so at each end', async () => {
    const said = await saidDuring(async () => {
      const logger = await start({ consoleWhenAwayMs: 200 });
      logger.log('before', 'Ctx');
      await logger.flush();
      await redis.kill();
      await until(() => logger.health().status === 'degraded');
      logger.log('too early to be printed', 'Ctx');
      await until(
        () => {
          logger.log('while away', { password: 'geheim' }, 'Ctx');
          return printed.length > 0;
        },
        { intervalMs: 20 },
      );
      await redis.restart();
      await until(() => logger.health().status === 'up', { timeoutMs: 10_000 });
      await until(() => {
        const before = printed.length;
        logger.log('back', 'Ctx');
        return printed.length === before;
      });
      await logger.flush();
    });
    const output = printed.join('');
    expect(output).toContain('while away');
    expect(output).not.toContain('too early');
    expect(output).not.toContain('geheim');
    const stored = lines(await storedRecords(redis, 'logs'));
    expect(stored).toContain('Ctx: too early to be printed');
    expect(stored.filter((line) => line === 'Ctx: while away').length).toBeGreaterThanOrEqual(
      printed.filter((line) => line.includes('while away')).length,
    );
    expect(said.filter((line) => line.includes('records are printed here too'))).toHaveLength(1);
    expect(said.filter((line) => line.includes('no longer printed here'))).toHaveLength(1);
  });

  it('nothing is printed where that was not asked for', async () => {
    const logger = await start();
    logger.log('before');
    await logger.flush();
    await redis.kill();
    await until(() => logger.health().degradedMs > 300);
    logger.log('while away');
    expect(printed.join('')).toBe('');
    await redis.restart();
    await logger.flush();
  });
});
