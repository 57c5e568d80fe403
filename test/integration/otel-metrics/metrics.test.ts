import { metrics } from '@opentelemetry/api';
import { RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import type { LogRecord, LogStats } from 'nestjs-redis-log';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Diagnostics } from '../../../src/diagnostics.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { byAttribute, MetricPoints, only, type Point } from './metric-points.js';

const silent: Diagnostics = { info: () => {}, warn: () => {}, error: () => {} };
const resource = { attributes: { 'service.name': 'metered' } };

function record(body: string, severityNumber = 9): LogRecord {
  const hrTime: [number, number] = [1_795_000_000, 1];
  const instrumentationScope = { name: 'test' };
  const base = { hrTime, hrTimeObserved: hrTime, resource, instrumentationScope, droppedAttributesCount: 0 };
  return { ...base, severityNumber, severityText: 'log', body, attributes: {} };
}

/** Every number of the account, as the metrics tell it. */
function account(points: Map<string, Point[]>): Omit<LogStats, 'delivery'> {
  const read = (name: string): number => only(points, `redis_log.records.${name}`) ?? Number.NaN;
  return {
    emitted: read('emitted'),
    recovered: read('recovered'),
    delivered: read('delivered'),
    queued: read('queued'),
    spooled: read('spooled'),
    inFlight: read('in_flight'),
    unconfirmed: read('unconfirmed'),
    dropped: byAttribute(points, 'redis_log.records.dropped', 'redis_log.drop.reason'),
    retried: read('retried'),
    duplicatesSuppressed: read('duplicates_suppressed'),
    possibleDuplicates: read('possible_duplicates'),
    trimmedUnacknowledged: read('trimmed_unacknowledged'),
  };
}

function expected(stats: LogStats): Omit<LogStats, 'delivery'> {
  const { delivery: _, ...numbers } = stats;
  return numbers;
}

let redis: RedisServer;
let points: MetricPoints;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
afterEach(() => metrics.disable());

function withProvider(): MetricPoints {
  points = new MetricPoints();
  metrics.setGlobalMeterProvider(points.provider);
  return points;
}

function exporterTo(url: string, stream: string, queue?: number): RedisLogRecordExporter {
  const limits = queue === undefined ? {} : { queue: { maxRecords: queue } };
  return new RedisLogRecordExporter({ connection: url, stream, ...limits }, { diagnostics: silent });
}

