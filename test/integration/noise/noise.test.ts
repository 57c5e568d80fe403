import 'reflect-metadata';
import { type LogInput, type LogStats, RedisLogWriter } from 'nestjs-redis-log/core';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule, RedisLogRecordExporter } from 'nestjs-redis-log';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisLogWriterOptions } from '../../../src/options/types.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { storedRecords } from '../nest/support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

function writerWith(options: RedisLogWriterOptions): RedisLogWriter {
  return new RedisLogWriter({ connection: redis.url, stream: 'logs', service: { name: 'shop' }, ...options });
}

const INFO = { severityNumber: 9, severityText: 'log' } as const;
const ERROR = { severityNumber: 17, severityText: 'error' } as const;

/** Everything that was emitted has exactly one outcome. */
function expectClosedAccount(stats: LogStats, called: number, summaries: number): void {
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
  expect(stats.emitted).toBe(called + summaries);
  expect(stats.delivered + dropped).toBe(stats.emitted);
  expect(stats).toMatchObject({ queued: 0, spooled: 0, inFlight: 0, unconfirmed: 0 });
}

async function written(options: RedisLogWriterOptions, inputs: readonly LogInput[]) {
  const writer = writerWith(options);
  for (const input of inputs) expect(writer.emit(input)).toBe(true);
  await writer.close();
  return { stats: writer.stats(), records: await storedRecords(redis, 'logs') };
}

const bodies = (records: readonly LogRecord[]): unknown[] => records.map(({ body }) => body);

function traceOf(): string {
  return randomBytes(16).toString('hex');
}

function inTrace(traceId: string, input: LogInput): LogInput {
  return { ...input, spanContext: { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 } };
}

describe('Sampling', () => {
  it('keeps a trace whole or leaves it out whole, but for its errors', async () => {
    const traces = Array.from({ length: 400 }, traceOf);
    const inputs = traces.flatMap((traceId) => [
      inTrace(traceId, { ...INFO, body: 'a', scope: { name: 'A' } }),
      inTrace(traceId, { severityNumber: 5, body: 'b', scope: { name: 'B' } }),
      inTrace(traceId, { ...ERROR, body: 'c' }),
    ]);
    const { stats, records } = await written({ sampling: { traces: 0.25, contexts: { A: 0 } } }, inputs);
    const byTrace = new Map(traces.map((traceId) => [traceId, '']));
    for (const { spanContext, body } of records) {
      const traceId = spanContext?.traceId ?? '';
      byTrace.set(traceId, `${byTrace.get(traceId)}${String(body)}`);
    }
    expect(new Set(byTrace.values())).toEqual(new Set(['abc', 'c']));
    const whole = [...byTrace.values()].filter((text) => text === 'abc').length;
    // 100 expected, with a standard deviation below 9.
    expect(whole).toBeGreaterThan(45);
    expect(whole).toBeLessThan(155);
    expect(stats.dropped).toEqual({ sampled: (400 - whole) * 2 });
    expectClosedAccount(stats, 1_200, 0);
  });

  it('keeps the same traces in every process', async () => {
    const inputs = Array.from({ length: 200 }, () => inTrace(traceOf(), { ...INFO, body: 'x' }));
    const kept = async (): Promise<unknown[]> => {
      await redis.client().flushall();
      const { records } = await written({ sampling: { ratio: 0.5 } }, inputs);
      return records.map(({ spanContext }) => spanContext?.traceId);
    };
    const first = await kept();
    expect(first.length).toBeGreaterThan(50);
    expect(await kept()).toEqual(first);
  });

  it('goes by context before level, by level before the rest, and never leaves out an error', async () => {
    const sampling = { ratio: 0, levels: { warn: 1 }, contexts: { 'Health*': 0, Payments: 1 } } as const;
    const { stats, records } = await written({ sampling }, [
      { ...INFO, body: 'rest' },
      { severityNumber: 13, body: 'level' },
      { severityNumber: 13, body: 'context', scope: { name: 'HealthController' } },
      { ...INFO, body: 'payment', scope: { name: 'Payments' } },
      { ...ERROR, body: 'error', scope: { name: 'HealthController' } },
      { severityNumber: 21, body: 'fatal', scope: { name: 'HealthController' } },
    ]);
    expect(bodies(records)).toEqual(['level', 'payment', 'error', 'fatal']);
    expectClosedAccount(stats, 6, 0);
  });
});

