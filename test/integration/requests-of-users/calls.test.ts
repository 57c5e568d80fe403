import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { inSpan, SPAN, useActiveSpans } from '../../support/active-span.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { of, run } from './support.js';

const redis = useRedisServer();
useActiveSpans();

describe('Requests of users that are about log calls', () => {
  it('1: arguments after the message are kept (nestjs-pino#2004, #1271, #2689)', async () => {
    const { finish } = await run(redis, { level: 'debug' });
    const logger = new Logger('Ctx');
    logger.log('one object', { userId: 1 });
    logger.log('two objects', { userId: 1 }, { orderId: 2 });
    logger.error('with an error', new Error('behind it'));
    logger.debug(() => 'a lazy text');
    const records = of('Ctx', await finish());
    expect(records.map(({ body }) => body)).toEqual([
      'one object',
      'two objects',
      'with an error',
      'a lazy text',
    ]);
    expect(records[0]?.attributes).toEqual({ userId: 1 });
    expect(records[1]?.attributes).toEqual({ userId: 1, orderId: 2 });
    expect(records[2]?.attributes).toMatchObject({ 'exception.message': 'behind it' });
  });

  it('2: context and stack of an error are kept (nest-winston#473, #807; nestjs-pino#656, #640, #304)', async () => {
    const { finish } = await run(redis);
    const logger = new Logger('Ctx');
    const error = Object.assign(new TypeError('declined', { cause: new Error('quota') }), { code: 'E_1' });
    logger.error(error);
    logger.error('failed', error);
    logger.error('failed', error.stack);
    logger.fatal('failed', error.stack);
    logger.error('failed', { orderId: 7 });
    const records = of('Ctx', await finish());
    expect(records).toHaveLength(5);
    for (const { attributes } of records.slice(0, 4)) {
      expect(attributes['exception.stacktrace']).toContain('calls.test.ts');
    }
    expect(records[0]?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.code': 'E_1',
      'exception.cause.message': 'quota',
    });
    expect(records[4]?.attributes).toEqual({ orderId: 7 });
  });

  it('6: trace ids need no instrumentation and no order of imports (opentelemetry-js-contrib#2591, #2838, #1587, #3192)', async () => {
    const { finish } = await run(redis);
    inSpan(() => new Logger('Ctx').log('in a span'));
    const [record] = of('Ctx', await finish());
    expect(record?.spanContext).toMatchObject(SPAN);
    expect(record?.attributes).toEqual({});
  });

  it('8: secrets are not in the log by default (nestjs-pino#2168, #409; pino-http#379)', async () => {
    const { finish } = await run(redis);
    new Logger('Ctx').log('to redis://u:hunter2@h', {
      user: { name: 'Ada', password: 'hunter2' },
      headers: { authorization: 'Bearer hunter2', cookie: 'hunter2', 'x-api-key': 'hunter2' },
    });
    const [record] = of('Ctx', await finish());
    expect(record?.attributes).toMatchObject({ user: { name: 'Ada', password: '[Redacted]' } });
    expect(JSON.stringify(await redis.client.xrange('logs', '-', '+'))).not.toContain('hunter2');
  });
});
