import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger as NestjsPinoLogger, LoggerModule, PinoLogger } from 'nestjs-pino';
import { pinoRedisLog, RedisLogContext, RedisLogModule, RedisLogRecordExporter } from 'nestjs-redis-log';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { inSpan, SPAN, useActiveSpans } from '../../support/active-span.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { saidDuring, storedRecords } from '../nest/support.js';
import { declined, exporterTo } from './support.js';

const redis = useRedisServer();
useActiveSpans();

describe('pino with pinoRedisLog()', () => {
  it('stores level, time, message, bindings and error of every record', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = pino({ level: 'trace' }, pinoRedisLog({ exporter }));
    const before = Date.now();
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
      logger[level]('as said');
    logger.child({ context: 'OrdersService', tenant: 7 }).error({ err: declined(), orderId: 1 }, 'failed');
    const records = await finish();
    expect(
      records.slice(0, 6).map(({ severityText, severityNumber }) => [severityText, severityNumber]),
    ).toEqual([
      ['trace', 1],
      ['debug', 5],
      ['info', 9],
      ['warn', 13],
      ['error', 17],
      ['fatal', 21],
    ]);
    const failed = records[6];
    expect(failed?.instrumentationScope.name).toBe('OrdersService');
    expect(failed?.body).toBe('failed');
    expect(failed?.attributes).toMatchObject({
      tenant: 7,
      orderId: 1,
      'exception.type': 'TypeError',
      'exception.code': 'E_CARD',
      'exception.message': expect.stringContaining('declined'),
      'exception.stacktrace': expect.stringMatching(/pino|support\.ts/),
    });
    expect(Object.keys(failed?.attributes ?? {})).not.toContain('pid');
    const [seconds, nanoseconds] = failed?.hrTime ?? [0, 0];
    expect(seconds * 1_000 + nanoseconds / 1e6).toBeGreaterThanOrEqual(before - 1);
  });

  it('stores the chain of causes where pino is told to write it', async () => {
    const { exporter, finish } = exporterTo(redis);
    const serializers = { err: pino.stdSerializers.errWithCause };
    pino({ serializers }, pinoRedisLog({ exporter })).error(declined());
    const [record] = await finish();
    expect(record?.attributes).toMatchObject({
      'exception.message': 'declined',
      'exception.cause.type': 'Error',
      'exception.cause.message': 'quota',
    });
  });

  it('reads every clock and every key that pino can be set to', async () => {
    const { exporter, finish } = exporterTo(redis);
    const clocks = [
      pino.stdTimeFunctions.epochTime,
      pino.stdTimeFunctions.unixTime,
      pino.stdTimeFunctions.isoTime,
    ];
    for (const timestamp of clocks) pino({ timestamp }, pinoRedisLog({ exporter })).info('m');
    const keys = { messageKey: 'message', errorKey: 'error' };
    const formatters = { level: (label: string) => ({ level: label }) };
    pino({ ...keys, formatters }, pinoRedisLog({ exporter, ...keys, contextKey: 'where' })).error(
      { where: 'Ctx', error: declined() },
      'renamed',
    );
    const records = await finish();
    for (const { hrTime } of records) expect(Math.abs(hrTime[0] - Date.now() / 1_000)).toBeLessThan(60);
    expect(records[3]).toMatchObject({
      severityText: 'error',
      body: 'renamed',
      instrumentationScope: { name: 'Ctx' },
    });
    expect(records[3]?.attributes).toMatchObject({ 'exception.type': 'TypeError' });
    expect(records[3]?.attributes['error']).toBeUndefined();
  });

  it('has the span and the context attributes of the call', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = pino(pinoRedisLog({ exporter }));
    inSpan(() => logger.info('in a span'));
    RedisLogContext.run({ 'tenant.id': 'acme' }, () => logger.info('in a context'));
    logger.info({ trace_id: SPAN.traceId, span_id: SPAN.spanId, trace_flags: '01' }, 'instrumented');
    const [spanned, inContext, instrumented] = await finish();
    expect(spanned?.spanContext).toMatchObject(SPAN);
    expect(inContext?.attributes).toEqual({ 'tenant.id': 'acme' });
    expect(instrumented?.spanContext).toMatchObject(SPAN);
    expect(instrumented?.attributes).toEqual({});
  });

  it('hides what is secret by default, and what the exporter is told to hide', async () => {
    const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs', redact: ['card'] });
    const logger = pino(pinoRedisLog({ exporter }));
    logger.info({ card: 'hunter2', req: { headers: { cookie: 'hunter2' } } }, 'to redis://u:hunter2@h');
    await exporter.shutdown();
    expect(JSON.stringify(await redis.client.xrange('logs', '-', '+'))).not.toContain('hunter2');
    expect(await redis.client.xlen('logs')).toBe(1);
  });

  it('keeps a line that is no JSON as text, and never throws', async () => {
    const { exporter, finish } = exporterTo(redis);
    const stream = pinoRedisLog({ exporter });
    for (const line of ['[12:00] INFO: pretty\n', '{"level":30', '[]', '{"level":{},"time":"never"}', ''])
      stream.write(line);
    const records = await finish();
    expect(records.map(({ body }) => body)).toEqual(['[12:00] INFO: pretty', '{"level":30', '[]', undefined]);
    const said = await saidDuring(async () => stream.write('{"level":30,"msg":"late"}'));
    expect(exporter.stats().dropped).toEqual({ closed: 1 });
    expect(said.join()).not.toContain('could not be read');
  });

  it('has stored everything when its flush() calls back', async () => {
    const { exporter, finish } = exporterTo(redis);
    const logger = pino(pinoRedisLog({ exporter }));
    for (let n = 0; n < 1_000; n++) logger.info({ n }, 'one of many');
    await new Promise<void>((resolve) => logger.flush(() => resolve()));
    expect(await redis.client.xlen('logs')).toBe(1_000);
    await finish();
  });

  it('asks for an exporter where there is none', () => {
    expect(() => pinoRedisLog({} as never)).toThrow(/exporter is missing/);
  });
});

