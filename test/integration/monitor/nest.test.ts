import { type CanActivate, Injectable, Module } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  ALERT_FIRING_EVENT,
  ALERT_RESOLVED_EVENT,
  MONITOR_SAMPLE_EVENT,
  RedisLogModule,
  RedisLogMonitorModule,
} from 'nestjs-redis-log';
import { type Alert, type MonitorSample, ScaleAdvisor, StreamMonitor } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, GROUP, read, STREAM, streamOf } from './support.js';

const redis = useRedisServer();

@Injectable()
class Listener {
  readonly heard: string[] = [];
  samples = 0;

  @OnEvent(MONITOR_SAMPLE_EVENT)
  sample(sample: MonitorSample): void {
    this.samples += sample.streams.length;
  }

  @OnEvent(ALERT_FIRING_EVENT)
  firing({ rule, state }: Alert): void {
    this.heard.push(`${rule} ${state}`);
  }

  @OnEvent(ALERT_RESOLVED_EVENT)
  resolved({ rule, state }: Alert): void {
    this.heard.push(`${rule} ${state}`);
  }
}

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

/** A group that was trimmed past, which is an alert at once. */
async function losing(): Promise<void> {
  await redis.client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  await add(redis.client, 10);
  await read(redis.client, 2);
  await redis.client.xtrim(STREAM, 'MAXLEN', 3);
}

describe('RedisLogMonitorModule', () => {
  it('watches the stream that RedisLogModule writes, and tells samples and alerts as Nest events', async () => {
    await losing();
    const log = RedisLogModule.forRoot({ connection: redis.url, stream: STREAM, console: false });
    const alerts = { log: false };
    const monitor = RedisLogMonitorModule.forRoot({ intervalMs: 100, alerts, metrics: false });
    @Module({ imports: [log, EventEmitterModule.forRoot(), monitor], providers: [Listener] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const listener = app.get(Listener);
    try {
      await until(() => listener.heard.includes('LogsLosing firing'));
      await read(redis.client, 10);
      await until(() => listener.heard.includes('LogsLosing resolved'));
      expect(listener.heard.filter((heard) => heard.startsWith('LogsLosing'))).toHaveLength(2);
      expect(listener.samples).toBeGreaterThan(1);
      expect(app.get(ScaleAdvisor).adviceFor(GROUP)).toMatchObject({ stream: STREAM, decision: 'STAY' });
    } finally {
      await app.close();
    }
    await expect(app.get(StreamMonitor).sample()).rejects.toMatchObject({ code: 'REDIS_LOG_CLOSED' });
    expect(app.get(EventEmitter2).listenerCount(MONITOR_SAMPLE_EVENT)).toBe(0);
  });

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])('serves the advice for KEDA where it is asked to, on %s', async (_name, adapter) => {
    await losing();
    const monitor = RedisLogMonitorModule.forRootAsync({
      useFactory: () => ({ connection: redis.url, streams: STREAM, autoStart: false, metrics: false }),
      endpoint: { path: 'scale' },
    });
    @Module({ imports: [monitor] })
    class AppModule {}
    const app = await NestFactory.create(AppModule, adapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    try {
      const url = `${await app.getUrl()}/scale`;
      const status = async (query: string): Promise<number> => (await fetch(url + query)).status;
      expect(await status(`?group=${GROUP}`)).toBe(404);
      expect(await status('')).toBe(400);
      await app.get(StreamMonitor).sample();
      const answer = (await (await fetch(`${url}?group=${GROUP}`)).json()) as object;
      expect(answer).toMatchObject({ group: GROUP, consumers: 1, desired: expect.any(Number), lag: 3 });
    } finally {
      await app.close();
    }
  });

  it('has no route by default, and lets guards close the one there is', async () => {
    const options = { connection: redis.url, streams: STREAM, autoStart: false, metrics: false };
    for (const [endpoint, status] of [
      [undefined, 404],
      [{ guards: [Closed] }, 403],
    ] as const) {
      const given = endpoint === undefined ? options : { ...options, endpoint };
      @Module({ imports: [RedisLogMonitorModule.forRoot(given)], providers: [Closed] })
      class AppModule {}
      const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: false });
      await app.listen(0, '127.0.0.1');
      expect((await fetch(`${await app.getUrl()}/redis-log/scale?group=x`)).status).toBe(status);
      await app.close();
    }
  });

  it('works without RedisLogModule and without an event emitter', async () => {
    await losing();
    @Module({
      imports: [RedisLogMonitorModule.forRoot({ connection: redis.url, streams: STREAM, autoStart: false })],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    expect(streamOf(await app.get(StreamMonitor).sample()).length).toBe(3);
    await app.close();
  });

  it('opens no socket where RedisLogModule is turned off', async () => {
    const log = RedisLogModule.forRoot({ connection: redis.url, stream: STREAM, enabled: false });
    @Module({ imports: [log, RedisLogMonitorModule.forRoot({ intervalMs: 100 })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const before = Number(/total_connections_received:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const after = Number(/total_connections_received:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
    expect(after - before).toBe(0);
    expect(app.get(StreamMonitor).last).toBeUndefined();
    await app.close();
  });

  it('names wrong options at start', async () => {
    const wrong = { streams: STREAM, interval: 1 } as object;
    @Module({ imports: [RedisLogMonitorModule.forRoot(wrong)] })
    class AppModule {}
    const starting = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await expect(starting).rejects.toThrow(/interval: unknown option/);
  });
});
