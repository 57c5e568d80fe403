import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WINSTON_MODULE_NEST_PROVIDER, WinstonModule } from 'nest-winston';
import {
  RedisLogContext,
  RedisLogModule,
  RedisLogRecordExporter,
  RedisLogWinstonTransport,
} from 'nestjs-redis-log';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import winston from 'winston';
import { inSpan, SPAN, useActiveSpans } from '../../support/active-span.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { storedRecords } from '../nest/support.js';
import { declined, exporterTo } from './support.js';

const redis = useRedisServer();
useActiveSpans();

describe('winston with RedisLogWinstonTransport', () => {
  it('stores level, message and parameters of every record', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = winston.createLogger({
      level: 'silly',
      format: winston.format.combine(
        winston.format.splat(),
        winston.format.colorize(),
        winston.format.timestamp(),
        winston.format.json(),
      ),
      transports: [new RedisLogWinstonTransport({ exporter })],
      defaultMeta: { tenant: 7 },
    });
    for (const level of ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'])
      logger.log(level, 'as said');
    logger.child({ context: 'OrdersService' }).info('Order %s placed', 'A', { orderId: 1 });
    const records = await finish();
    expect(
      records.slice(0, 7).map(({ severityText, severityNumber }) => [severityText, severityNumber]),
    ).toEqual([
      ['error', 17],
      ['warn', 13],
      ['info', 9],
      ['http', 7],
      ['verbose', 6],
      ['debug', 5],
      ['silly', 1],
    ]);
    expect(records[7]?.instrumentationScope.name).toBe('OrdersService');
    expect(records[7]?.attributes).toEqual({ tenant: 7, orderId: 1 });
  });

  it('stores an error with its code and cause, however it was logged', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = winston.createLogger({ transports: [new RedisLogWinstonTransport({ exporter })] });
    logger.error('failed', declined());
    logger.error('failed', { error: declined() });
    logger.error('failed', { err: declined() });
    logger.error(declined());
    const records = await finish();
    expect(records).toHaveLength(4);
    for (const { attributes, body } of records) {
      expect(String(body)).toMatch(/failed|declined/);
      expect(attributes).toMatchObject({
        'exception.type': 'TypeError',
        'exception.message': 'declined',
        'exception.code': 'E_CARD',
        'exception.cause.message': 'quota',
        'exception.stacktrace': expect.stringContaining('support.ts'),
      });
      expect(Object.keys(attributes).filter((name) => !/^exception|^err$/.test(name))).toEqual([]);
    }
  });

  it('stores an error as it was, also after winston has written its level into it', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = winston.createLogger({ transports: [new RedisLogWinstonTransport({ exporter })] });
    const error = declined();
    logger.error(error);
    logger.error('again', error);
    for (const { attributes } of await finish()) {
      expect(attributes).toMatchObject({ 'exception.type': 'TypeError', 'exception.code': 'E_CARD' });
      expect(attributes).not.toHaveProperty('exception.level');
      expect(attributes).not.toHaveProperty('level');
    }
  });

  it('keeps to the level of its logger, or to one of its own, also when that changes', async () => {
    const { exporter, finish } = exporterTo(redis);
    const own = new RedisLogWinstonTransport({ exporter, level: 'warn' });
    const logger = winston.createLogger({ level: 'info', transports: [own] });
    logger.info('too little');
    logger.warn('enough');
    delete own.level;
    logger.info('as the logger has it');
    logger.debug('not yet');
    logger.level = 'debug';
    logger.debug('now');
    expect((await finish()).map(({ body }) => body)).toEqual(['enough', 'as the logger has it', 'now']);
  });

  it('has the span and the context attributes of the call', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = winston.createLogger({ transports: [new RedisLogWinstonTransport({ exporter })] });
    inSpan(() => logger.info('in a span'));
    RedisLogContext.run({ 'tenant.id': 'acme' }, () => logger.info('in a context'));
    const [spanned, inContext] = await finish();
    expect(spanned?.spanContext).toMatchObject(SPAN);
    expect(inContext?.attributes).toEqual({ 'tenant.id': 'acme' });
  });

  it('hides what is secret by default', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = winston.createLogger({ transports: [new RedisLogWinstonTransport({ exporter })] });
    logger.info('to redis://u:hunter2@h', { password: 'hunter2', headers: { Authorization: 'hunter2' } });
    expect(JSON.stringify(await finish())).not.toContain('hunter2');
    expect(await redis.client.xlen('logs')).toBe(1);
  });

  it('has stored everything when it is finished, and leaves the exporter open', async () => {
    const { exporter, finish } = exporterTo(redis);
    const transport = new RedisLogWinstonTransport({ exporter });
    const logger = winston.createLogger({ transports: [transport] });
    for (let n = 0; n < 1_000; n++) logger.info('one of many', { n });
    logger.end();
    await once(transport, 'finish');
    expect(await redis.client.xlen('logs')).toBe(1_000);
    expect(exporter.isClosed).toBe(false);
    await finish();
  });

  it('asks for an exporter where there is none', () => {
    expect(() => new RedisLogWinstonTransport({} as never)).toThrow(/exporter is missing/);
  });
});

describe('nest-winston with RedisLogWinstonTransport', () => {
  @Module({
    imports: [
      RedisLogModule.forRootAsync({
        useFactory: () => ({ connection: redis.url, stream: 'logs', console: false as const }),
      }),
      WinstonModule.forRootAsync({
        inject: [RedisLogRecordExporter],
        useFactory: (exporter: RedisLogRecordExporter) => ({
          transports: [new RedisLogWinstonTransport({ exporter })],
        }),
      }),
    ],
  })
  class AppModule {}

  it('puts what Nest and its services log into the stream, up to the shutdown', async () => {
    const app = await NestFactory.createApplicationContext(AppModule, {
      bufferLogs: true,
      abortOnError: false,
    });
    app.useLogger(app.get(WINSTON_MODULE_NEST_PROVIDER));
    new Logger('OrdersService').log('Order placed');
    new Logger('OrdersService').error(declined());
    await app.close();
    const records = await storedRecords(redis.server, 'logs');
    const orders = records.filter(
      ({ instrumentationScope }) => instrumentationScope.name === 'OrdersService',
    );
    expect(orders.map(({ body }) => body)).toEqual(['Order placed', 'declined']);
    expect(orders[1]?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.cause.message': 'quota',
    });
    expect(records.length).toBeGreaterThan(2);
  });
});
