import 'reflect-metadata';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { RedisLogger, RedisLogLevels, RedisLogModule } from 'nestjs-redis-log';
import { provideRedisLogTesting } from 'nestjs-redis-log/testing';
import { describe, expect, it, vi } from 'vitest';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { storedRecords } from '../nest/support.js';
import { of, run } from './support.js';

const redis = useRedisServer();

describe('Requests of users that are about levels', () => {
  it('9: the level changes while the application runs, for one process or all of them (nestjs-pino#371)', async () => {
    const { app, finish } = await run(redis);
    const logger = new Logger('OrdersService');
    logger.debug('too little');
    app.get(RedisLogger).setLevel('OrdersService', 'debug', { forMs: 60_000 });
    logger.debug('here');
    app.get(RedisLogger).clearLevel();
    logger.debug('too little again');
    await app.get(RedisLogLevels).set('OrdersService', 'debug', { forMs: 60_000 });
    await until(() => app.get(RedisLogger).withContext('OrdersService').isLevelEnabled('debug'), {
      timeoutMs: 15_000,
    });
    logger.debug('everywhere');
    expect(of('OrdersService', await finish()).map(({ body }) => body)).toEqual(['here', 'everywhere']);
  });

  it('10: a context has a level of its own, and levels come from a configuration (nest#2959, #7108, #6444)', async () => {
    @Injectable()
    class Configuration {
      readonly levels = { OrdersService: 'debug', 'TypeOrm*': 'warn' } as const;
    }
    @Module({ providers: [Configuration], exports: [Configuration] })
    class ConfigurationModule {}
    @Module({
      imports: [
        RedisLogModule.forRootAsync({
          imports: [ConfigurationModule],
          inject: [Configuration],
          useFactory: ({ levels }: Configuration) => ({
            connection: redis.url,
            stream: 'logs',
            console: false as const,
            levels,
          }),
        }),
      ],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    app.useLogger(app.get(RedisLogger));
    for (const name of ['OrdersService', 'TypeOrmModule', 'Other']) {
      new Logger(name).debug(`debug of ${name}`);
      new Logger(name).log(`log of ${name}`);
    }
    await app.close();
    const bodies = (await storedRecords(redis.server, 'logs')).map(({ body }) => String(body));
    expect(bodies.filter((body) => / of /.test(body))).toEqual([
      'debug of OrdersService',
      'log of OrdersService',
      'log of Other',
    ]);
  });
});

describe('Requests of users that are about tests', () => {
  // That a failed test prints what it logged is shown in test/unit/testing/silence.test.ts.
  it('11: tests are silent, and what was logged can be asserted (nest#3246, #8875, #393; nestjs-pino#2484)', async () => {
    const printed = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    const connection = 'redis://127.0.0.1:1';
    const builder = Test.createTestingModule({ imports: [RedisLogModule.forRoot({ connection })] });
    const logs = provideRedisLogTesting(builder);
    const app = (await builder.compile()).createNestApplication();
    await app.init();
    new Logger('OrdersService').error('payment failed', new Error('declined'));
    await app.close();
    const calls = printed.map(({ mock }) => mock.calls.length);
    vi.restoreAllMocks();
    expect(calls).toEqual([0, 0]);
    const [record] = logs
      .at('error')
      .inContext('OrdersService')
      .withMessage(/failed/)
      .exactly(1);
    expect(record?.error?.message).toBe('declined');
  });
});
