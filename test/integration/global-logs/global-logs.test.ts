import { createRequire } from 'node:module';
import { context, logs, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { logs as apiLogs } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BunyanInstrumentation } from '@opentelemetry/instrumentation-bunyan';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { OpenTelemetryTransportV3 } from '@opentelemetry/winston-transport';
import { decodeLogRecord, type LogRecord } from 'nestjs-redis-log/core';
import { RedisLogRecordExporter, registerGlobalLogs } from 'nestjs-redis-log/otel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import winston from 'winston';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

// Made before pino and bunyan are loaded, as their manuals want it: they patch what `require` gives.
const instrumentations = [new PinoInstrumentation(), new BunyanInstrumentation()];
const require = createRequire(import.meta.url);
const pino = require('pino') as typeof import('pino').pino;
const bunyan = require('bunyan') as { createLogger(options: object): BunyanLogger };

interface BunyanLogger {
  warn(fields: object, message: string): void;
}

const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const nowhere = { write: (): boolean => true };

let redis: RedisServer;
let exporter: RedisLogRecordExporter;
let said: string[];
let unregister: () => void;
let streams = 0;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  redis = await startRedisServer();
});
afterAll(async () => {
  for (const each of instrumentations) each.disable();
  context.disable();
  await redis.stop();
});

beforeEach(() => {
  said = [];
  exporter = new RedisLogRecordExporter({
    connection: redis.url,
    service: { name: 'bridged' },
    stream: `global-logs:${streams++}`,
  });
  unregister = register();
});
afterEach(async () => {
  unregister();
  await exporter.shutdown();
  logs.disable();
  apiLogs.disable();
});

function register(): () => void {
  const take = (_key: string, message: string): void => void said.push(message);
  return registerGlobalLogs(exporter, { diagnostics: { info: take, warn: take, error: take } });
}

function inSpan(work: () => void): void {
  context.with(trace.setSpanContext(ROOT_CONTEXT, span), work);
}

/** Everything in the stream, decoded. */
async function stored(): Promise<LogRecord[]> {
  await exporter.flush();
  const entries = await redis.client().xrange(String(exporter.options.stream), '-', '+');
  return entries.map(([, fields]) => {
    const result = decodeLogRecord(fields);
    if (result.status !== 'ok') throw new Error(result.reason);
    return result.record;
  });
}

