import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  type HealthOptions,
  RedisLogger,
  RedisLogHealthIndicator,
  RedisLogModule,
  type RedisLogModuleOptions,
} from 'nestjs-redis-log';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

let app: INestApplication | undefined;
let redis: RedisServer | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
  await redis?.stop();
  redis = undefined;
});

const SLOW = { timeoutMs: 15_000, intervalMs: 20 };

async function start(
  options: RedisLogModuleOptions = {},
  config: readonly string[] = [],
  asked: HealthOptions = {},
): Promise<{ server: RedisServer; logger: RedisLogger; check: () => Promise<{ code: number; body: Body }> }> {
  const server = await startRedisServer({ config });
  redis = server;
  class HealthController {
    readonly #health: HealthCheckService;
    readonly #logs: RedisLogHealthIndicator;
    constructor(health: HealthCheckService, logs: RedisLogHealthIndicator) {
      this.#health = health;
      this.#logs = logs;
    }
    check(): unknown {
      return this.#health.check([() => this.#logs.isHealthy('logs', asked)]);
    }
  }
  Controller('health')(HealthController);
  const descriptor = Object.getOwnPropertyDescriptor(
    HealthController.prototype,
    'check',
  ) as PropertyDescriptor;
  Get()(HealthController.prototype, 'check', descriptor);
  HealthCheck()(HealthController.prototype, 'check', descriptor);
  Reflect.defineMetadata(
    'design:paramtypes',
    [HealthCheckService, RedisLogHealthIndicator],
    HealthController,
  );
  class AppModule {}
  const settings = {
    connection: server.url,
    stream: 'logs',
    console: false,
    shutdownTimeoutMs: 300,
    ...options,
  } as const;
  Module({
    imports: [RedisLogModule.forRoot(settings), TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
  })(AppModule);
  app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/health`;
  const check = async (): Promise<{ code: number; body: Body }> => {
    const response = await fetch(url);
    return { code: response.status, body: (await response.json()) as Body };
  };
  return { server, logger: app.get(RedisLogger), check };
}

interface Body {
  readonly status: string;
  readonly details: { readonly logs: Readonly<Record<string, unknown>> };
}

describe('The health of the way to Redis', () => {
  it('is up while records are stored as they come, and before the first one', async () => {
    const { logger, check } = await start();
    expect(logger.health()).toMatchObject({ status: 'up', lastDeliveredMsAgo: undefined, degradedMs: 0 });
    logger.log('stored');
    await logger.flush();
    expect(logger.health()).toMatchObject({ status: 'up', reason: undefined, queued: 0, dropped: 0 });
    expect(logger.health().lastDeliveredMsAgo).toBeLessThan(10_000);
    const { code, body } = await check();
    expect(code).toBe(200);
    expect(body).toMatchObject({ status: 'ok', details: { logs: { status: 'up' } } });
  });

  it('is degraded while Redis is stopped, answers 200, and is up again once all is stored', async () => {
    const { server, logger, check } = await start();
    logger.log('before');
    await logger.flush();
    await server.kill();
    await until(() => logger.health().status === 'degraded', SLOW);
    logger.log('meanwhile');
    const { code, body } = await check();
    expect(code).toBe(200);
    expect(body.details.logs).toMatchObject({ status: 'degraded', reason: 'redis_away', queued: 1 });
    await server.restart();
    await until(() => logger.health().status === 'up', SLOW);
    expect(await logger.flush()).toMatchObject({ delivered: 2, timedOut: false });
    expect((await check()).body.status).toBe('ok');
  });

  it('is degraded while Redis is paused, though its connection stands', async () => {
    const { server, logger, check } = await start();
    logger.log('before');
    await logger.flush();
    await server.pause();
    logger.log('meanwhile');
    await until(() => logger.health().status === 'degraded', SLOW);
    expect((await check()).body.details.logs).toMatchObject({
      status: 'degraded',
      reason: 'no_answer',
      inFlight: 1,
    });
    await server.resume();
    await until(() => logger.health().status === 'up', SLOW);
    expect(await logger.flush()).toMatchObject({ delivered: 2, timedOut: false });
  });

  it('is degraded while Redis is full, and says so in the word of Redis', async () => {
    const { server, logger, check } = await start({}, ['maxmemory-policy noeviction']);
    logger.log('before');
    await logger.flush();
    await server.client().config('SET', 'maxmemory', '1mb');
    logger.log('meanwhile');
    await until(() => logger.health().status === 'degraded', SLOW);
    expect((await check()).body.details.logs).toMatchObject({
      status: 'degraded',
      reason: 'refused',
      error: 'OOM',
    });
    await server.client().config('SET', 'maxmemory', '0');
    await until(() => logger.health().status === 'up', SLOW);
    expect(await logger.flush()).toMatchObject({ delivered: 2, timedOut: false });
  });

  it('is down only where that is asked for: after a time, and then answers 503', async () => {
    const { server, logger, check } = await start({}, [], { downWhen: { degradedMs: 300 } });
    logger.log('before');
    await logger.flush();
    await server.kill();
    await until(async () => (await check()).code === 503, SLOW);
    expect((await check()).body.details.logs).toMatchObject({ status: 'down', reason: 'redis_away' });
    expect(logger.health().status).toBe('degraded');
    await server.restart();
    await until(async () => (await check()).code === 200, SLOW);
  });

  it('is down where asked for once the queue is filled to a share, and counts what was dropped', async () => {
    const { server, logger } = await start({ queue: { maxRecords: 10 }, batch: { maxRecords: 1 } });
    const downWhen = { queueShare: 0.5 };
    logger.log('before');
    await logger.flush();
    await server.kill();
    await until(() => logger.health().status === 'degraded', SLOW);
    logger.log('one waits');
    expect(logger.health({ downWhen }).status).toBe('degraded');
    for (let n = 0; n < 20; n++) logger.log(`number ${n}`);
    const health = logger.health({ downWhen });
    expect(health).toMatchObject({ status: 'down', reason: 'redis_away' });
    expect(health.queueShare).toBeGreaterThanOrEqual(0.5);
    expect(health.dropped).toBe(logger.stats().dropped.queue_full);
    expect(health.dropped).toBeGreaterThan(0);
  });

  it('counts what waits on disk', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'redis-log-health-'));
    const { server, logger } = await start({ spool: { directory } });
    logger.log('before');
    await logger.flush();
    await server.kill();
    await until(() => logger.health().status === 'degraded', SLOW);
    logger.log('meanwhile');
    await until(() => logger.health().spooled === 1, SLOW);
    expect(logger.health()).toMatchObject({ status: 'degraded', queued: 0 });
    await server.restart();
    await until(() => logger.health().status === 'up' && logger.health().spooled === 0, SLOW);
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(['OOM', 'NOPERM', 'WRONGTYPE'])(
    'is degraded where not even the first record could be stored: %s',
    async (error) => {
      await using server = await startRedisServer();
      const client = server.client();
      if (error === 'OOM') await client.config('SET', 'maxmemory', '1mb');
      if (error === 'WRONGTYPE') await client.set('logs', 'a text');
      if (error === 'NOPERM') await client.call('ACL', 'SETUSER', 'default', '-xadd', '-evalsha', '-eval');
      const lines: string[] = [];
      const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
      const delivery = error === 'NOPERM' ? 'at-least-once' : 'exactly-once';
      const writer = new RedisLogWriter(
        { connection: server.url, stream: 'logs', delivery },
        { diagnostics },
      );
      writer.emit({ body: 'x' });
      const health = await until(() => (writer.health().status === 'up' ? undefined : writer.health()), SLOW);
      expect(health).toMatchObject({ status: 'degraded', reason: 'refused', error });
      expect(lines.join()).toContain(error);
      await writer.close({ timeoutMs: 100 });
    },
  );

  it.each([
    ['ECONNREFUSED', () => 'redis://127.0.0.1:1'],
    ['ENOTFOUND', () => 'redis://no.such.host.invalid:6379'],
    ['WRONGPASS', ({ port }: RedisServer) => `redis://nobody:wrong@127.0.0.1:${port}`],
  ])('names why there is no connection in one word, from the first record on: %s', async (error, url) => {
    await using server = await startRedisServer();
    const diagnostics = createDiagnostics({ write: () => {} });
    const writer = new RedisLogWriter({ connection: url(server), stream: 'logs' }, { diagnostics });
    writer.emit({ body: 'x' });
    const health = await until(() => (writer.health().status === 'up' ? undefined : writer.health()), SLOW);
    expect(health).toMatchObject({ status: 'degraded', reason: 'redis_away', error, queued: 1 });
    await writer.close({ timeoutMs: 1 });
  });

  it('has no word of ours for an error, whatever ends the connection under load', async () => {
    await using server = await startRedisServer();
    const diagnostics = createDiagnostics({ write: () => {} });
    const writer = new RedisLogWriter({ connection: server.url, stream: 'logs' }, { diagnostics });
    const seen = new Set<string | undefined>();
    const look = setInterval(() => {
      for (let n = 0; n < 20; n++) writer.emit({ body: 'x' });
      seen.add(writer.health().error);
    }, 1);
    for (let kill = 0; kill < 5; kill++) {
      const { delivered } = writer.stats();
      await until(() => writer.stats().delivered > delivered, SLOW);
      await server.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await server.kill();
    await until(() => seen.has('ECONNREFUSED'), SLOW);
    clearInterval(look);
    const words = [undefined, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'];
    expect([...seen].filter((word) => !words.includes(word))).toEqual([]);
    await writer.close({ timeoutMs: 1 });
  });

  it('is known to a writer without Nest, and ends as degraded: it takes no more records', async () => {
    await using server = await startRedisServer();
    const writer = new RedisLogWriter({ connection: server.url, stream: 'logs' });
    writer.emit({ body: 'x' });
    await writer.flush();
    expect(writer.health().status).toBe('up');
    await writer.close();
    expect(writer.health()).toMatchObject({ status: 'degraded', reason: 'closed' });
  });

  it('is up, and asks nobody, where logging is turned off', async () => {
    const { logger } = await start({ enabled: false });
    expect(logger.health()).toMatchObject({ status: 'up', queued: 0 });
  });
});
