import { Inject, Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, it } from 'vitest';
import { RedisLogger, RedisLogModule } from '../../../src/index.js';
import { LogReader } from '../../../src/reader/index.js';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

it('RedisLogModule provides a LogReader of its own stream, connects it on first use and closes it at shutdown', async () => {
  await using server = await startRedisServer();

  @Injectable()
  class Support {
    readonly logs: LogReader;

    constructor(@Inject(LogReader) logs: LogReader) {
      this.logs = logs;
    }
  }

  @Module({
    imports: [RedisLogModule.forRoot({ connection: server.url, service: { name: 'shop' }, console: false })],
    providers: [Support],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: RedisLogger.early() });
  app.useLogger(app.get(RedisLogger));
  const logs = app.get(Support).logs;
  new Logger('Orders').warn('Stock is low');
  await app.get(RedisLogger).flush();
  const readers = async (): Promise<number> =>
    String(await server.client().client('LIST')).split('name=nestjs-redis-log-reader').length - 1;
  expect(await readers()).toBe(0);
  const found = await logs.query({ level: 'warn', where: 'logger:orders' }).toArray();
  expect(found.map(({ record }) => record.body)).toEqual(['Stock is low']);
  expect(logs.streams).toEqual(['logs:shop']);
  expect(await readers()).toBe(1);
  await app.close();
  await until(async () => (await readers()) === 0, { what: 'the reader to be gone' });
});
