import { diag } from '@opentelemetry/api';
import { type ExportResult, RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { connections, saidDuring, storedRecords } from '../nest/support.js';

let redis: RedisServer;
let streams = 0;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

function record(body: unknown, over: Partial<LogRecord> = {}): LogRecord {
  return {
    hrTime: [1_700_000_000, 0],
    hrTimeObserved: [1_700_000_000, 0],
    body,
    resource: { attributes: { 'service.name': 'test' } },
    instrumentationScope: { name: 'test' },
    attributes: {},
    droppedAttributesCount: 0,
    ...over,
  };
}

function make(options: ConstructorParameters<typeof RedisLogRecordExporter>[0] = {}) {
  const stream = `logs:${++streams}`;
  return { stream, exporter: new RedisLogRecordExporter({ connection: redis.url, stream, ...options }) };
}

/** All results that an export ever calls back with. */
function exported(exporter: RedisLogRecordExporter, records: LogRecord[]): ExportResult[] {
  const results: ExportResult[] = [];
  exporter.export(records, (result) => results.push(result));
  return results;
}

describe('export()', () => {
  it('calls back exactly once: with success when all are accepted', async () => {
    const { exporter, stream } = make();
    const results = [
      exported(exporter, [record(1), record(2)]),
      exported(exporter, []),
      exported(exporter, [record(3)]),
    ];
    await exporter.forceFlush();
    await exporter.shutdown();
    expect(results).toEqual([[{ code: 0 }], [{ code: 0 }], [{ code: 0 }]]);
    expect((await storedRecords(redis, stream)).map(({ body }) => body)).toEqual([1, 2, 3]);
  });

  it('calls back with an error that counts what was refused, and the rest is stored', async () => {
    const { exporter, stream } = make();
    const hostile = Object.defineProperty(record('x'), 'attributes', {
      get: () => {
        throw new Error('hostile');
      },
    });
    const [result, ...more] = exported(exporter, [record('good'), hostile, record('good too')]);
    await exporter.shutdown();
    expect(more).toEqual([]);
    expect(result?.code).toBe(1);
    expect(result?.error?.message).toContain('1 of 3');
    expect(await storedRecords(redis, stream)).toHaveLength(2);
    expect(exporter.stats()).toMatchObject({ emitted: 3, delivered: 2, dropped: { rejected: 1 } });
  });

  it('is safe during and after shutdown(), and everything is accounted for', async () => {
    const { exporter, stream } = make();
    exported(exporter, [record('before')]);
    const closing = exporter.shutdown();
    const during = exported(exporter, [record('during')]);
    let after: ExportResult[] = [];
    await closing;
    const said = await saidDuring(async () => {
      after = exported(exporter, [record('after'), record('after')]);
      await exporter.forceFlush();
      await exporter.shutdown();
    });
    expect(during).toHaveLength(1);
    expect(after).toMatchObject([{ code: 1, error: { code: 'REDIS_LOG_REFUSED' } }]);
    expect(said.join('\n')).toContain('not stored (closed)');
    const stats = exporter.stats();
    const bodies = (await storedRecords(redis, stream)).map(({ body }) => body);
    expect(bodies).toEqual(during[0]?.code === 0 ? ['before', 'during'] : ['before']);
    expect(stats.emitted).toBe(4);
    expect(stats.delivered).toBe(bodies.length);
    expect(stats.dropped.closed).toBe(4 - bodies.length);
    expect(await connections(redis)).toBe(0);
  });

  it('takes overlapping exports of any number', async () => {
    const { exporter, stream } = make({ batch: { maxRecords: 7 } });
    const results: ExportResult[] = [];
    const exportSome = async (from: number): Promise<void> => {
      await new Promise(setImmediate);
      exporter.export(
        Array.from({ length: 100 }, (_, n) => record(from + n)),
        (result) => results.push(result),
      );
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => exportSome(n * 100)));
    await exporter.shutdown();
    expect(results).toHaveLength(20);
    const bodies = (await storedRecords(redis, stream)).map(({ body }) => body);
    expect(bodies).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  });

  it('ends a censor function that logs what it censors', async () => {
    const stream = `logs:${++streams}`;
    const exporter: RedisLogRecordExporter = new RedisLogRecordExporter({
      connection: redis.url,
      stream,
      redact: {
        paths: ['secret'],
        censor: (value) => {
          exporter.emit(record('censoring', { attributes: { secret: value } }));
          return '***';
        },
      },
    });
    exporter.emit(record('m', { attributes: { secret: 'geheim' } }));
    await exporter.shutdown();
    const records = await storedRecords(redis, stream);
    expect(records.map(({ body }) => body)).toEqual(['[Redaction failed]', 'm']);
    expect(JSON.stringify(records)).not.toContain('geheim');
  });
});

describe('forceFlush() and shutdown()', () => {
  it('can be joined: whoever calls waits for what was emitted before', async () => {
    const { exporter, stream } = make();
    const flushes = [];
    for (let n = 0; n < 10; n++) {
      for (let i = 0; i < 200; i++) exporter.emit(record(n));
      const count = (n + 1) * 200;
      flushes.push(
        exporter.forceFlush().then(() => expect(exporter.stats().delivered).toBeGreaterThanOrEqual(count)),
      );
    }
    await Promise.all(flushes);
    await Promise.all([exporter.shutdown(), exporter.shutdown(), exporter.forceFlush()]);
    expect(await storedRecords(redis, stream)).toHaveLength(2_000);
  });

  it('resolve within their deadlines when Redis does not answer, with an account of all records', async () => {
    const { exporter } = make({
      connection: 'redis://127.0.0.1:1',
      sendTimeoutMs: 150,
      shutdownTimeoutMs: 250,
    });
    for (let n = 0; n < 10; n++) exporter.emit(record(n));
    const start = performance.now();
    await exporter.forceFlush();
    const flushed = performance.now();
    await exporter.shutdown();
    const end = performance.now();
    expect(flushed - start).toBeLessThan(1_500);
    expect(end - flushed).toBeLessThan(1_500);
    expect(exporter.stats()).toMatchObject({ emitted: 10, delivered: 0, queued: 0, dropped: { closed: 10 } });
  });

  it('of an exporter that never had a record connect nowhere', async () => {
    const before = await redis.client().info('stats');
    const { exporter } = make();
    await exporter.forceFlush();
    await exporter.shutdown();
    const count = (info: string): string | undefined => /total_connections_received:(\d+)/.exec(info)?.[1];
    // Both questions came through a connection of their own.
    expect(Number(count(await redis.client().info('stats')))).toBe(Number(count(before)) + 1);
  });
});

describe('What goes wrong', () => {
  it('is told to the diagnostics of OpenTelemetry too, once', async () => {
    const told: string[] = [];
    const tell = (message: string): number => told.push(message);
    diag.setLogger({ error: tell, warn: tell, info: tell, debug: tell, verbose: tell });
    told.length = 0;
    const { exporter } = make();
    await exporter.shutdown();
    exporter.emit(record('too late', { severityText: 'error', severityNumber: 17 }));
    diag.disable();
    expect(told).toEqual([
      expect.stringContaining('nestjs-redis-log: A record was dropped (closed)'),
      expect.stringContaining('too late'),
    ]);
  });
});