describe('Log lines of libraries that use the global Logs API end up in the stream', () => {
  it('those of pino, with instrumentation-pino', async () => {
    const logger = pino({}, nowhere);
    inSpan(() =>
      logger.error({ orderId: 7, items: ['a', 'b'], err: new TypeError('no stock') }, 'Order failed'),
    );
    const [record] = await stored();
    expect(record).toMatchObject({
      body: 'Order failed',
      severityNumber: 17,
      severityText: 'error',
      spanContext: span,
      instrumentationScope: { name: '@opentelemetry/instrumentation-pino' },
      attributes: { orderId: 7, items: ['a', 'b'] },
    });
    expect(record?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'no stock',
    });
    expect(record?.attributes['exception.stacktrace']).toContain('global-logs.test');
  });

  it('those of bunyan, with instrumentation-bunyan', async () => {
    const logger = bunyan.createLogger({ name: 'shop', streams: [{ stream: nowhere }] });
    inSpan(() => logger.warn({ orderId: 8, nested: { deep: true } }, 'Stock is low'));
    expect(await stored()).toEqual([
      expect.objectContaining({
        body: 'Stock is low',
        severityNumber: 13,
        severityText: 'warn',
        spanContext: expect.objectContaining(span),
        instrumentationScope: expect.objectContaining({ name: '@opentelemetry/instrumentation-bunyan' }),
        attributes: expect.objectContaining({ orderId: 8, nested: { deep: true } }),
      }),
    ]);
  });

  it('those of winston, with winston-transport, which knows only the older API', async () => {
    const logger = winston.createLogger({ level: 'debug', transports: [new OpenTelemetryTransportV3()] });
    inSpan(() => {
      logger.info('Paid', { amount: 9.5, card: { brand: 'visa' } });
      logger.error('Refused', { error: new RangeError('limit') });
    });
    const records = await stored();
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({
      body: 'Paid',
      severityNumber: 9,
      severityText: 'info',
      spanContext: span,
      instrumentationScope: { name: '@opentelemetry/winston-transport' },
      attributes: { amount: 9.5, card: { brand: 'visa' } },
    });
    expect(records[1]).toMatchObject({ body: 'Refused', severityNumber: 17 });
    expect(records[1]?.attributes).toMatchObject({
      'exception.type': 'RangeError',
      'exception.message': 'limit',
    });
  });

  it('those of loggers that were made before the registration', async () => {
    unregister();
    const newer = logs.getLogger('early');
    const transport = new OpenTelemetryTransportV3();
    unregister = register();
    newer.emit({ body: 'through @opentelemetry/api' });
    // The older API is asked through its own module, which takes a moment to load.
    const older = winston.createLogger({ transports: [transport] });
    await until(() => {
      older.info('through @opentelemetry/api-logs');
      return exporter.stats().emitted > 1;
    });
    const bodies = (await stored()).map(({ body }) => body);
    expect(bodies).toEqual(['through @opentelemetry/api', 'through @opentelemetry/api-logs']);
  });

  it('with the resource of the exporter, the time given, and the scope of the logger', async () => {
    const logger = logs.getLogger('lib', '1.2.3', { schemaUrl: 'https://x.example/1', attributes: { a: 1 } });
    logger.emit({ body: 'date', timestamp: new Date(1_795_000_000_123) });
    logger.emit({
      body: 'hr',
      timestamp: [1_795_000_000, 123_456_789],
      observedTimestamp: 1_795_000_001_000,
    });
    logger.emit({ body: 'clock', timestamp: performance.now(), eventName: 'order.placed' });
    const before = Date.now();
    logger.emit({ body: 'now' });
    const [date, hr, clock, now] = await stored();
    expect(date?.hrTime).toEqual([1_795_000_000, 123_000_000]);
    expect(hr?.hrTime).toEqual([1_795_000_000, 123_456_789]);
    expect(hr?.hrTimeObserved).toEqual([1_795_000_001, 0]);
    expect(Math.abs(Number(clock?.hrTime[0]) - Math.floor(before / 1000))).toBeLessThanOrEqual(2);
    expect(clock?.eventName).toBe('order.placed');
    expect(now?.hrTime[0]).toBeGreaterThanOrEqual(Math.floor(before / 1000));
    expect(hr?.instrumentationScope).toMatchObject({
      name: 'lib',
      version: '1.2.3',
      schemaUrl: 'https://x.example/1',
      attributes: { a: 1 },
    });
    const fields = await redis.client().xrange(String(exporter.options.stream), '-', '+', 'COUNT', 1);
    expect(fields[0]?.[1]).toContain('bridged');
  });

  it('in the span of the context that was handed over, or in none', async () => {
    const logger = logs.getLogger('lib');
    logger.emit({ body: 'handed over', context: trace.setSpanContext(ROOT_CONTEXT, span) });
    inSpan(() => logger.emit({ body: 'outside', context: ROOT_CONTEXT }));
    const [inside, outside] = await stored();
    expect(inside?.spanContext).toMatchObject(span);
    expect(outside?.spanContext).toBeUndefined();
  });

  it('with an exception described, unless the library describes it itself', async () => {
    const logger = logs.getLogger('lib');
    const exception = Object.assign(new Error('down', { cause: new Error('cable') }), { code: 'E_NET' });
    logger.emit({ exception });
    logger.emit({ exception, attributes: { 'exception.type': 'Outage' } });
    const [plain, own] = await stored();
    expect(plain?.attributes).toMatchObject({
      'exception.type': 'Error',
      'exception.message': 'down',
      'exception.code': 'E_NET',
      'exception.cause.message': 'cable',
    });
    expect(own?.attributes).toMatchObject({ 'exception.type': 'Outage', 'exception.message': 'down' });
  });
});

