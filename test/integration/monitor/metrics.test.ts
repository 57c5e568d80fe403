import { readFileSync } from 'node:fs';
import * as api from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { MetricPoints, type Point } from '../otel-metrics/metric-points.js';
import { add, addCounts, GROUP, read, STREAM, watching } from './support.js';

const redis = useRedisServer();
afterEach(() => api.metrics.disable());

/** Names as the OpenTelemetry Collector and SDKs translate them for Prometheus. */
function prometheusName(name: string, unit: string, isCounter: boolean): string {
  const suffixes: Record<string, string> = { s: '_seconds', By: '_bytes', '1': '_ratio' };
  return `${name.replaceAll('.', '_')}${suffixes[unit] ?? ''}${isCounter ? '_total' : ''}`;
}

const COUNTERS = new Set(['redis.stream.entries.added', 'redis.evicted.keys']);

async function collected(): Promise<Map<string, Point[]>> {
  const { client } = redis;
  const points = new MetricPoints();
  api.metrics.setGlobalMeterProvider(points.provider);
  await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  await add(client, 10);
  await read(client, 4);
  await addCounts(client);
  await using monitor = watching(redis.url, { metrics: true, gaps: true, retention: { maxLength: 100 } });
  await monitor.sample();
  await client.xadd(STREAM, '*', 'producer', 'p1', 'seq', 1);
  await client.xadd(STREAM, '*', 'producer', 'p1', 'seq', 4);
  await client.set(`{${STREAM}}:guard:p1`, '4 0 0 1');
  await add(client, 38);
  await monitor.sample();
  const all = await points.collect();
  const named = [...all].map(([name, list]) => [
    prometheusName(name, list[0]?.unit ?? '', COUNTERS.has(name)),
    list,
  ]);
  return new Map(named as [string, Point[]][]);
}

/** What redis_exporter 1.88 says of streams and servers, of the names that we share. */
const OF_REDIS_EXPORTER = [
  'redis_stream_length',
  'redis_stream_entries_added_total',
  'redis_stream_groups',
  'redis_stream_group_consumers',
  'redis_stream_group_messages_pending',
  'redis_stream_group_lag',
  'redis_stream_group_entries_read',
  'redis_stream_group_consumer_messages_pending',
  'redis_stream_group_consumer_idle_seconds',
  'redis_memory_used_bytes',
  'redis_memory_max_bytes',
  'redis_evicted_keys_total',
];

describe('The metrics of the monitor', () => {
  it('have the names of redis_exporter after translation, its labels, and the figures of the sample', async () => {
    const points = await collected();
    expect([...points.keys()]).toEqual(expect.arrayContaining(OF_REDIS_EXPORTER));
    const only = (name: string): Point | undefined => points.get(name)?.[0];
    expect(only('redis_stream_length')).toMatchObject({ value: 50, attributes: { stream: STREAM } });
    expect(only('redis_stream_entries_added_total')?.value).toBe(50);
    expect(only('redis_stream_group_lag')).toMatchObject({
      value: 46,
      attributes: { stream: STREAM, group: GROUP },
    });
    expect(only('redis_stream_group_messages_pending')?.value).toBe(4);
    expect(only('redis_stream_group_retention_used_ratio')?.value).toBe(0.5);
    expect(only('redis_stream_group_consumer_idle_seconds')?.attributes).toEqual({
      stream: STREAM,
      group: GROUP,
      consumer: 'c1',
    });
    expect(only('redis_stream_readable')?.value).toBe(1);
    expect(only('redis_stream_records_missing')?.value).toBe(2);
    expect(only('redis_persistence_ok')?.value).toBe(1);
    expect(only('redis_stream_errors_recent')).toMatchObject({ value: 6, attributes: { stream: STREAM } });
    expect(only('redis_stream_errors_share_ratio')?.value).toBe(6 / 40);
    expect(only('redis_stream_errors_share_usual_ratio')?.value).toBe(1 / 20);
    const statuses = points.get('redis_stream_group_status') ?? [];
    expect(statuses.filter(({ value }) => value === 1).map(({ attributes }) => attributes['status'])).toEqual(
      ['OK'],
    );
  });

  it('say of a stream that cannot be read nothing but that', async () => {
    const points = new MetricPoints();
    api.metrics.setGlobalMeterProvider(points.provider);
    await redis.client.set(STREAM, 'no stream');
    await using monitor = watching(redis.url, { metrics: true });
    await monitor.sample();
    const all = await points.collect();
    expect(all.get('redis.stream.readable')).toMatchObject([{ value: 0, attributes: { stream: STREAM } }]);
    expect(all.get('redis.stream.length') ?? []).toEqual([]);
  });

  it('of every group are what the board lets one choose groups by, be its lag known or not', async () => {
    const points = new MetricPoints();
    api.metrics.setGlobalMeterProvider(points.provider);
    const ids = await add(redis.client, 20);
    await redis.client.xgroup('CREATE', STREAM, GROUP, ids[3] ?? '');
    await redis.client.xdel(STREAM, ids[15] ?? '');
    await using monitor = watching(redis.url, { metrics: true, countLimit: 0 });
    await monitor.sample();
    const named = [...(await points.collect())].map(([name, list]) => [name.replaceAll('.', '_'), list]);
    const all = new Map(named as [string, Point[]][]);
    expect(all.get('redis_stream_group_lag') ?? []).toEqual([]);
    const text = readFileSync(
      new URL('../../../deploy/grafana/redis-log-board.json', import.meta.url),
      'utf8',
    );
    const [, metric = ''] = /label_values\((\w+), group\)/.exec(text) ?? [];
    expect(all.get(metric)?.map(({ attributes }) => attributes['group'])).toEqual([GROUP]);
  });

  it('are all that the files in deploy ask for, beside those of redis_exporter and of the exporter of logs', async () => {
    const points = await collected();
    const known = new Set([...points.keys(), ...OF_REDIS_EXPORTER, 'redis_log_records_dropped_total']);
    // These have points only when there is something to say.
    known.add('redis_stream_group_loss_forecast_seconds');
    // A label.
    known.add('redis_log_drop_reason');
    const files = ['prometheus/redis-log-rules.yaml', 'grafana/redis-log-board.json'];
    for (const file of files) {
      const text = readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8');
      const asked = new Set(text.match(/\bredis_(?:stream|memory|evicted|persistence|log)_[a-z_]+/g));
      expect(asked.size).toBeGreaterThan(5);
      expect([...asked].filter((name) => !known.has(name))).toEqual([]);
    }
  });
});
