import type { Redis } from 'ioredis';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { entryOf, startCounting, STREAM, table } from './support.js';

const redis = useRedisServer();
const HOUR = 3_600_000;
const KEY = 'common:orders:info';

/** The recipes of Redis in Action, section 5.1, one record at a time, with the hour as an argument. */
async function logAsInTheBook(client: Redis, hour: number, message: string): Promise<void> {
  const start = await client.get(`${KEY}:start`);
  const work = client.multi();
  if (start !== null && Number(start) < hour) {
    work.rename(KEY, `${KEY}:last`).rename(`${KEY}:start`, `${KEY}:pstart`);
  }
  if (start === null || Number(start) < hour) work.set(`${KEY}:start`, hour);
  work.zincrby(KEY, 1, message);
  work.lpush('recent:orders:info', message).ltrim('recent:orders:info', 0, 99);
  await work.exec();
}

/** Messages and counts in the order of `common`: by count, and here every count is another. */
async function countsOf(key: string): Promise<[string, number][]> {
  const flat = await redis.client.zrevrange(key, 0, -1, 'WITHSCORES');
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', Number(flat[2 * at + 1])]);
}

describe('The recipes of Redis in Action', () => {
  it('hold: this hour, the hour before, nothing older, each text on its own, and the last 100', async () => {
    const hour = Math.floor(Date.now() / HOUR) * HOUR;
    const said: [at: number, message: string][] = [];
    for (const [hoursAgo, distinct] of [
      [2, 3],
      [1, 8],
      [0, 5],
    ] as const) {
      for (let n = 1; n <= distinct; n++) {
        for (let i = 0; i < n * 3; i++) said.push([hour - hoursAgo * HOUR + i, `Order ${n} was paid`]);
      }
    }
    said.sort(([a], [b]) => a - b);
    for (const [at, message] of said) {
      await logAsInTheBook(redis.client, Math.floor(at / HOUR) * HOUR, message);
      await redis.client.xadd(STREAM, `${at}-*`, ...entryOf(message));
    }
    await using counting = startCounting({ connection: redis.url, compatibility: 'redis-in-action' });
    const [thisHour, lastHour] = [await countsOf(KEY), await countsOf(`${KEY}:last`)];
    const sum = [...thisHour, ...lastHour].reduce((total, [, count]) => total + count, 0);
    expect([thisHour.length, lastHour.length]).toEqual([5, 8]);
    await counting.reaches(sum);
    expect(counting.counter.stats()).toMatchObject({ counted: sum, outOfTime: said.length - sum });
    await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
    expect(table(await insights.common('orders', 'info', { from: hour }))).toEqual(thisHour);
    const last = { from: hour - HOUR, to: hour - 1 };
    expect(table(await insights.common('orders', 'info', last))).toEqual(lastHour);
    expect((await insights.common('orders', 'info', '1d')).total).toBe(sum);
    const { entries } = await insights.recent('orders', 'info');
    expect(entries.map(({ record }) => record.body)).toEqual(
      await redis.client.lrange('recent:orders:info', 0, -1),
    );
  });

  it(
    'count each of thousands of texts exactly, however long and however alike',
    { timeout: 60_000 },
    async () => {
      const start = 'Long '.repeat(500);
      const textOf = (n: number): string => (n % 7 === 0 ? `${start}${n}` : `Text ${n}`);
      const said = Array.from({ length: 30_000 }, (_, n) => textOf((n * n) % 12_007));
      await using counting = startCounting({ connection: redis.url, compatibility: 'redis-in-action' });
      {
        const options = { connection: redis.url, stream: STREAM, service: { name: 'orders' } };
        await using writer = new RedisLogWriter(options);
        for (const body of said) writer.emit({ body, severityNumber: 9 });
        await writer.flush();
      }
      await counting.reaches(said.length, 50_000);
      const offline = new Map<string, number>();
      for (const text of said) offline.set(text, (offline.get(text) ?? 0) + 1);
      await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
      const common = await insights.common('orders', 'info', '1h', { limit: 10_000 });
      expect(offline.size).toBeGreaterThan(6_000);
      expect([common.total, common.messages.length]).toEqual([said.length, offline.size]);
      expect(common.messages.every(({ countError }) => countError === 0)).toBe(true);
      const counts = (values: Iterable<number>): number[] => [...values].sort((a, b) => b - a);
      expect(counts(common.messages.map(({ count }) => count))).toEqual(counts(offline.values()));
      const short = common.messages.filter(({ template }) => template.startsWith('Text'));
      expect(short.every(({ template, count }) => offline.get(template) === count)).toBe(true);
    },
  );

  it('count exactly however many write at once', async () => {
    const write = async (): Promise<void> => {
      const options = { connection: redis.url, stream: STREAM, service: { name: 'orders' } };
      await using writer = new RedisLogWriter(options);
      for (let i = 0; i < 400; i++) writer.emit({ body: `Message ${i % 4}`, severityNumber: 9 });
      await writer.flush();
    };
    await using counting = startCounting({ connection: redis.url, compatibility: 'redis-in-action' });
    await Promise.all(Array.from({ length: 8 }, write));
    await counting.reaches(3_200);
    await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
    const counts = new Map(table(await insights.common('orders', 'info', '1h')));
    expect(counts).toEqual(new Map([0, 1, 2, 3].map((n) => [`Message ${n}`, 800])));
  });
});
