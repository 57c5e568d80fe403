import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { expect, it } from 'vitest';
import { startRedisServer } from '../../support/redis-server.js';
import { lines, storedRecords } from './support.js';

/** What one early call and one later one become, of a message and an object. */
async function stored(options: { structuredParams?: boolean }): Promise<{ said: string[]; ids: unknown[] }> {
  await using server = await startRedisServer();
  class AppModule {}
  const module = RedisLogModule.forRoot({
    connection: server.url,
    stream: 'logs',
    console: false,
    ...options,
  });
  Module({ imports: [module] })(AppModule);
  const early = RedisLogger.early();
  early.log('early', { id: 1 }, 'Boot');
  const app = await NestFactory.createApplicationContext(AppModule, { logger: early, abortOnError: false });
  const logger = app.get(RedisLogger);
  app.useLogger(logger);
  logger.log('later', { id: 2 }, 'Orders');
  await app.close();
  const records = await storedRecords(server, 'logs');
  const ours = records.filter(({ instrumentationScope: { name } }) => name === 'Boot' || name === 'Orders');
  return { said: lines(ours), ids: ours.map(({ attributes }) => attributes['id']) };
}

it('An object after the message is its attributes, on any Nest, with structuredParams: true', async () => {
  expect(await stored({ structuredParams: true })).toEqual({
    said: ['Boot: early', 'Orders: later'],
    ids: [1, 2],
  });
});

it('It is a record of its own, as on Nest 11, with structuredParams: false', async () => {
  const { said, ids } = await stored({ structuredParams: false });
  expect(said.map((line) => line.split(':')[0])).toEqual(['Boot', 'Boot', 'Orders', 'Orders']);
  expect(ids).toEqual([undefined, undefined, undefined, undefined]);
});

it('Without it, it is what the installed Nest makes of it', async () => {
  expect((await stored({})).said).toEqual(['Boot: early', 'Orders: later']);
});
