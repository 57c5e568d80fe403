import 'reflect-metadata';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogLevels, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { aclRules, isRedisLogError } from 'nestjs-redis-log/core';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveWriterOptions } from '../../../src/options/resolve.js';
import { openPipeline } from '../../../src/redis/open-pipeline.js';
import { fasterRuntime } from '../../support/faster-runtime.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { lines, saidDuring, storedRecords } from '../nest/support.js';

let redis: RedisServer;
const apps: INestApplicationContext[] = [];
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(options: RedisLogModuleOptions = {}): Promise<INestApplicationContext> {
  class AppModule {}
  const settings = {
    connection: redis.url,
    stream: 'logs',
    console: false,
    connect: 'eager',
    ...options,
  } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

const loggerOf = (app: INestApplicationContext): RedisLogger =>
  app.get(RedisLogger).withContext('OrdersService');

/** The processes look every three seconds. */
const seen = { timeoutMs: 10_000, intervalMs: 20 };

describe('The level of one process', () => {
  it('can be changed for a context while it runs, and taken back', async () => {
    const logger = loggerOf(await start({ level: 'warn', levels: { OrdersService: 'error' } }));
    expect(logger.isLevelEnabled('debug')).toBe(false);
    logger.setLevel('OrdersService', 'debug');
    logger.debug('debugging');
    expect(logger.withContext('Other').isLevelEnabled('log')).toBe(false);
    logger.clearLevel('OrdersService');
    expect(logger.isLevelEnabled('warn')).toBe(false);
    logger.warn('not any more');
    await logger.flush();
    expect(lines(await storedRecords(redis, 'logs'))).toEqual(['OrdersService: debugging']);
  });

  it('ends by itself when its time is over', async () => {
    const logger = loggerOf(await start());
    logger.setLevel('Orders*', 'verbose', { forMs: 60 });
    expect(logger.isLevelEnabled('verbose')).toBe(true);
    await until(() => !logger.isLevelEnabled('verbose'));
    expect(logger.isLevelEnabled('log')).toBe(true);
  });

  it('may be given by a pattern with stars anywhere', async () => {
    const logger = loggerOf(await start({ levels: { '*Service': 'warn' } }));
    expect(logger.isLevelEnabled('log')).toBe(false);
    logger.setLevel('O*Serv*', 'debug');
    expect(logger.isLevelEnabled('debug')).toBe(true);
    expect(logger.withContext('PaymentsService').isLevelEnabled('log')).toBe(false);
    expect(logger.withContext('Payments').isLevelEnabled('log')).toBe(true);
  });

  it('with the pattern *, is that of records without a context too', async () => {
    const app = await start();
    const logger = app.get(RedisLogger);
    logger.setLevel('*', 'debug');
    expect(logger.isLevelEnabled('debug')).toBe(true);
    logger.clearLevel();
    expect(logger.isLevelEnabled('debug')).toBe(false);
  });

  it('is refused when it is none', async () => {
    const logger = loggerOf(await start());
    const info = 'info' as unknown as 'log';
    expect(() => logger.setLevel('OrdersService', info)).toThrow(/level .* one of verbose, debug, log/);
    expect(() => logger.setLevel('', 'debug')).toThrow(/context/);
    expect(() => logger.setLevel('OrdersService', 'debug', { forMs: 0 })).toThrow(/forMs/);
    const misspelt = { forms: 5 } as { forMs?: number };
    expect(() => logger.setLevel('OrdersService', 'debug', misspelt)).toThrow(/no "forms".*forMs/);
    expect(logger.isLevelEnabled('debug')).toBe(false);
  });
});

describe('Where logging to Redis is turned off', () => {
  it('levels are those of the process, and nothing is asked of Redis', async () => {
    const app = await start({ enabled: false });
    const levels = app.get(RedisLogLevels);
    await levels.set('OrdersService', 'debug', { forMs: 60_000 });
    expect(loggerOf(app).isLevelEnabled('debug')).toBe(true);
    expect(await levels.list()).toMatchObject([{ context: 'OrdersService', level: 'debug' }]);
    await levels.set('Short', 'debug', { forMs: 20 });
    await until(async () => (await levels.list()).length === 1);
    await levels.clear('OrdersService');
    expect(loggerOf(app).isLevelEnabled('debug')).toBe(false);
    await expect(levels.set('OrdersService', 'info' as 'log')).rejects.toThrow(/level/);
    expect(await redis.client().keys('*')).toEqual([]);
  });
});

describe('The level of a fleet', () => {
  it('reaches every process of the stream without a restart, and ends by itself', async () => {
    const fleet = [await start(), await start()].map(loggerOf);
    const elsewhere = loggerOf(await start({ stream: 'other' }));
    const levels = new RedisLogLevels({ connection: redis.url, stream: 'logs' });
    await levels.set('OrdersService', 'debug', { forMs: 3_600 });
    await until(() => fleet.every((logger) => logger.isLevelEnabled('debug')), seen);
    expect(fleet[0]?.withContext('Other').isLevelEnabled('debug')).toBe(false);
    expect(elsewhere.isLevelEnabled('debug')).toBe(false);
    await until(() => fleet.every((logger) => !logger.isLevelEnabled('debug')), seen);
    // Nothing of it stays in Redis.
    await until(async () => (await redis.client().exists('{logs}:levels')) === 0, seen);
  });

  it('can be listed and cleared, from any process', async () => {
    const app = await start();
    const levels = app.get(RedisLogLevels);
    await levels.set('Orders*', 'debug');
    await levels.set('TypeOrm', 'error', { forMs: 60_000 });
    const list = await levels.list();
    expect(list.map(({ context, level }) => `${context} ${level}`).sort()).toEqual([
      'Orders* debug',
      'TypeOrm error',
    ]);
    expect(list.every(({ remainingMs = 0 }) => remainingMs > 50_000 && remainingMs <= 600_000)).toBe(true);
    expect(await redis.client().pttl('{logs}:levels')).toBeGreaterThan(500_000);
    await until(() => loggerOf(app).isLevelEnabled('debug'), seen);
    await levels.clear('Orders*');
    expect((await levels.list()).map(({ context }) => context)).toEqual(['TypeOrm']);
    await until(() => !loggerOf(app).isLevelEnabled('debug'), seen);
    await levels.clear();
    expect(await levels.list()).toEqual([]);
  });

  it('can be set with redis-cli alone, with an end by the clock of the server', async () => {
    await redis.client().hset('{logs}:levels', 'OrdersService', 'debug', 'Broken', 'nonsense');
    await redis.client().pexpire('{logs}:levels', 1_500);
    const logger = loggerOf(await start());
    await until(() => logger.isLevelEnabled('debug'), seen);
    expect(logger.withContext('Broken').isLevelEnabled('debug')).toBe(false);
    await until(() => !logger.isLevelEnabled('debug'), seen);
  });

  it('keeps the end of what redis-cli wrote when another one is set', async () => {
    await redis.client().hset('{logs}:levels', 'OrdersService', 'debug');
    await redis.client().pexpire('{logs}:levels', 20_000);
    const levels = new RedisLogLevels({ connection: redis.url, stream: 'logs' });
    await levels.set('Other', 'debug', { forMs: 500_000 });
    const byName = new Map((await levels.list()).map(({ context, remainingMs }) => [context, remainingMs]));
    expect(byName.get('OrdersService')).toBeLessThanOrEqual(20_000);
    expect(byName.get('Other')).toBeGreaterThan(400_000);
  });

  it('is told where its key is that of something else', async () => {
    await redis.client().set('{logs}:levels', 'mine');
    const levels = new RedisLogLevels({ connection: redis.url, stream: 'logs' });
    for (const attempt of [levels.set('Orders', 'debug'), levels.list()]) {
      const error: unknown = await attempt.catch((reason: unknown) => reason);
      expect(isRedisLogError(error) && error.code).toBe('REDIS_LOG_REFUSED');
      expect(String(error)).toContain('the key {logs}:levels is something else');
    }
    await expect(levels.set('Orders', 'debug', { forms: 5 } as { forMs?: number })).rejects.toThrow(
      /no "forms"/,
    );
  });

  it('comes after what the process itself was told', async () => {
    const app = await start();
    const logger = loggerOf(app);
    logger.setLevel('OrdersService', 'error');
    await app.get(RedisLogLevels).set('*', 'verbose');
    await until(() => logger.withContext('Other').isLevelEnabled('verbose'), seen);
    expect(logger.isLevelEnabled('warn')).toBe(false);
  });

  it('stays until its end while Redis is away', async () => {
    const server = await startRedisServer();
    const levels = new RedisLogLevels({ connection: server.url, stream: 'logs' });
    await levels.set('OrdersService', 'debug', { forMs: 2_500 });
    const logger = loggerOf(await start({ connection: server.url }));
    await until(() => logger.isLevelEnabled('debug'), seen);
    await server.kill();
    await delay(200);
    expect(logger.isLevelEnabled('debug')).toBe(true);
    await until(() => !logger.isLevelEnabled('debug'), seen);
    await server.stop();
  });

  it('is not followed where fleetLevels is false, nor by a user who may not read the key', async () => {
    const admin = redis.client();
    const rules = aclRules({ role: 'producer', stream: 'logs' }).filter((rule) => rule !== '~{logs}:levels');
    await admin.call('ACL', 'SETUSER', 'blind', 'on', '>pw', ...rules);
    const said = await saidDuring(async () => {
      const blind = await start({ connection: `redis://blind:pw@${redis.host}:${redis.port}` });
      const deaf = await start({ fleetLevels: false });
      const following = await start();
      await following.get(RedisLogLevels).set('*', 'debug');
      await until(() => loggerOf(following).isLevelEnabled('debug'), seen);
      for (const app of [blind, deaf]) {
        expect(loggerOf(app).isLevelEnabled('debug')).toBe(false);
        loggerOf(app).log('works all the same');
        expect(await app.get(RedisLogger).flush()).toMatchObject({ delivered: 1, timedOut: false });
      }
    });
    expect(said.filter((line) => line.includes('may not read levels'))).toHaveLength(1);
  });

  it('needs no more than the rights of a producer to be followed, and those of an admin to be set', async () => {
    const admin = redis.client();
    for (const role of ['producer', 'admin'] as const) {
      await admin.call('ACL', 'SETUSER', role, 'on', '>pw', ...aclRules({ role, stream: 'logs' }));
    }
    const url = (user: string): string => `redis://${user}:pw@${redis.host}:${redis.port}`;
    const logger = loggerOf(await start({ connection: url('producer') }));
    const denied = new RedisLogLevels({ connection: url('producer'), stream: 'logs' });
    const error: unknown = await denied.set('*', 'debug').catch((reason: unknown) => reason);
    expect(isRedisLogError(error) && error.code).toBe('REDIS_LOG_REFUSED');
    expect(String(error)).toMatch(/NOPERM|rights/);
    const levels = new RedisLogLevels({ connection: url('admin'), stream: 'logs' });
    await levels.set('*', 'debug');
    expect(await levels.list()).toHaveLength(1);
    await until(() => logger.isLevelEnabled('debug'), seen);
  });

  it('is found under the prefix of the connection', async () => {
    const connection = { host: redis.host, port: redis.port, keyPrefix: 'app:' };
    const app = await start({ connection });
    await app.get(RedisLogLevels).set('OrdersService', 'debug');
    expect(await redis.client().exists('{app:logs}:levels')).toBe(1);
    await until(() => loggerOf(app).isLevelEnabled('debug'), seen);
  });

  it('is found in a Cluster, whichever node has it', async () => {
    await using cluster = await startRedisCluster();
    const connection = { cluster: cluster.startupNodes };
    const app = await start({ connection, stream: 'logs:orders' });
    await app.get(RedisLogLevels).set('OrdersService', 'debug');
    expect(await app.get(RedisLogLevels).list()).toMatchObject([
      { context: 'OrdersService', level: 'debug' },
    ]);
    await until(() => loggerOf(app).isLevelEnabled('debug'), seen);
    await app.close();
    apps.length = 0;
  });

  it('costs Redis one small question in three seconds, and nothing else', async () => {
    const faster = 20;
    const options = resolveWriterOptions({ connection: redis.url, stream: 'logs' });
    const { pipeline, connect, watchLevels } = openPipeline(options, { runtime: fasterRuntime(faster) });
    const calls = async (name: string): Promise<number> => {
      const stats = await redis.client().info('commandstats');
      return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };
    await redis.client().config('RESETSTAT');
    watchLevels(() => undefined);
    connect();
    await until(async () => (await calls('hgetall')) >= 1);
    const from = performance.now();
    await until(async () => (await calls('hgetall')) >= 11, { timeoutMs: 15_000 });
    // Ten questions, with less than a tenth of chance in between.
    expect((performance.now() - from) * faster).toBeGreaterThan(10 * 2_600);
    expect([await calls('time'), await calls('pttl')]).toEqual([0, 0]);
    pipeline.abandon();
  });
});