describe('A rate limit per template', () => {
  it('lets so many of each through, counts the others, and says how many they were', async () => {
    const inputs = Array.from({ length: 50 }, (_, n) => [
      { ...INFO, body: `Order ${n} placed`, scope: { name: 'Orders' } },
      { ...ERROR, body: `Order ${n} failed`, scope: { name: 'Orders' } },
    ]).flat();
    const { stats, records } = await written({ rateLimit: { maxRecords: 3, windowMs: 60_000 } }, inputs);
    expect(stats.dropped).toEqual({ rate_limited: 94 });
    expectClosedAccount(stats, 100, 2);
    expect(bodies(records).slice(-2)).toEqual([
      '47 more like this: Order <n> placed',
      '47 more like this: Order <n> failed',
    ]);
    expect(records.at(-1)).toMatchObject({
      severityNumber: 17,
      severityText: 'error',
      instrumentationScope: { name: 'Orders' },
      attributes: {
        'log.suppressed.count': 47,
        'log.suppressed.reason': 'rate_limited',
        'log.suppressed.template': 'Order <n> failed',
        'log.suppressed.window_ms': 60_000,
      },
    });
  });

  it('tells of what it left out when the window is over, without waiting for another record', async () => {
    await using writer = writerWith({ rateLimit: { maxRecords: 1, windowMs: 50 } });
    for (let n = 0; n < 5; n++) writer.emit({ ...INFO, body: `tick ${n}` });
    const records = await until(async () => {
      const stored = await storedRecords(redis, 'logs');
      return stored.length === 2 ? stored : undefined;
    });
    expect(bodies(records)).toEqual(['tick 0', '4 more like this: tick <n>']);
    writer.emit({ ...INFO, body: 'tick 5' });
    await writer.flush();
    expect(bodies(await storedRecords(redis, 'logs'))).toContain('tick 5');
  });

  it('remembers a bounded number of templates, and tells of those it forgets', async () => {
    const words = 'abcdefghijklmnopqrstuvwxyz'.split('');
    const inputs = words.flatMap((word) => [1, 2, 3].map((n) => ({ ...INFO, body: `${word} ${n}` })));
    const { stats, records } = await written({ rateLimit: { maxRecords: 1, maxTemplates: 5 } }, inputs);
    expect(records).toHaveLength(26 * 2);
    expect(stats.dropped).toEqual({ rate_limited: 52 });
    expectClosedAccount(stats, 78, 26);
  });

  it('does not hold up a FATAL', async () => {
    const inputs = Array.from({ length: 5 }, () => ({ severityNumber: 21, body: 'dying' }));
    const { stats } = await written({ rateLimit: { maxRecords: 1 }, deduplicate: true }, inputs);
    expect(stats).toMatchObject({ delivered: 5, dropped: {} });
  });
});