describe('nestjs-pino with pinoRedisLog()', () => {
  @Controller()
  class HelloController {
    readonly #logger: PinoLogger;

    constructor(logger: PinoLogger) {
      logger.setContext('HelloController');
      this.#logger = logger;
    }

    @Get('hello')
    hello(): string {
      this.#logger.info({ orderId: 7 }, 'Order placed');
      return 'hello';
    }
  }

  @Module({
    imports: [
      RedisLogModule.forRootAsync({
        useFactory: () => ({ connection: redis.url, stream: 'logs', console: false as const }),
      }),
      LoggerModule.forRootAsync({
        inject: [RedisLogRecordExporter],
        useFactory: (exporter: RedisLogRecordExporter) => ({
          pinoHttp: { stream: pino.multistream([{ stream: pinoRedisLog({ exporter }) }]) },
        }),
      }),
    ],
    controllers: [HelloController],
  })
  class AppModule {}

  it('puts its request log and its services’ records into the stream, up to the shutdown', async () => {
    const app = await NestFactory.create(AppModule, { bufferLogs: true, abortOnError: false });
    app.useLogger(app.get(NestjsPinoLogger));
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const headers = { authorization: 'Bearer hunter2' };
    await (await fetch(`http://127.0.0.1:${port}/hello`, { headers })).text();
    await app.close();
    const records = await storedRecords(redis.server, 'logs');
    const placed = records.find(({ body }) => body === 'Order placed');
    expect(placed?.instrumentationScope.name).toBe('HelloController');
    expect(placed?.attributes).toMatchObject({ orderId: 7, req: { method: 'GET', url: '/hello' } });
    expect(records.filter(({ body }) => body === 'request completed')).toHaveLength(1);
    expect(records.some(({ body }) => String(body).includes('successfully started'))).toBe(true);
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });
});
