import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import * as api from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { LogConsumer, replayDeadLetters } from 'nestjs-redis-log/consumer';
import { aclRules, RedisLogWriter } from 'nestjs-redis-log/core';
import { afterEach, describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { consume, deadLetters, numbered, pending, STREAM, write } from './support.js';

const redis = useRedisServer();

describe('A record that is logged inside a handler', () => {
  it('of its own stream is printed instead, counted as feedback, and warned of once; others are written', async () => {
    const lines: string[] = [];
    const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
    const options = { connection: redis.url, stream: STREAM };
    await using writer = new RedisLogWriter(options, { diagnostics });
    await using other = new RedisLogWriter({ ...options, stream: 'logs:etl' });
    for (const body of numbered(3)) writer.emit({ body });
    await using running = consume({ connection: redis.url, batchSize: 1 }, async () => {
      other.emit({ body: 'elsewhere' });
      expect(writer.emit({ body: 'stored one' })).toBe(false);
      await new Promise((resolve) => setImmediate(resolve));
      expect(writer.emit({ body: 'and one later' })).toBe(false);
    });
    await running.reaches({ acknowledged: 3 });
    writer.emit({ body: 'outside' });
    await running.reaches({ acknowledged: 4 });
    expect(writer.stats()).toMatchObject({ emitted: 12, delivered: 4, dropped: { feedback: 8 } });
    expect((await other.flush()).delivered).toBe(4);
    expect(lines.filter((line) => line.includes('A handler logged into the stream'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('not stored (feedback): stored one'))).toHaveLength(4);
    expect(await redis.client.xlen(STREAM)).toBe(4);
  });
});

describe('With OpenTelemetry', () => {
  afterEach(() => {
    api.trace.disable();
    api.context.disable();
    api.metrics.disable();
  });

  it('every batch is a span with links to where its records were logged, and is measured', async () => {
    const spans = new InMemorySpanExporter();
    api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    api.trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    );
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: metrics })] });
    api.metrics.setGlobalMeterProvider(meters);
    const spanContext = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
    };
    await write({ connection: redis.url }, ['a', 'b'], { spanContext });
    await write({ connection: redis.url }, ['c']);
    let isFirst = true;
    await using running = consume({ connection: redis.url }, () => {
      api.trace.getTracer('app').startSpan('inside').end();
      if (!isFirst) return;
      isFirst = false;
      throw new TypeError('once');
    });
    await running.reaches({ acknowledged: 3 });
    await running.consumer.close();
    const all = spans.getFinishedSpans();
    const [failed, ...others] = all.filter(({ name }) => name === `process ${STREAM}`);
    expect(failed).toMatchObject({
      kind: api.SpanKind.CONSUMER,
      parentSpanContext: undefined,
      status: { code: api.SpanStatusCode.ERROR },
      attributes: {
        'messaging.system': 'redis',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': STREAM,
        'messaging.consumer.group.name': 'etl',
        'messaging.batch.message_count': 3,
        'error.type': 'TypeError',
      },
      links: [{ context: spanContext }],
    });
    expect(others).toHaveLength(3);
    const inside = all.find(({ name }) => name === 'inside');
    expect(inside?.parentSpanContext?.spanId).toBe(failed?.spanContext().spanId);
    expect(
      all.map(({ name }) => name).filter((name) => name !== 'inside' && !name.startsWith('process ')),
    ).toEqual([]);
    await meters.forceFlush();
    const found =
      metrics
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics: some }) => some) ?? [];
    const consumed = found.find(({ descriptor }) => descriptor.name === 'messaging.client.consumed.messages');
    expect(consumed?.dataPoints.map(({ value }) => value).toSorted()).toEqual([3, 3]);
    expect(found.map(({ descriptor }) => descriptor.name)).toContain('messaging.process.duration');
    await meters.shutdown();
  });
});

