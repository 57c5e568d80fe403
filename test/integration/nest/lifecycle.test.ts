import 'reflect-metadata';
import {
  ConsoleLogger,
  Inject,
  Injectable,
  Logger,
  Module,
  type DynamicModule,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  RedisLogger,
  RedisLogModule,
  type RedisLogModuleOptions,
  RedisLogRecordExporter,
} from 'nestjs-redis-log';
import { type CollectedRecord, createTestingLogger } from 'nestjs-redis-log/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { connections, lines, saidDuring, storedRecords } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(new ConsoleLogger());
});

const QUIET = { logger: false, abortOnError: false } as const;

function appOf(options: RedisLogModuleOptions, ...providers: Type<object>[]): DynamicModule {
  class AppModule {}
  Module({})(AppModule);
  const logModule = RedisLogModule.forRoot({ connection: redis.url, console: false, ...options });
  return { module: AppModule, imports: [logModule], providers };
}

describe('At the end of an application', () => {
  @Injectable()
  class Chatty {
    readonly #logger = new Logger(Chatty.name);
    onModuleDestroy(): void {
      this.#logger.log('destroy');
      throw new Error('destroy failed');
    }
    beforeApplicationShutdown(): void {
      this.#logger.log('before shutdown');
    }
    async onApplicationShutdown(): Promise<void> {
      await new Promise(setImmediate);
      this.#logger.log('shutdown');
      throw new Error('shutdown failed');
    }
  }

  it('the records of all shutdown hooks arrive, and those of hooks that fail', async () => {
    const app = await NestFactory.createApplicationContext(appOf({ stream: 'hooks' }, Chatty), QUIET);
    app.useLogger(app.get(RedisLogger));
    await app.close();
    expect(lines(await storedRecords(redis, 'hooks'))).toEqual([
      'Chatty: destroy',
      ': destroy failed',
      'Chatty: before shutdown',
      'Chatty: shutdown',
      ': shutdown failed',
    ]);
  });

  it('the connection is closed', async () => {
    const app = await NestFactory.createApplicationContext(appOf({ stream: 'closed' }), QUIET);
    app.get(RedisLogger).log('hello');
    await app.get(RedisLogger).flush();
    expect(await connections(redis)).toBe(1);
    await app.close();
    await until(async () => (await connections(redis)) === 0);
  });

  it('a late call goes to stderr, is counted, and opens no connection', async () => {
    const app = await NestFactory.createApplicationContext(appOf({ stream: 'late' }), QUIET);
    const logger = app.get(RedisLogger);
    app.useLogger(logger);
    new Logger('Test').log('in time');
    await app.close();
    const said = await saidDuring(async () => {
      new Logger('Test').log('too late');
      await logger.flush({ timeoutMs: 50 });
    });
    expect(said.join('\n')).toContain('not stored (closed): log Test too late');
    expect(logger.stats()).toMatchObject({ emitted: 2, delivered: 1, dropped: { closed: 1 } });
    expect(await connections(redis)).toBe(0);
    expect(lines(await storedRecords(redis, 'late'))).toEqual(['Test: in time']);
  });

  it('an exporter of the user stays open for its owner, who may have shut it down before', async () => {
    for (const isShutDownFirst of [false, true]) {
      const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'shared' });
      const app = await NestFactory.createApplicationContext(
        { ...appOf({}), imports: [RedisLogModule.forRoot({ exporter, console: false })] },
        QUIET,
      );
      if (isShutDownFirst) await exporter.shutdown();
      app.get(RedisLogger).log('after the SDK');
      await app.close();
      expect(exporter.isClosed).toBe(isShutDownFirst);
      expect(exporter.stats()).toMatchObject({ emitted: 1, delivered: 1 });
      await exporter.shutdown();
      expect(exporter.isClosed).toBe(true);
    }
  });

  it('that was never initialised, its early records arrive', async () => {
    const app = await NestFactory.create(appOf({ stream: 'not-initialised' }), {
      logger: RedisLogger.early(),
      abortOnError: false,
    });
    await app.close();
    expect(lines(await storedRecords(redis, 'not-initialised'))[0]).toBe(
      'NestFactory: Starting Nest application...',
    );
  });
});

describe('An application that logs nothing', () => {
  it('opens no connection, unless it asks for one', async () => {
    const lazy = await NestFactory.createApplicationContext(appOf({ stream: 'idle' }), QUIET);
    expect(await connections(redis)).toBe(0);
    await lazy.close();
    const eager = await NestFactory.createApplicationContext(
      appOf({ stream: 'idle', connect: 'eager' }),
      QUIET,
    );
    await until(async () => (await connections(redis)) === 1);
    await eager.close();
  });
});

function createdRecord(): LogRecord {
  const { logger, logs } = createTestingLogger();
  logger.log('straight into the exporter');
  return (logs.first as CollectedRecord).record;
}

describe('With enabled: false', () => {
  @Injectable()
  class UsesExporter {
    @Inject(RedisLogRecordExporter) readonly exporter!: RedisLogRecordExporter;
  }

  it('everything goes through Nest, with our levels, and nothing to Redis', async () => {
    const printed: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const options = { enabled: false, level: 'warn', stream: 'off', connect: 'eager' } as const;
    const app = await NestFactory.createApplicationContext(appOf(options, UsesExporter), QUIET);
    const logger = app.get(RedisLogger);
    logger.log('not this');
    logger.warn('this', { orderId: 7 }, 'Orders');
    app.get(UsesExporter).exporter.emit(createdRecord());
    await logger.flush();
    await app.close();
    expect(printed.join('')).toMatch(/WARN.*\[Orders\].*this.*orderId/);
    expect(printed.join('')).not.toContain('not this');
    expect(logger.stats()).toMatchObject({ emitted: 0, dropped: {} });
    expect(await connections(redis)).toBe(0);
    expect(await redis.client().exists('off')).toBe(0);
  });
});

describe('Two applications in one process', () => {
  it('are independent, at the same time and one after the other', async () => {
    const first = await NestFactory.createApplicationContext(appOf({ stream: 'one' }), QUIET);
    const second = await NestFactory.createApplicationContext(appOf({ stream: 'two', level: 'warn' }), QUIET);
    first.get(RedisLogger).setLogLevels(['debug']);
    first.get(RedisLogger).debug('first');
    second.get(RedisLogger).debug('not written');
    second.get(RedisLogger).warn('second');
    await first.close();
    second.get(RedisLogger).warn('second, after the first has closed');
    await second.close();
    const third = await NestFactory.createApplicationContext(appOf({ stream: 'one' }), QUIET);
    third.get(RedisLogger).log('third');
    await third.close();
    expect(lines(await storedRecords(redis, 'one'))).toEqual([': first', ': third']);
    expect(lines(await storedRecords(redis, 'two'))).toEqual([
      ': second',
      ': second, after the first has closed',
    ]);
  });

  it('get the boot records of their own', async () => {
    for (const stream of ['boot-one', 'boot-two']) {
      const logger = RedisLogger.early();
      const app = await NestFactory.createApplicationContext(appOf({ stream }), {
        logger,
        abortOnError: false,
      });
      await app.close();
    }
    for (const stream of ['boot-one', 'boot-two']) {
      const starts = lines(await storedRecords(redis, stream)).filter((line) =>
        line.includes('Starting Nest'),
      );
      expect(starts).toHaveLength(1);
    }
  });
});
