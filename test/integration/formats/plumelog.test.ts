import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { readPlumelog } from './plumelog-reader.js';
import { AT, SPAN, write } from './writing.js';

const LIST = 'plume_log_list';
const shop = { name: 'shop', environment: 'staging' };
const options = { format: 'plumelog', service: shop } as const;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

describe('A Plumelog server reads from its list', () => {
  it('who logged what, when, where and in which trace', async () => {
    await write(redis, options, [
      {
        body: 'Order placed',
        severityNumber: 9,
        timestamp: AT,
        spanContext: SPAN,
        scope: { name: 'OrdersService' },
        attributes: { orderId: 7, paid: true, items: ['a'], 'code.function.name': 'OrdersService.place' },
      },
    ]);
    const [message, ...others] = await readPlumelog(redis.client(), LIST);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      appName: 'shop',
      env: 'staging',
      method: 'OrdersService.place',
      content: 'Order placed',
      logLevel: 'INFO',
      className: 'OrdersService',
      threadName: 'main',
      dtTime: 1_795_000_000_123,
      traceId: SPAN.traceId,
      extensions: { orderId: 7, paid: true, items: ['a'] },
    });
    expect(message?.serverName).toMatch(/^\S+$/);
    expect(new Date(`${message?.dateTime.replace(' ', 'T')}`).getTime()).toBe(1_795_000_000_123);
  });

  it('empty texts where there is nothing to say, and never a missing field', async () => {
    await write(redis, { format: 'plumelog', service: { name: 'shop' } }, [{ timestamp: AT }]);
    const [message] = await readPlumelog(redis.client(), LIST);
    expect(message).toMatchObject({ method: '', traceId: '', className: '', content: '', logLevel: 'INFO' });
    expect(message?.extensions).toEqual({});
  });

  it('the level words that its alerts look for', async () => {
    const severities = [undefined, 1, 5, 9, 13, 17, 21];
    await write(
      redis,
      options,
      severities.map((severityNumber) =>
        severityNumber === undefined ? { body: 'x' } : { body: 'x', severityNumber },
      ),
    );
    const levels = (await readPlumelog(redis.client(), LIST)).map(({ logLevel }) => logLevel);
    expect(levels).toEqual(['INFO', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'ERROR']);
  });

  it('the stack below the message of a warning or an error', async () => {
    const attributes = { 'exception.type': 'Error', 'exception.stacktrace': 'Error: no\n    at place' };
    await write(redis, options, [
      { body: 'failed', severityNumber: 17, attributes },
      { body: 'odd', severityNumber: 13, attributes },
      { body: 'fine', severityNumber: 9, attributes },
    ]);
    const contents = (await readPlumelog(redis.client(), LIST)).map(({ content }) => content);
    expect(contents).toEqual(['failed\nError: no\n    at place', 'odd\nError: no\n    at place', 'fine']);
  });

  it('an order that holds within one millisecond, over more items than one read takes', async () => {
    const records = Array.from({ length: 1_000 }, (_, n) => ({ body: `n${n}`, timestamp: AT }));
    await write(redis, options, records);
    const messages = await readPlumelog(redis.client(), LIST);
    expect(messages.map(({ content }) => content)).toEqual(records.map(({ body }) => body));
    const numbers = messages.map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(1_000);
  });

  it('attributes whose names are those of its own fields beside them, not instead of them', async () => {
    const attributes = { method: 'GET', seq: 'none', content: 1, 'code.function.name': 7 };
    await write(redis, options, [{ body: 'kept', attributes }]);
    const [message] = await readPlumelog(redis.client(), LIST);
    expect(message).toMatchObject({ method: '', content: 'kept' });
    expect(message?.extensions).toEqual({
      'attributes.method': 'GET',
      'attributes.seq': 'none',
      'attributes.content': 1,
      'code.function.name': 7,
    });
  });

  it('a body that is no text as JSON, and values that JSON lacks without breaking the item', async () => {
    await write(redis, options, [
      { body: { order: 7 } },
      { body: 42, attributes: { nan: Number.NaN, bytes: new Uint8Array([1]) } },
      { body: 'when?', timestamp: [Number.NaN, 0] },
    ]);
    const messages = await readPlumelog(redis.client(), LIST);
    expect(messages.map(({ content }) => content)).toEqual(['{"order":7}', '42', 'when?']);
  });

  it('what a Nest application logs, errors with their stack', async () => {
    @Module({ imports: [RedisLogModule.forRoot({ connection: redis.url, console: false, ...options })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: RedisLogger.early() });
    app.useLogger(app.get(RedisLogger));
    await redis.client().del(LIST);
    const logger = new Logger('OrdersService');
    logger.log('Order placed', { orderId: 7 });
    logger.error(new TypeError('no stock'));
    await app.get(RedisLogger).flush();
    const messages = (await readPlumelog(redis.client(), LIST)).filter(
      ({ className }) => className === 'OrdersService',
    );
    await app.close();
    expect(messages[0]).toMatchObject({
      content: 'Order placed',
      logLevel: 'INFO',
      extensions: { orderId: 7 },
    });
    expect(messages[1]?.logLevel).toBe('ERROR');
    expect(messages[1]?.content).toMatch(/no stock[\s\S]*\n\s+at .*plumelog\.test/);
    expect(messages[1]?.extensions).toMatchObject({ 'exception.type': 'TypeError' });
  });

  it('also when only the environment asks for the format', async () => {
    process.env['REDIS_LOG_FORMAT'] = 'plumelog';
    try {
      await write(redis, { service: shop }, [{ body: 'by REDIS_LOG_FORMAT' }]);
    } finally {
      delete process.env['REDIS_LOG_FORMAT'];
    }
    expect(await readPlumelog(redis.client(), LIST)).toMatchObject([{ content: 'by REDIS_LOG_FORMAT' }]);
  });

  it('from another list, where the option "stream" names one', async () => {
    await write(redis, { ...options, stream: 'plume:custom' }, [{ body: 'elsewhere' }]);
    expect(await readPlumelog(redis.client(), 'plume:custom')).toHaveLength(1);
    expect(await redis.client().exists(LIST)).toBe(0);
  });
});
