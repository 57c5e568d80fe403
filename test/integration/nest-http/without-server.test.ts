import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { lines, storedRecords } from '../nest/support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

describe('Request logging in an application without an HTTP server', () => {
  class AppModule {}
  beforeAll(() => {
    const options = { connection: redis.url, stream: 'logs', console: false, http: true } as const;
    Module({ imports: [RedisLogModule.forRoot(options)] })(AppModule);
  });
  const quiet = { logger: false, abortOnError: false } as const;

  it.each([
    ['createApplicationContext', () => NestFactory.createApplicationContext(AppModule, quiet)],
    [
      'createMicroservice',
      async () => {
        const options = { host: '127.0.0.1', port: await freePort() };
        const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
          ...quiet,
          transport: Transport.TCP,
          options,
        });
        await app.listen();
        return app;
      },
    ],
    ['a testing module', () => Test.createTestingModule({ imports: [AppModule] }).compile()],
  ])('has nothing to do: %s starts and logs', async (_, create) => {
    const app = await create();
    app.useLogger(app.get(RedisLogger));
    new Logger('Worker').log('working');
    await app.close();
    expect(lines(await storedRecords(redis, 'logs'))).toContain('Worker: working');
  });
});
