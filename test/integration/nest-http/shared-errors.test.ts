import 'reflect-metadata';
import { BadGatewayException, Controller, Get, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogContext, RedisLogger, RedisLogModule, RedisLogTasks } from 'nestjs-redis-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { storedRecords } from '../nest/support.js';
import { PLATFORMS, requestsOf, serve } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

const SHARED = new BadGatewayException('always the same');
const UNKNOWN = new TypeError('always the same');
const logger = new Logger('Shared');

@Controller()
class SharedController {
  @Get('shared')
  shared(): never {
    throw SHARED;
  }

  @Get('logged')
  logged(): never {
    logger.error('told', UNKNOWN);
    throw UNKNOWN;
  }

  @Get('task')
  task(): unknown {
    return RedisLogContext.run({ inner: true }, () => {
      logger.error('told inside', SHARED);
      throw SHARED;
    });
  }
}

const module = { controllers: [SharedController] };

/** The contexts of records that have a stack. */
function told(records: readonly LogRecord[]): string[] {
  return records
    .filter(({ attributes }) => 'exception.stacktrace' in attributes)
    .map(({ instrumentationScope }) => instrumentationScope.name);
}

describe.each(PLATFORMS)('An error that is thrown again on %s', (platform) => {
  it('is with the record of every request that it fails, one after the other and at once', async () => {
    const served = await serve({ redis, platform, module });
    for (let round = 0; round < 2; round++) await fetch(`${served.url}/shared`);
    await Promise.all([1, 2, 3].map(() => fetch(`${served.url}/shared`)));
    const records = await served.finish();
    expect(requestsOf(records).map(({ attributes }) => attributes['exception.message'])).toEqual(
      Array.from({ length: 5 }, () => 'always the same'),
    );
    expect(told(records)).toEqual(Array.from({ length: 5 }, () => 'HTTP'));
  });

  it('is in one record of every request where its thrower has logged it', async () => {
    const served = await serve({ redis, platform, module });
    for (let round = 0; round < 2; round++) await fetch(`${served.url}/logged`);
    await fetch(`${served.url}/task`);
    const records = await served.finish();
    expect(told(records)).toEqual(['Shared', 'Shared', 'Shared']);
    const handled = records.filter(
      ({ instrumentationScope }) => instrumentationScope.name === 'ExceptionsHandler',
    );
    // What Nest logs after that keeps the message.
    expect(handled.map(({ attributes }) => attributes['exception.message'])).toEqual([
      'always the same',
      'always the same',
    ]);
  });
});

describe('A task that fails with an error of another', () => {
  async function done(work: (tasks: RedisLogTasks) => Promise<unknown>): Promise<LogRecord[]> {
    class AppModule {}
    const options = { connection: redis.url, stream: 'logs', console: false } as const;
    Module({ imports: [RedisLogModule.forRoot(options)] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    app.useLogger(app.get(RedisLogger));
    await work(app.get(RedisLogTasks));
    await new Promise(setImmediate);
    await app.close();
    return storedRecords(redis, 'logs');
  }

  it('has it on its own record too, also below one outer run', async () => {
    const records = await done(async (tasks) =>
      RedisLogContext.run({ outer: true }, async () => {
        const run = (): Promise<void> => tasks.run('job', () => Promise.reject(SHARED)).catch(() => {});
        await run();
        await new Promise(setImmediate);
        await Promise.all([run(), run()]);
        await new Promise(setImmediate);
      }),
    );
    expect(told(records)).toEqual(['Task', 'Task', 'Task']);
  });

  it('leaves it to whoever called it and logs it right after, each time', async () => {
    const records = await done(async (tasks) => {
      for (let round = 0; round < 2; round++) {
        await tasks
          .run('job', () => Promise.reject(SHARED))
          .catch((error: unknown) => logger.error('caught', error));
        await new Promise(setImmediate);
      }
    });
    expect(told(records)).toEqual(['Shared', 'Shared']);
  });
});