describe('A keyPrefix of the connection', () => {
  it('holds for stream, resources, dead letters and notes', async () => {
    const connection = { host: redis.server.host, port: redis.server.port, keyPrefix: 'app:' };
    await write({ connection }, numbered(5));
    await using running = consume(
      { connection, deduplicate: true, batchSize: 1, maxDeliveries: 1 },
      (batch) => {
        expect(batch.entries[0]?.record.resource.attributes['host.name']).toBeDefined();
        if (batch.entries[0]?.record.body === 'record 2') throw new Error('no');
      },
    );
    await running.reaches({ acknowledged: 4, deadLettered: 1 });
    const keys = await redis.client.keys('*');
    expect(keys.filter((key) => !key.includes(`app:${STREAM}`))).toEqual([]);
    expect(keys).toContain(`{app:${STREAM}}:dlq`);
    expect(await replayDeadLetters({ connection, stream: STREAM })).toEqual({ replayed: 1, failed: 0 });
    await running.reaches({ acknowledged: 4, deadLettered: 2 });
  });
});

describe('A Redis user with the rules of a consumer', () => {
  it('can do all that a consumer does, and one with those of an admin replays', async () => {
    const user = async (name: string, role: 'consumer' | 'admin'): Promise<string> => {
      await redis.client.call('ACL', 'SETUSER', name, 'on', '>secret', ...aclRules({ role, stream: STREAM }));
      return `redis://${name}:secret@${redis.server.host}:${redis.server.port}`;
    };
    await write({ connection: redis.url }, numbered(10));
    const connection = await user('worker', 'consumer');
    await redis.client.xgroup('CREATE', STREAM, 'etl', '0');
    await redis.client.xgroup('CREATECONSUMER', STREAM, 'etl', 'old');
    await using running = consume(
      { connection, deduplicate: true, minIdleMs: 200, maxDeliveries: 2, forgetConsumersAfterMs: 1_000 },
      ({ entries }) => {
        if (entries.some(({ record }) => record.body === 'record 5')) throw new Error('no');
      },
    );
    await running.reaches({ acknowledged: 9, deadLettered: 1, held: 0 });
    await until(
      async () => !JSON.stringify(await redis.client.xinfo('CONSUMERS', STREAM, 'etl')).includes('"old"'),
    );
    await running.consumer.close();
    expect(running.lines.filter((line) => /NOPERM|not be moved|look after/.test(line))).toEqual([]);
    const admin = await user('boss', 'admin');
    expect(await replayDeadLetters({ connection: admin, stream: STREAM })).toEqual({
      replayed: 1,
      failed: 0,
    });
    expect(await deadLetters(redis.client)).toEqual([]);
    const refused = replayDeadLetters({ connection: connection.replace('secret', 'wrong'), stream: STREAM });
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_LOG_UNAVAILABLE' });
    await expect(refused).rejects.not.toThrow(/wrong@|:wrong/);
  });
});

describe('A Cluster', () => {
  it('is consumed like a single server: every record once, dead letters in the same slot', async () => {
    await using cluster = await startRedisCluster();
    const connection = { cluster: cluster.startupNodes };
    const streams = ['logs:a', 'logs:b', 'logs:c'];
    const handled: unknown[] = [];
    const consumers = streams.map(
      (stream) =>
        new LogConsumer({
          connection,
          stream,
          group: 'etl',
          maxWaitMs: 5,
          deduplicate: true,
          maxDeliveries: 1,
          retry: { minDelayMs: 1 },
        }),
    );
    for (const stream of streams) await write({ connection, stream }, numbered(50));
    const running = consumers.map((consumer) =>
      consumer.run(({ entries }) => {
        if (entries.some(({ record }) => record.body === 'record 7')) throw new Error('no');
        for (const { record } of entries) handled.push(record.body);
      }),
    );
    await until(() => consumers.every((consumer) => consumer.stats().acknowledged === 49), {
      timeoutMs: 10_000,
    });
    await until(() => consumers.every((consumer) => consumer.stats().deadLettered === 1));
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
    expect(handled).toHaveLength(147);
    for (const stream of streams) {
      expect(await cluster.client().xlen(`{${stream}}:dlq`)).toBe(1);
      expect(await pending(cluster.client() as never, 'etl', stream)).toBe(0);
    }
  });
});
