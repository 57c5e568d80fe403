import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as api from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { RedisBatchLogRecordProcessor, RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { connections, lines, storedRecords } from '../nest/support.js';
import { unregister } from './support.js';

let redis: RedisServer;
let exporter: RedisLogRecordExporter;
beforeAll(async () => {
  // This is about logs: without a collector the exporters of the others would keep trying until shutdown.
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'none');
  vi.stubEnv('OTEL_METRICS_EXPORTER', 'none');
  redis = await startRedisServer();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await redis.stop();
});
beforeEach(async () => {
  await redis.client().flushall();
  exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs' });
});
afterEach(async () => {
  await exporter.shutdown();
  unregister();
});

const stored = (): Promise<LogRecord[]> => storedRecords(redis, 'logs');

describe('Behind the OpenTelemetry SDK', () => {
  it('a NodeSDK with our processor stores what goes through the global logs API', async () => {
    const resource = resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3' });
    const logRecordProcessors = [new RedisBatchLogRecordProcessor({ exporter })];
    const sdk = new NodeSDK({
      resource,
      autoDetectResources: false,
      logRecordProcessors,
      instrumentations: [],
    });
    sdk.start();
    const logger = api.logs.getLogger('checkout', '2.0.0');
    logger.emit({
      severityNumber: 17,
      severityText: 'ERROR',
      body: { order: [1, null, 'two'] },
      eventName: 'order.failed',
      attributes: { ratio: Number.NaN, bytes: new Uint8Array([1, 2]), deep: { a: [true] } },
    });
    await sdk.shutdown();
    const [record] = await stored();
    expect(record).toMatchObject({
      severityNumber: 17,
      severityText: 'ERROR',
      body: { order: [1, null, 'two'] },
      eventName: 'order.failed',
      instrumentationScope: { name: 'checkout', version: '2.0.0' },
      attributes: { ratio: Number.NaN, bytes: new Uint8Array([1, 2]), deep: { a: [true] } },
    });
    const [text] = await redis.client().hvals('{logs}:resources');
    expect(JSON.parse(String(text))).toMatchObject({
      attributes: { 'service.name': 'shop', 'service.version': '1.2.3' },
    });
    expect(exporter.isClosed).toBe(true);
  });

  it('10,000 records emitted in one tick are all stored, in order', async () => {
    const provider = new LoggerProvider({ processors: [new RedisBatchLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('burst');
    for (let n = 0; n < 10_000; n++)
      logger.emit({ severityNumber: 9, body: `record ${n}`, attributes: { n } });
    await provider.forceFlush();
    const numbers = (await stored()).map(({ attributes }) => attributes['n']);
    expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
    expect(exporter.stats()).toMatchObject({ emitted: 10_000, delivered: 10_000, queued: 0, dropped: {} });
    await provider.shutdown();
  });

  it.each([
    [
      'BatchLogRecordProcessor',
      (): LogRecordProcessor => new BatchLogRecordProcessor({ exporter, maxExportBatchSize: 10 }),
    ],
    ['SimpleLogRecordProcessor', (): LogRecordProcessor => new SimpleLogRecordProcessor({ exporter })],
  ])('the exporter works with the %s of the SDK', async (_name, processor) => {
    const provider = new LoggerProvider({ processors: [processor()] });
    for (let n = 0; n < 100; n++) provider.getLogger('sdk').emit({ body: n });
    await provider.forceFlush();
    await provider.shutdown();
    expect((await stored()).map(({ body }) => body)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(exporter.isClosed).toBe(true);
  });

  it('a record is not changed by redaction for the processors after ours', async () => {
    await exporter.shutdown();
    exporter = new RedisLogRecordExporter({
      connection: redis.url,
      stream: 'logs',
      redact: ['card.number', '**.token'],
    });
    const seen: unknown[] = [];
    const after: LogRecordProcessor = {
      onEmit: ({ attributes, body }) => seen.push({ attributes, body }),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
    const processors = [new RedisBatchLogRecordProcessor({ exporter }), after];
    const provider = new LoggerProvider({ processors });
    const content = { body: { token: 'geheim' }, attributes: { card: { number: 'geheim', kind: 'x' } } };
    provider.getLogger('sdk').emit(content);
    await provider.shutdown();
    expect(seen).toEqual([content]);
    const [record] = await stored();
    expect(record?.body).toEqual({ token: '[Redacted]' });
    expect(record?.attributes).toEqual({ card: { number: '[Redacted]', kind: 'x' } });
  });
});

describe('An SDK and a Nest application that share an exporter', () => {
  async function start(): Promise<{ sdk: NodeSDK; logger: RedisLogger; close: () => Promise<void> }> {
    const resource = resourceFromAttributes({ 'service.name': 'shop' });
    const logRecordProcessors = [new RedisBatchLogRecordProcessor({ exporter })];
    const sdk = new NodeSDK({
      resource,
      autoDetectResources: false,
      logRecordProcessors,
      instrumentations: [],
    });
    sdk.start();
    class AppModule {}
    Module({ imports: [RedisLogModule.forRoot({ exporter, console: false })] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    app.useLogger(app.get(RedisLogger));
    return { sdk, logger: app.get(RedisLogger), close: () => app.close() };
  }

  it('have one queue, one connection and one account, and keep the order', async () => {
    const { sdk, logger, close } = await start();
    for (let n = 0; n < 50; n++) {
      new Logger('OrdersService').log(`nest ${n}`);
      api.logs.getLogger('library').emit({ body: `sdk ${n}` });
    }
    await logger.flush();
    expect(await connections(redis)).toBe(1);
    expect(logger.stats()).toEqual(exporter.stats());
    expect(logger.stats()).toMatchObject({ emitted: 100, delivered: 100 });
    const expected = Array.from({ length: 50 }, (_, n) => [
      `OrdersService: nest ${n}`,
      `library: sdk ${n}`,
    ]).flat();
    expect(lines(await stored())).toEqual(expected);
    await close();
    await sdk.shutdown();
  });

  it('lose nothing when the SDK is shut down first, as its own SIGTERM handler does', async () => {
    const { sdk, close } = await start();
    api.logs.getLogger('library').emit({ body: 'before' });
    await sdk.shutdown();
    new Logger('OrdersService').log('after the SDK');
    await close();
    expect(lines(await stored())).toEqual(['library: before', 'OrdersService: after the SDK']);
    expect(exporter.isClosed).toBe(true);
  });
});