describe('Deduplication', () => {
  it('keeps the first of records that follow each other and say the same, and counts the others', async () => {
    const same = { ...INFO, body: 'no route', attributes: { path: '/x' }, scope: { name: 'Router' } };
    const { stats, records } = await written({ deduplicate: true }, [
      same,
      same,
      { ...INFO, body: 'another context meanwhile' },
      { ...same, attributes: { path: '/x' } },
      { ...same, attributes: { path: '/y' } },
      { ...same, severityNumber: 13 },
      same,
    ]);
    expect(bodies(records)).toEqual([
      'no route',
      'another context meanwhile',
      '2 more like this: no route',
      'no route',
      'no route',
      'no route',
    ]);
    expect(records[2]?.attributes).toMatchObject({
      'log.suppressed.count': 2,
      'log.suppressed.reason': 'duplicate',
    });
    expect(stats.dropped).toEqual({ duplicate: 2 });
    expectClosedAccount(stats, 7, 1);
  });

  it('lets one through again after each window', async () => {
    await using writer = writerWith({ deduplicate: { windowMs: 30 } });
    const started = performance.now();
    let calls = 0;
    await until(() => {
      writer.emit({ ...INFO, body: 'again' });
      calls++;
      return performance.now() - started > 200;
    });
    await writer.close();
    const stats = writer.stats();
    const records = await storedRecords(redis, 'logs');
    const texts = bodies(records);
    const summaries = texts.filter((text) => text !== 'again').length;
    expect(texts.length - summaries).toBeGreaterThanOrEqual(2);
    expect(summaries).toBeGreaterThanOrEqual(1);
    const told = records.reduce(
      (sum, { attributes }) => sum + Number(attributes['log.suppressed.count'] ?? 0),
      0,
    );
    expect(told).toBe(stats.dropped.duplicate);
    expectClosedAccount(stats, calls, summaries);
  });
});

describe('Options against noise', () => {
  it('work for the logger and the exporter of a module alike, in one account', async () => {
    class AppModule {}
    const options = { connection: redis.url, stream: 'logs', console: false, deduplicate: true } as const;
    Module({ imports: [RedisLogModule.forRoot(options)] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const logger = app.get(RedisLogger);
    for (let n = 0; n < 3; n++) logger.log('same', { n: 1 }, 'Ctx');
    const exporter = app.get(RedisLogRecordExporter);
    await logger.flush();
    const [record] = await storedRecords(redis, 'logs');
    let result: unknown;
    exporter.export([record as LogRecord, record as LogRecord], (outcome) => (result = outcome));
    // Left out as asked for is no failure.
    expect(result).toEqual({ code: 0 });
    await app.close();
    const stats = logger.stats();
    expect(stats.dropped).toEqual({ duplicate: 4 });
    expectClosedAccount(stats, 5, 1);
  });

  it('belong to the exporter where one is handed in', async () => {
    const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs' });
    class AppModule {}
    Module({ imports: [RedisLogModule.forRoot({ exporter, sampling: { ratio: 0.5 } })] })(AppModule);
    const started = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await expect(started).rejects.toThrow(/sampling: has no effect beside exporter/);
    await exporter.shutdown();
  });

  it('are off unless they are asked for', async () => {
    const { stats } = await written(
      {},
      Array.from({ length: 20 }, () => ({ ...INFO, body: 'same' })),
    );
    expect(stats).toMatchObject({ delivered: 20, dropped: {} });
  });

  it('are checked: what cannot be meant is refused with every problem', () => {
    const wrong = {
      sampling: { ratio: 2, level: { debug: 1 } },
      rateLimit: { windowMs: 100 },
      deduplicate: 'yes',
    } as unknown as RedisLogWriterOptions;
    expect(() => writerWith(wrong)).toThrow(
      /4 problems[^]*sampling.ratio[^]*sampling.level[^]*rateLimit.maxRecords[^]*deduplicate/,
    );
  });

  it('say what they left out before the writer closes, also where the window has not ended', async () => {
    const writer = writerWith({ deduplicate: true, rateLimit: { maxRecords: 1 } });
    writer.emit({ ...INFO, body: 'x 1' });
    writer.emit({ ...INFO, body: 'x 1' });
    writer.emit({ ...INFO, body: 'x 2' });
    await writer.close();
    expect(bodies(await storedRecords(redis, 'logs'))).toEqual([
      'x 1',
      '1 more like this: x 1',
      '1 more like this: x <n>',
    ]);
    expectClosedAccount(writer.stats(), 3, 2);
  });
});