describe('A library cannot do harm through the global Logs API', () => {
  it('by values that are not of the data model, or that throw', async () => {
    const logger = logs.getLogger('hostile');
    const circular: Record<string, unknown> = { map: new Map([['k', 1n]]), date: new Date(0) };
    circular['self'] = circular;
    const trap = {
      body: 'trapped',
      get attributes(): never {
        throw new Error('gotcha');
      },
      severityNumber: 'loud',
      timestamp: Number.NaN,
    };
    logger.emit({ body: circular, attributes: { fn: () => 1, big: 2n ** 70n } });
    logger.emit(trap as never);
    logger.emit(null as never);
    logger.emit({ context: 'none' as never, body: 'no context' });
    const records = await stored();
    expect(records).toHaveLength(4);
    expect(records[0]?.body).toMatchObject({ map: { k: '1' }, date: '1970-01-01T00:00:00.000Z' });
    expect(records[0]?.attributes['big']).toBe(String(2n ** 70n));
    expect(records[1]).toMatchObject({ body: 'trapped', severityNumber: undefined });
    expect(records[3]?.body).toBe('no context');
    expect(exporter.stats().dropped).toEqual({});
  });

  it('by changing an object after it was logged', async () => {
    const body = { state: 'then' };
    logs.getLogger('lib').emit({ body, attributes: { body } });
    body.state = 'now';
    const [record] = await stored();
    expect(record).toMatchObject({ body: { state: 'then' }, attributes: { body: { state: 'then' } } });
  });

  it('by asking for ever new loggers', () => {
    const first = logs.getLogger('same');
    expect(logs.getLogger('same')).toBe(first);
    expect(logs.getLogger('same', '2')).not.toBe(first);
    for (let n = 0; n < 1_500; n++) logs.getLogger(`logger ${n}`);
    expect(logs.getLogger('same')).not.toBe(first);
  });
});

describe('The registration', () => {
  it('tells libraries by enabled() whether logging is worth its while', async () => {
    const logger = logs.getLogger('lib');
    expect(logger.enabled()).toBe(true);
    await exporter.shutdown();
    expect(logger.enabled()).toBe(false);
  });

  it('can be taken back, also from loggers that libraries still hold', async () => {
    const newer = logs.getLogger('lib');
    const older = apiLogs.getLogger('lib');
    unregister();
    for (const logger of [newer, older, logs.getLogger('lib'), apiLogs.getLogger('lib')]) {
      logger.emit({ body: 'nowhere' });
      expect(logger.enabled()).toBe(false);
    }
    expect(exporter.stats().emitted).toBe(0);
  });

  it('does not replace an SDK that was there before, says so, and leaves it when it is taken back', async () => {
    unregister();
    const sdk = new LoggerProvider();
    logs.setGlobalLoggerProvider(sdk);
    apiLogs.setGlobalLoggerProvider({ getLogger: () => logs.getLogger('older SDK') as never });
    const olderSdk = apiLogs.getLoggerProvider();
    register()();
    expect(logs.getLoggerProvider()).toBe(sdk);
    expect(apiLogs.getLoggerProvider()).toBe(olderSdk);
    expect(said).toEqual([
      expect.stringMatching(/@opentelemetry\/api is another one, and stays.*RedisBatchLogRecordProcessor/),
      expect.stringMatching(/@opentelemetry\/api-logs is another one, and stays/),
    ]);
    await sdk.shutdown();
  });

  it('is not replaced by an SDK that comes later', () => {
    expect(logs.setGlobalLoggerProvider(new LoggerProvider())).toBe(false);
    apiLogs.setGlobalLoggerProvider({ getLogger: () => logs.getLogger('late') as never });
    logs.getLogger('lib').emit({ body: 'still ours' });
    apiLogs.getLogger('lib').emit({ body: 'still ours too' });
    expect(exporter.stats().emitted).toBe(2);
    expect(said).toEqual([]);
  });
});
