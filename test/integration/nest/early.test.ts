import 'reflect-metadata';
import { ConsoleLogger, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { lines, saidDuring, storedRecords } from './support.js';

const PATIENCE_MS = 10_000;

let redis: RedisServer;
let out: string[];
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  out = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  Logger.overrideLogger(new ConsoleLogger());
});

async function boot(logger: ReturnType<typeof RedisLogger.early>) {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', console: false } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
  return NestFactory.create(AppModule, { logger, abortOnError: false });
}

function printed(text: string): number {
  return out.join('').split(text).length - 1;
}

describe('RedisLogger.early()', () => {
  it('is silent for some seconds, then hands over to Nest and says why, once', async () => {
    const early = RedisLogger.early();
    const said = await saidDuring(async () => {
      early.log('waiting', 'Boot');
      early.warn(() => 'lazy', 'Boot');
      vi.advanceTimersByTime(PATIENCE_MS - 1);
      expect(out).toEqual([]);
      vi.advanceTimersByTime(1);
      early.log('later', { orderId: 7 }, 'Boot');
      await Promise.resolve();
    });
    expect(said).toEqual([expect.stringContaining('Import RedisLogModule.forRoot() in the root module')]);
    expect([printed('waiting'), printed('lazy'), printed('later')]).toEqual([1, 1, 1]);
    expect(out.join('')).toMatch(/\[Boot\].*later.*orderId/);
    // It waits for a module all the same: not for that of the next test.
    vi.useRealTimers();
    await (await boot(early)).close();
  });

  it('still sends all of it, with its own times, when the module comes later than that', async () => {
    const early = RedisLogger.early();
    const before = Date.now();
    early.log('waiting', 'Boot');
    const after = Date.now();
    vi.advanceTimersByTime(PATIENCE_MS);
    early.log('later', 'Boot');
    vi.useRealTimers();
    const app = await boot(early);
    await app.init();
    await app.close();
    const records = await storedRecords(redis, 'logs');
    expect(lines(records).slice(0, 3)).toEqual([
      'Boot: waiting',
      'Boot: later',
      'NestFactory: Starting Nest application...',
    ]);
    const time = (records[0]?.hrTime[0] ?? 0) * 1_000 + (records[0]?.hrTime[1] ?? 0) / 1e6;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
    expect([printed('waiting'), printed('later')]).toEqual([1, 1]);
  });

  it('sends it after some seconds also when the application is made and never initialised', async () => {
    const early = RedisLogger.early();
    const app = await boot(early);
    expect(await redis.client().exists('logs')).toBe(0);
    vi.advanceTimersByTime(PATIENCE_MS);
    vi.useRealTimers();
    await app.get(RedisLogger).flush();
    expect(lines(await storedRecords(redis, 'logs'))[0]).toBe('NestFactory: Starting Nest application...');
    await app.close();
  });

  it('follows the levels that Nest sets, and keeps a bounded number of lines', async () => {
    const early = RedisLogger.early();
    early.setLogLevels?.(['warn']);
    for (let n = 0; n < 10_100; n++) early.warn(`line ${n}`);
    early.log('left out');
    vi.useRealTimers();
    const app = await boot(early);
    await app.close();
    const texts = lines(await storedRecords(redis, 'logs'));
    // What levels leave out takes a place too, since levels are not known before there is a module.
    expect(texts.length).toBeGreaterThan(9_900);
    expect(texts.length).toBeLessThan(10_000);
    const last = Array.from({ length: texts.length }, (_, n) => `: line ${10_100 - texts.length + n}`);
    expect(texts).toEqual(last);
  });
});
