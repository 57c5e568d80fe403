import { RedisLogWriter } from 'nestjs-redis-log/core';
import { LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { IS_LONG_RUN, report } from '../../support/long-run.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { write } from '../reader/writing.js';
import { entryOf, startCounting, STREAM, table, whenCounted } from './support.js';
import { countOffline, httpLines } from './traffic.js';

const redis = useRedisServer();
const MINUTE = 60_000;
const LINES = IS_LONG_RUN ? 200_000 : 40_000;
const DISTINCT = IS_LONG_RUN ? 1_000_000 : 50_000;

const here = (): { connection: string; stream: string } => ({ connection: redis.url, stream: STREAM });

/** Adds entries with these times of arrival, in milliseconds, in their order. */
async function add(entries: readonly (readonly [ms: number, fields: string[]])[]): Promise<void> {
  const pipeline = redis.client.pipeline();
  for (const [ms, fields] of entries) pipeline.xadd(STREAM, `${ms}-*`, ...fields);
  await pipeline.exec();
}

/** Words without digits, so that no two numbers share a template. */
function word(n: number): string {
  return n.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)).toUpperCase());
}

async function memoryOf(pattern: string): Promise<number> {
  const keys = await redis.client.keys(pattern);
  const sizes = await Promise.all(
    keys.map((key) => redis.client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')),
  );
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}

describe('The common messages', () => {
  it(
    'of an HTTP application are the same, with the same counts, as counted without Redis',
    { timeout: 180_000 },
    async () => {
      await using writer = new RedisLogWriter({ ...here(), service: { name: 'orders' } });
      const lines = [...httpLines(LINES)];
      for (const [index, body] of lines.entries()) {
        writer.emit({ body, severityNumber: 9 });
        if (index % 20_000 === 0) await writer.flush();
      }
      expect(await writer.flush({ timeoutMs: 60_000 })).toMatchObject({ delivered: LINES });
      const start = performance.now();
      await using counting = startCounting(here());
      await counting.reaches(LINES, 120_000);
      const ms = performance.now() - start;
      await using insights = new LogInsights(here());
      const common = await insights.common('orders', 'info', '1h');
      expect(table(common)).toEqual(countOffline(lines).slice(0, 20));
      expect(common.total).toBe(LINES);
      expect(common.messages.every(({ countError }) => countError === 0)).toBe(true);
      expect(new Set(lines).size).toBeGreaterThan(LINES / 2);
      if (IS_LONG_RUN) report({ 'records counted a second': Math.round((LINES / ms) * 1_000) });
    },
  );

  it(
    'stay within their memory whatever is logged, and the frequent ones among them stay',
    { timeout: 600_000 },
    async () => {
      await using writer = new RedisLogWriter({ ...here(), service: { name: 'orders' } });
      await using counting = startCounting({ ...here(), bucketMs: 5_000 });
      let frequent = 0;
      for (let i = 0; i < DISTINCT; i++) {
        writer.emit({ body: `The ${word(i)} of ${word(i * 7)} has gone wrong`, severityNumber: 17 });
        if (i % 20 === 0) writer.emit({ body: `Order ${i} was refused`, severityNumber: 17 });
        if (i % 20 === 0) frequent++;
        // The stream keeps a million: what is counted too late is not counted.
        if (i % 10_000 === 0) await writer.flush();
        if (i % 100_000 === 0) await counting.reaches(i, 120_000);
      }
      expect(await writer.flush({ timeoutMs: 60_000 })).toMatchObject({ dropped: 0, pending: 0 });
      await counting.reaches(DISTINCT + frequent, 120_000);
      await using insights = new LogInsights(here());
      const { total, messages } = await insights.common('orders', 'error', '1h', { limit: 1_000 });
      expect(total).toBe(DISTINCT + frequent);
      const [first] = messages;
      expect(first?.template).toBe('Order <n> was refused');
      expect(first?.count).toBeLessThanOrEqual(frequent);
      expect((first?.count ?? 0) + (first?.countError ?? 0)).toBeGreaterThanOrEqual(frequent);
      const counts = await memoryOf('*:insights:counts:*');
      const errors = await memoryOf('*:insights:errors:*');
      const messagesBytes = await memoryOf('*:insights:messages');
      const all = await memoryOf('*:insights*');
      const buckets = (await redis.client.keys('*:insights:counts:*')).length;
      // docs/insights.md states these.
      expect((counts + errors) / buckets).toBeLessThan(500 * 200);
      expect(all).toBeLessThan(8_000_000);
      expect(await redis.client.hlen(`{${STREAM}}:insights:messages`)).toBeLessThanOrEqual(
        Math.min(5_000, 500 * buckets),
      );
      if (IS_LONG_RUN) report({ distinct: DISTINCT, buckets, counts, errors, messages: messagesBytes, all });
    },
  );

  it('tell of the last record, the first and last time, the share, the trend and what is new', async () => {
    const now = Date.now();
    const start = Math.floor(now / MINUTE) * MINUTE;
    await add([
      [start - 10 * MINUTE, entryOf('Ready')],
      ...[1, 2, 3, 4].map((n) => [start - 9 * MINUTE + n, entryOf(`Order ${n} was paid`)] as const),
      [start - 4 * MINUTE, entryOf('Order 5 was paid')],
      [start - 2 * MINUTE, entryOf('Card of "Ann" was declined')],
      [
        start - MINUTE,
        [
          ...entryOf('Card of "Bob" was declined'),
          'trace_id',
          '0af7651916cd43dd8448eb211c80319c',
          'span_id',
          'b7ad6b7169203331',
          'trace_flags',
          '01',
        ],
      ],
    ]);
    await using counting = startCounting({ ...here(), bucketMs: MINUTE });
    await counting.reaches(8);
    await using insights = new LogInsights(here(), { clock: () => start });
    const common = await insights.common('orders', 'log', '4m');
    const last = await redis.client.xrevrange(STREAM, '+', '-', 'COUNT', 1);
    expect(common).toEqual({
      from: start - 4 * MINUTE,
      to: start,
      total: 3,
      previousTotal: 4,
      countedSince: start - 10 * MINUTE,
      countedUntil: start - MINUTE,
      messages: [
        {
          service: 'orders',
          level: 'info',
          template: 'Card of <text> was declined',
          count: 2,
          countError: 0,
          share: 2 / 3,
          previous: 0,
          trend: undefined,
          isNew: true,
          firstSeen: start - 2 * MINUTE,
          lastSeen: start - MINUTE,
          sample: 'Card of "Bob" was declined',
          entryId: last[0]?.[0],
          traceId: '0af7651916cd43dd8448eb211c80319c',
        },
        expect.objectContaining({ template: 'Order <n> was paid', count: 1, previous: 4, isNew: false }),
      ],
    });
    // Of five spans, the one of the clock has only begun: the trend is that of equal times.
    expect(common.messages[1]?.trend).toBeCloseTo((1 / 4) * (5 / 4));
    const before = await insights.common('orders', 'log', {
      from: start - 9 * MINUTE,
      to: start - 5 * MINUTE,
    });
    expect([before.total, before.previousTotal, before.messages[0]?.isNew]).toEqual([4, undefined, true]);
  });

  it('are told apart by service and level, and can be had of all of them at once', async () => {
    const now = Date.now();
    await add([
      [now, entryOf('Ready')],
      [now, entryOf('Ready', { severity: 13 })],
      [now, entryOf('Ready', { service: 'mail' })],
      [now, entryOf('Ready', { service: 'mail', severity: 18 })],
    ]);
    await using counting = startCounting(here());
    await counting.reaches(4);
    await using insights = new LogInsights(here());
    const totals = async (service?: string, level?: string | number): Promise<number> =>
      (await insights.common(service, level, '1h')).total;
    expect(await totals()).toBe(4);
    expect(await totals('orders')).toBe(2);
    expect(await totals(undefined, 'info')).toBe(2);
    expect(await totals('mail', 'ERROR')).toBe(1);
    expect(await totals('mail', 17)).toBe(1);
    expect(await totals('mail', 'warn')).toBe(0);
    expect(await totals('nobody', 'warn')).toBe(0);
  });

  it('are forgotten span by span by Redis itself, and what is older than all spans is not counted', async () => {
    const now = Date.now();
    await add([
      [1_000, entryOf('Long ago')],
      [now, entryOf('Now')],
      [now + 86_400_000, entryOf('Tomorrow')],
    ]);
    await using counting = startCounting({ ...here(), bucketMs: MINUTE, keptBuckets: 3 });
    await counting.reaches(1);
    expect(counting.counter.stats()).toMatchObject({ counted: 1, outOfTime: 2 });
    const start = Math.floor(now / MINUTE) * MINUTE;
    const keys = await redis.client.keys('*:insights:counts:*');
    expect(keys).toEqual([`{${STREAM}}:insights:counts:${MINUTE}:${start}:info:orders`]);
    const endsAt = Date.now() + (await redis.client.pttl(keys[0] ?? ''));
    expect(Math.abs(endsAt - (start + 3 * MINUTE))).toBeLessThan(1_000);
    await redis.client.del(keys);
    await using insights = new LogInsights(here());
    expect(await insights.common('orders', 'info', '1h')).toMatchObject({ total: 0, messages: [] });
  });

  it('begin anew when their spans get another length', async () => {
    const now = Date.now();
    await add([[now - 2 * MINUTE, entryOf('Ready')]]);
    {
      await using counting = startCounting({ ...here(), bucketMs: MINUTE });
      await counting.reaches(1);
    }
    await add([[now, entryOf('Ready')]]);
    await using counting = startCounting({ ...here(), bucketMs: 2 * MINUTE });
    await counting.reaches(1);
    await using insights = new LogInsights(here());
    const common = await insights.common('orders', 'info', '1h');
    expect([common.total, common.countedSince]).toEqual([1, now]);
    expect(common.messages).toMatchObject([{ count: 1, firstSeen: now - 2 * MINUTE }]);
  });

  it('are a part of them while counters have spans of different lengths, and that is told', async () => {
    await add([[Date.now(), entryOf('Ready')]]);
    await using first = startCounting({ ...here(), bucketMs: MINUTE });
    await first.reaches(1);
    await first[Symbol.asyncDispose]();
    expect(first.lines.join()).not.toContain('bucketMs');
    await add([[Date.now(), entryOf('Ready')]]);
    await using second = startCounting({ ...here(), bucketMs: 2 * MINUTE });
    await second.reaches(1);
    expect(second.lines.join()).toContain(
      'were counted in spans of 60000 ms (bucketMs), and are now in spans',
    );
    expect(second.lines.join()).toContain('Give all counters the same');
  });

  it('are counted without what others have written into the stream, of which nothing is kept', async () => {
    const pipeline = redis.client.pipeline();
    for (let i = 0; i < 1_200; i++) pipeline.xadd(STREAM, '*', 'foreign', `entry ${i}`);
    await pipeline.exec();
    await add([[Date.now() + 1, entryOf('Ready')]]);
    await using counting = startCounting(here());
    await counting.reaches(1);
    const { undecodable, consumer } = counting.counter.stats();
    expect([undecodable, consumer.deadLettered]).toEqual([1_200, 0]);
    expect(await redis.client.exists(`{${STREAM}}:dlq`)).toBe(0);
    expect(await redis.client.xpending(STREAM, 'redis-log-insights')).toEqual([0, null, null, null]);
    expect(counting.lines.filter((line) => line.includes('are no records of this package'))).toHaveLength(1);
  });

  it('are to be had of a service with an endless name, and of the last hour unless asked otherwise', async () => {
    const service = 'a-service-'.repeat(20);
    await add([[Date.now(), entryOf('Ready', { service })]]);
    await using counting = startCounting(here());
    await counting.reaches(1);
    await using insights = new LogInsights(here());
    expect((await insights.common(service, 'info')).messages).toMatchObject([{ count: 1 }]);
    expect((await insights.common(service, undefined)).messages).toMatchObject([{ count: 1 }]);
  });

  it('of requests are told apart by their status', async () => {
    const ways = [200, 404, 200].map(
      (status, id) => [Date.now(), entryOf(`GET /orders/${id} ${status} 3ms`)] as const,
    );
    await add(ways);
    await using counting = startCounting(here());
    await counting.reaches(3);
    await using insights = new LogInsights(here());
    expect(table(await insights.common('orders', 'info'))).toEqual([
      ['GET /orders/<n> 200 <n>ms', 2],
      ['GET /orders/<n> 404 <n>ms', 1],
    ]);
  });

  it('are not to be had where nothing was counted, and that is told', async () => {
    await using insights = new LogInsights(here());
    expect(await insights.common('orders', 'info', '1h')).toMatchObject({
      total: 0,
      messages: [],
      countedSince: undefined,
      countedUntil: undefined,
    });
  });

  it('count an event by its name, a failure by its message, and a body that is no text as JSON', async () => {
    await write(here(), [
      { eventName: 'order.placed' },
      { attributes: { 'exception.type': 'TypeError', 'exception.message': 'x is 5' } },
      { body: { order: 7, state: 'paid' } },
      { body: '' },
    ]);
    await using counting = startCounting(here());
    await counting.reaches(4);
    await using insights = new LogInsights(here());
    const { messages } = await insights.common('orders', 'info', '1h');
    expect(messages.map(({ template }) => template).sort()).toEqual([
      '',
      'order.placed',
      'x is <n>',
      '{<text>:<n>,<text>:<text>}',
    ]);
  });

  it('of more than 64 services and levels are not counted, and how many were not is told', async () => {
    await add(
      Array.from({ length: 70 }, (_, n) => [Date.now(), entryOf('Ready', { service: `s${n}` })] as const),
    );
    await using counting = startCounting(here());
    await until(() => counting.counter.stats().consumer.acknowledged === 70, { timeoutMs: 20_000 });
    expect(counting.counter.stats()).toMatchObject({ counted: 64, crowded: 6 });
    expect(counting.lines.join()).toContain('64 pairs of service and level');
    await using insights = new LogInsights(here());
    await whenCounted(insights, 64);
    expect(await redis.client.zcard(`{${STREAM}}:insights:sections`)).toBe(64);
  });
});

describe('The recent messages', () => {
  it('are the last of a service and level, the newest first, and need no counting', async () => {
    await write(
      here(),
      Array.from({ length: 500 }, (_, i) => ({ body: `n ${i}`, severityNumber: i % 5 === 0 ? 17 : 9 })),
    );
    await using insights = new LogInsights(here());
    const { entries, isComplete } = await insights.recent('orders', 'error', { limit: 3 });
    expect(entries.map(({ record }) => record.body)).toEqual(['n 495', 'n 490', 'n 485']);
    expect(isComplete).toBe(true);
    const all = await insights.recent('orders', 'error');
    expect([all.entries.length, all.scanned, all.isComplete]).toEqual([100, 500, true]);
    expect((await insights.recent(undefined, undefined)).entries).toHaveLength(100);
    expect((await insights.recent('orders', 'fatal')).entries).toEqual([]);
    expect(await redis.client.keys('*insights*')).toEqual([]);
  });

  it('are looked for within a bound, and it is told where that was met', async () => {
    await write(
      here(),
      Array.from({ length: 3_000 }, (_, i) => ({
        body: `n ${i}`,
        severityNumber: i % 2_000 === 999 ? 21 : 9,
      })),
    );
    await using insights = new LogInsights(here());
    const short = await insights.recent('orders', 'fatal', { maxScanned: 500 });
    expect([short.entries.map(({ record }) => record.body), short.isComplete]).toEqual([['n 2999'], false]);
    expect(short.scanned).toBe(500);
    for (const maxScanned of [1, 99, 1_234]) {
      const { scanned, isComplete } = await insights.recent('nobody', 'warn', { maxScanned });
      expect([scanned, isComplete]).toEqual([maxScanned, false]);
    }
    await using several = new LogInsights({ connection: redis.url, streams: [STREAM, 'logs:b', 'logs:c'] });
    expect((await several.recent('nobody', 'warn', { maxScanned: 2 })).scanned).toBeLessThanOrEqual(2);
    expect((await several.recent('nobody', 'warn', { maxScanned: 300 })).scanned).toBe(300);
    // One stream ends within the limit, the other does not.
    await redis.client.del('logs:b');
    for (let at = 0; at < 520; at++)
      await redis.client.xadd('logs:b', '*', 'severity_number', 9, 'body', 'x');
    const { scanned, isComplete } = await several.recent('nobody', 'warn', { maxScanned: 1_000 });
    expect([scanned, isComplete]).toEqual([1_000, false]);
    const whole = await insights.recent('orders', 'fatal');
    expect([whole.entries.length, whole.scanned, whole.isComplete]).toEqual([2, 3_000, true]);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(insights.recent('orders', 'fatal', { signal })).rejects.toThrow('enough');
  });
});