describe('The metrics of an exporter', () => {
  it('are its account, number by number, at rest, during an outage, and after the end', async () => {
    const provider = withProvider();
    await using proxy = await startTcpProxy({ port: redis.port });
    const exporter = exporterTo(proxy.url, 'metrics:account', 50);
    for (let n = 0; n < 30; n++) exporter.emit(record(`n${n}`));
    await exporter.flush();
    expect(account(await provider.collect())).toEqual({ ...expected(exporter.stats()), delivered: 30 });

    await proxy.set({ refuse: true });
    proxy.cut();
    for (let n = 0; n < 80; n++) exporter.emit(record(`n${n}`));
    exporter.emit({} as LogRecord);
    const outage = await provider.collect();
    expect(account(outage)).toEqual(expected(exporter.stats()));
    expect(account(outage).dropped).toEqual({ queue_full: 30, rejected: 1 });
    expect(only(outage, 'otel.sdk.processor.log.queue.size')).toBe(50);

    await proxy.heal();
    await until(async () => (await exporter.flush({ timeoutMs: 100 })).pending === 0);
    await exporter.shutdown();
    exporter.emit(record('late'));
    const end = await provider.collect();
    expect(account(end)).toEqual(expected(exporter.stats()));
    expect(account(end)).toMatchObject({ emitted: 112, delivered: 80, queued: 0, inFlight: 0 });
    expect(account(end).dropped).toEqual({ queue_full: 30, rejected: 1, closed: 1 });
  });

  it('say the same under the names of the semantic conventions', async () => {
    const provider = withProvider();
    const exporter = exporterTo(redis.url, 'metrics:conventions', 20);
    for (let n = 0; n < 25; n++) exporter.emit(record(`n${n}`));
    exporter.emit({} as LogRecord);
    await exporter.shutdown();
    exporter.emit(record('late'));
    const all = await provider.collect();
    expect(byAttribute(all, 'otel.sdk.processor.log.processed', 'error.type')).toEqual({
      '': 20,
      queue_full: 5,
      rejected: 1,
      already_shutdown: 1,
    });
    expect(byAttribute(all, 'otel.sdk.exporter.log.exported', 'error.type')).toEqual({ '': 20, rejected: 1 });
    expect(only(all, 'otel.sdk.processor.log.queue.size')).toBe(0);
    expect(only(all, 'otel.sdk.processor.log.queue.capacity')).toBe(20);
    expect(only(all, 'otel.sdk.exporter.log.inflight')).toBe(0);
    for (const [name, [point]] of all) {
      expect(point?.unit, name).toBe(name === 'otel.sdk.exporter.operation.duration' ? 's' : '{log_record}');
    }
  });

  it('show records in flight while Redis is silent', async () => {
    const provider = withProvider();
    const exporter = exporterTo(redis.url, 'metrics:in-flight');
    exporter.emit(record('first'));
    await exporter.flush();
    await redis.pause();
    try {
      for (let n = 0; n < 7; n++) exporter.emit(record(`n${n}`));
      await until(() => exporter.stats().inFlight === 7);
      expect(only(await provider.collect(), 'otel.sdk.exporter.log.inflight')).toBe(7);
    } finally {
      await redis.resume();
    }
    await exporter.shutdown();
    expect(only(await provider.collect(), 'otel.sdk.exporter.log.inflight')).toBe(0);
  });

  it('count and time each write, and say what it failed of', async () => {
    const provider = withProvider();
    const exporter = exporterTo(redis.url, 'metrics:duration');
    for (let n = 0; n < 3; n++) {
      exporter.emit(record(`n${n}`));
      await exporter.flush();
    }
    const name = 'otel.sdk.exporter.operation.duration';
    const [stored] = (await provider.collect()).get(name) ?? [];
    expect(stored?.value).toBe(3);
    expect(stored?.sum).toBeGreaterThan(0);
    expect(stored?.sum).toBeLessThan(3);

    const admin = redis.client();
    await admin.config('SET', 'maxmemory', '1');
    exporter.emit(record('does not fit'));
    await until(async () => byAttribute(await provider.collect(), name, 'error.type')['OOM'] !== undefined);
    await admin.config('SET', 'maxmemory', '0');
    expect((await exporter.flush()).pending).toBe(0);
    await exporter.shutdown();
    expect(byAttribute(await provider.collect(), name, 'error.type')['']).toBe(4);
  });

  it('reach a provider that is registered after the exporter has written', async () => {
    const exporter = exporterTo(redis.url, 'metrics:late-provider');
    exporter.emit(record('before'));
    await exporter.flush();
    const provider = withProvider();
    exporter.emit(record('after'));
    await exporter.flush();
    expect(account(await provider.collect())).toEqual({ ...expected(exporter.stats()), emitted: 2 });
    await exporter.shutdown();
  });

  it('reach a provider that is registered while Redis is away', async () => {
    await using proxy = await startTcpProxy({ port: redis.port });
    await proxy.set({ refuse: true });
    const exporter = exporterTo(proxy.url, 'metrics:away');
    const provider = withProvider();
    exporter.emit(record('waits'));
    await until(async () => account(await provider.collect()).queued === 1);
    await proxy.heal();
    await until(async () => (await exporter.flush({ timeoutMs: 100 })).pending === 0);
    await exporter.shutdown();
    expect(account(await provider.collect())).toMatchObject({ delivered: 1, queued: 0 });
  });

  it('follow when another provider takes the place of the first', async () => {
    const first = withProvider();
    const exporter = exporterTo(redis.url, 'metrics:replaced');
    exporter.emit(record('one'));
    await exporter.flush();
    metrics.disable();
    const second = withProvider();
    exporter.emit(record('two'));
    await exporter.flush();
    await exporter.shutdown();
    expect(account(await second.collect()).delivered).toBe(2);
    expect(only(await first.collect(), 'redis_log.records.delivered')).toBeUndefined();
  });

  it('of two exporters carry different names of one component type', async () => {
    const provider = withProvider();
    const exporters = [exporterTo(redis.url, 'metrics:a'), exporterTo(redis.url, 'metrics:b')];
    exporters[0]?.emit(record('a'));
    for (const exporter of exporters) await exporter.shutdown();
    const emitted = (await provider.collect()).get('redis_log.records.emitted') ?? [];
    expect(emitted.map((point) => point.value)).toEqual([1, 0]);
    const names = emitted.map((point) => String(point.attributes['otel.component.name']));
    expect(new Set(names).size).toBe(2);
    for (const point of emitted) {
      expect(point.attributes['otel.component.type']).toBe('redis_stream_log_exporter');
      expect(point.attributes['otel.component.name']).toMatch(/^redis_stream_log_exporter\/\d+$/);
    }
  });

  it('never stop the logs, even when the meter provider throws', async () => {
    metrics.setGlobalMeterProvider({
      getMeter: () => {
        throw new Error('no meters today');
      },
    });
    const exporter = exporterTo(redis.url, 'metrics:throws');
    exporter.emit(record('stored all the same'));
    await exporter.shutdown();
    expect(exporter.stats().delivered).toBe(1);
  });
});
