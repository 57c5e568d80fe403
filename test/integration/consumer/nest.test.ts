import 'reflect-metadata';
import { Controller, type DynamicModule, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  OnLogs,
  RedisLogger,
  RedisLogModule,
  type RedisLogModuleOptions,
  streamBySeverity,
} from 'nestjs-redis-log';
import type { LogBatch } from 'nestjs-redis-log/consumer';
import { LogReader } from 'nestjs-redis-log/reader';
import { provideRedisLogTesting } from 'nestjs-redis-log/testing';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { deferred, members, numbered, STREAM, write } from './support.js';

const redis = useRedisServer();
const QUIET = { logger: false, abortOnError: false } as const;
const SOON = { maxWaitMs: 5 } as const;

function appOf(
  options: RedisLogModuleOptions,
  classes: { providers?: Type<object>[]; controllers?: Type<object>[] },
): DynamicModule {
  class AppModule {}
  Module({})(AppModule);
  const logModule = RedisLogModule.forRoot({
    connection: redis.url,
    stream: STREAM,
    console: false,
    ...options,
  });
  return { module: AppModule, imports: [logModule], ...classes };
}

describe('@OnLogs', () => {
  it('hands batches to methods of providers and controllers, from bootstrap to shutdown', async () => {
    @Injectable()
    class Etl {
      readonly bodies: unknown[] = [];
      @OnLogs({ group: 'etl', batchSize: 10, ...SOON })
      store(batch: LogBatch): void {
        this.bodies.push(...batch.entries.map(({ record }) => record.body));
      }
    }
    @Controller()
    class Alerts {
      count = 0;
      @OnLogs({ group: 'alerts', ...SOON })
      @OnLogs({ group: 'audit', ...SOON })
      async onLogs(batch: LogBatch): Promise<string[]> {
        await Promise.resolve();
        this.count += batch.size;
        return batch.entries.map(({ id }) => id);
      }
    }
    await write({ connection: redis.url }, numbered(25));
    const app = await NestFactory.createApplicationContext(
      appOf({}, { providers: [Etl], controllers: [Alerts] }),
      QUIET,
    );
    const [etl, alerts] = [app.get(Etl), app.get(Alerts)];
    await until(() => etl.bodies.length === 25 && alerts.count === 50);
    expect(etl.bodies).toEqual(numbered(25));
    await app.close();
    for (const group of ['etl', 'alerts', 'audit']) expect(await members(redis.client, group)).toEqual([]);
    await write({ connection: redis.url }, ['late']);
    expect(String(await redis.client.client('LIST'))).not.toContain('nestjs-redis-log-reader');
    expect(etl.bodies).toHaveLength(25);
  });

  it('lets a handler finish at shutdown, and what it logs then arrives', async () => {
    @Injectable()
    class Slow {
      isDone = false;
      readonly begun = deferred();
      readonly release = deferred();
      static logger: RedisLogger;
      @OnLogs({ group: 'slow', stream: 'logs:in', ...SOON })
      async work(): Promise<void> {
        this.begun.resolve();
        await this.release.promise;
        Slow.logger.log('done');
        this.isDone = true;
      }
    }
    await write({ connection: redis.url, stream: 'logs:in' }, ['one']);
    const app = await NestFactory.createApplicationContext(appOf({}, { providers: [Slow] }), QUIET);
    Slow.logger = app.get(RedisLogger);
    const slow = app.get(Slow);
    await slow.begun.promise;
    const closed = app.close();
    slow.release.resolve();
    await closed;
    expect(slow.isDone).toBe(true);
    expect(await redis.client.xlen(STREAM)).toBe(1);
    const [info] = (await redis.client.xinfo('GROUPS', 'logs:in')) as unknown[][];
    expect(info).toEqual(expect.arrayContaining(['pending', 0]));
  });

  it('keeps what its handler logs out of the stream that it reads', async () => {
    @Injectable()
    class Chatty {
      static logger: RedisLogger;
      seen = 0;
      @OnLogs({ group: 'chatty', ...SOON })
      work({ size }: LogBatch): void {
        this.seen += size;
        Chatty.logger.log('got some');
      }
    }
    const app = await NestFactory.createApplicationContext(appOf({}, { providers: [Chatty] }), QUIET);
    Chatty.logger = app.get(RedisLogger);
    Chatty.logger.log('hello');
    await until(() => app.get(Chatty).seen === 1);
    await app.close();
    expect(await redis.client.xlen(STREAM)).toBe(1);
    expect(Chatty.logger.stats().dropped).toEqual({ feedback: 1 });
  });

  it('stops the start where its options cannot be, or where there is no single instance to call', async () => {
    @Injectable()
    class Wrong {
      @OnLogs({ group: 'g', batchSize: 0 })
      work(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @OnLogs({ group: 'g' })
      work(): void {}
    }
    const start = (type: Type<object>): Promise<unknown> =>
      NestFactory.createApplicationContext(appOf({}, { providers: [type] }), QUIET);
    await expect(start(Wrong)).rejects.toMatchObject({
      code: 'REDIS_LOG_INVALID_OPTIONS',
      message: expect.stringContaining('@OnLogs on Wrong.work') as string,
    });
    await expect(start(PerRequest)).rejects.toMatchObject({ code: 'REDIS_LOG_MODULE_MISUSED' });
  });

  it('wants to know which stream it reads where the module has a function for them, and so does the reader', async () => {
    @Injectable()
    class Unnamed {
      @OnLogs({ group: 'g', stream: undefined as never, ...SOON })
      work(): void {}
    }
    @Injectable()
    class Errors {
      readonly bodies: unknown[] = [];
      @OnLogs({ group: 'g', stream: 'logs:split:error', ...SOON })
      work({ entries }: LogBatch): void {
        this.bodies.push(...entries.map(({ record }) => record.body));
      }
    }
    const start = (type: Type<object>): ReturnType<typeof NestFactory.createApplicationContext> =>
      NestFactory.createApplicationContext(
        appOf({ stream: streamBySeverity('logs:split') }, { providers: [type] }),
        QUIET,
      );
    await expect(start(Unnamed)).rejects.toMatchObject({
      code: 'REDIS_LOG_INVALID_OPTIONS',
      subject: 'stream',
      message: expect.stringContaining('@OnLogs on Unnamed.work') as string,
    });
    const app = await start(Errors);
    app.get(RedisLogger).error('card declined');
    await until(() => app.get(Errors).bodies.length === 1);
    const reader = app.get(LogReader);
    const problem = { code: 'REDIS_LOG_INVALID_OPTIONS', subject: 'streams' };
    expect(() => reader.query()).toThrow(expect.objectContaining(problem) as Error);
    expect(() => reader.tail()).toThrow(expect.objectContaining(problem) as Error);
    await expect(reader.context('1-0')).rejects.toMatchObject(problem);
    const [found] = await reader.query({ streams: ['logs:split:error'] }).toArray();
    expect(found?.record.body).toBe('card declined');
    expect(await reader.context(found?.id ?? '', { streams: ['logs:split:error'] })).toHaveLength(1);
    await app.close();
  });

  it('reads the stream of the module where its own is undefined', async () => {
    @Injectable()
    class Etl {
      size = 0;
      @OnLogs({ group: 'g', stream: undefined as never, ...SOON })
      work({ size }: LogBatch): void {
        this.size += size;
      }
    }
    await write({ connection: redis.url }, numbered(3));
    const app = await NestFactory.createApplicationContext(appOf({}, { providers: [Etl] }), QUIET);
    await until(() => app.get(Etl).size > 0);
    await app.close();
    expect(app.get(Etl).size).toBe(3);
  });

  it('starts nothing where logging is turned off, or in a test with collected logs', async () => {
    @Injectable()
    class Etl {
      @OnLogs({ group: 'etl' })
      work(): void {}
    }
    const off = await NestFactory.createApplicationContext(
      appOf({ enabled: false }, { providers: [Etl] }),
      QUIET,
    );
    await off.close();
    const builder = Test.createTestingModule({ imports: [appOf({}, { providers: [Etl] })] });
    provideRedisLogTesting(builder);
    const app = await (await builder.compile()).init();
    await app.close();
    expect(await redis.client.keys('*')).toEqual([]);
  });
});
