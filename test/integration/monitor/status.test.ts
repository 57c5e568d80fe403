import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, GROUP, groupOf, read, STREAM, streamOf, watching } from './support.js';

const redis = useRedisServer();
const window = 3;

async function group(from = '0'): Promise<void> {
  await redis.client.xgroup('CREATE', STREAM, GROUP, from, 'MKSTREAM');
}

async function acknowledge(ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.client.xack(STREAM, GROUP, ...ids);
}

describe('The status of a group', () => {
  it('is OK while it is read to its end now and then', async () => {
    await group();
    await using monitor = watching(redis.url, { window });
    for (let round = 0; round < 5; round++) {
      await add(redis.client, 10);
      await acknowledge(await read(redis.client, round % 2 === 0 ? 100 : 5));
      expect(groupOf(await monitor.sample())).toMatchObject({ status: 'OK', advice: 'Nothing to do.' });
    }
  });

  it('is BEHIND when it reads and falls further behind with every sample, and OK again when it catches up', async () => {
    await group();
    await add(redis.client, 100);
    await using monitor = watching(redis.url, { window });
    for (let round = 0; round < window; round++) {
      await acknowledge(await read(redis.client, 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await add(redis.client, 20);
      const { status } = groupOf(await monitor.sample());
      expect(status).toBe(round < window - 1 ? 'OK' : 'BEHIND');
    }
    expect(groupOf(await monitor.sample()).advice).toMatch(/Add consumers/);
    await acknowledge(await read(redis.client, 1_000));
    expect(groupOf(await monitor.sample())).toMatchObject({ status: 'OK', timeBehindMs: 0 });
  });

  it('is STALLED when a live consumer reads nothing of what waits', async () => {
    await group();
    await add(redis.client, 2);
    await acknowledge(await read(redis.client, 1));
    await using monitor = watching(redis.url, { window });
    const seen: string[] = [];
    for (let round = 0; round < window; round++) {
      await add(redis.client, 1);
      seen.push(groupOf(await monitor.sample()).status);
    }
    expect(seen).toEqual(['OK', 'OK', 'STALLED']);
    expect(groupOf(await monitor.sample()).advice).toMatch(/^4 entries wait and none was read/);
  });

  it('is STUCK when what was delivered is not acknowledged for longer than it takes to claim it', async () => {
    await group();
    await add(redis.client, 5);
    await read(redis.client, 5);
    // As if it had been delivered long ago.
    const [first] = await redis.client.xrange(STREAM, '-', '+', 'COUNT', 1);
    await redis.client.xclaim(STREAM, GROUP, 'c1', 0, first?.[0] ?? '', 'IDLE', 61_000);
    await using monitor = watching(redis.url, { window });
    const sample = groupOf(await monitor.sample());
    expect(sample).toMatchObject({ status: 'STUCK', pending: 5, lag: { kind: 'exact', entries: 0 } });
    expect(sample.oldestPending).toMatchObject({ id: first?.[0], consumer: 'c1', deliveries: 2 });
    expect(sample.oldestPending?.pendingForMs).toBeGreaterThanOrEqual(61_000);
    await redis.client.xack(STREAM, GROUP, first?.[0] ?? '');
    expect(groupOf(await monitor.sample()).status).toBe('OK');
  });

  it('is NO CONSUMER when something waits and nobody has asked for it', async () => {
    await group();
    await add(redis.client, 3);
    await using monitor = watching(redis.url, { window });
    expect(groupOf(await monitor.sample())).toMatchObject({ status: 'NO CONSUMER', consumers: [] });
    await acknowledge(await read(redis.client, 1));
    expect(groupOf(await monitor.sample()).status).toBe('OK');
  });

  it('is LOSING from the sample in which entries were trimmed unread, counts them, and ends when the group is past', async () => {
    await group();
    await add(redis.client, 10);
    await acknowledge(await read(redis.client, 4));
    await using monitor = watching(redis.url, { window });
    expect(groupOf(await monitor.sample()).lost).toEqual({ kind: 'exact', entries: 0 });
    await redis.client.xtrim(STREAM, 'MAXLEN', 2);
    await add(redis.client, 1);
    const losing = groupOf(await monitor.sample());
    expect(losing).toMatchObject({ status: 'LOSING', lost: { kind: 'exact', entries: 4 } });
    expect(losing.advice).toBe(
      '4 entries were trimmed before they were read. Add consumers now, or raise retention.maxLength of the producers.',
    );
    await acknowledge(await read(redis.client, 100));
    const after: string[] = [];
    for (let round = 0; round < 5; round++) after.push(groupOf(await monitor.sample()).status);
    expect(after).toEqual(['LOSING', 'LOSING', 'LOSING', 'LOSING', 'OK']);
    expect(groupOf(await monitor.sample()).lost).toEqual({ kind: 'exact', entries: 4 });
  });

  it('is LOSING in every sample in which more was lost, though the group is past that place again', async () => {
    await group();
    await add(redis.client, 1);
    await read(redis.client, 1);
    await using monitor = watching(redis.url, { window });
    expect(groupOf(await monitor.sample()).status).toBe('OK');
    for (let round = 1; round <= 4; round++) {
      await add(redis.client, 100);
      await redis.client.xtrim(STREAM, 'MAXLEN', 10);
      await read(redis.client, 10);
      const seen = groupOf(await monitor.sample());
      expect(seen).toMatchObject({ status: 'LOSING', lost: { kind: 'exact', entries: 90 * round } });
    }
  });

  it('is LOSING for as long as losses come in steps, as trimming whole nodes makes them', async () => {
    await group();
    const { client } = redis;
    await using monitor = watching(redis.url, { window, retention: { maxLength: 1_000 } });
    await add(client, 1_000);
    const seen: string[] = [];
    for (let round = 0; round < 40; round++) {
      const pipeline = client.pipeline();
      for (let index = 0; index < 13; index++) pipeline.xadd(STREAM, 'MAXLEN', '~', 1_000, '*', 'a', 'b');
      await pipeline.exec();
      await acknowledge(await read(client, 1));
      const { status, lost } = groupOf(await monitor.sample());
      if (lost.kind === 'exact' && lost.entries > 0) seen.push(status);
    }
    expect(seen.length).toBeGreaterThan(20);
    expect(new Set(seen)).toEqual(new Set(['LOSING']));
  });

  it('is LOSING in the first sample of a new monitor, too, by what Redis counted', async () => {
    await group();
    await add(redis.client, 10);
    await read(redis.client, 4);
    await redis.client.xtrim(STREAM, 'MAXLEN', 2);
    await using monitor = watching(redis.url, { window });
    expect(groupOf(await monitor.sample())).toMatchObject({
      status: 'LOSING',
      lost: { kind: 'at-least', entries: 4 },
    });
  });

  it('claims no exact loss of the time before it, which a correction of the count of entries read hides', async () => {
    await group();
    await add(redis.client, 10);
    await read(redis.client, 4);
    await redis.client.xtrim(STREAM, 'MAXLEN', 2);
    await using healing = watching(redis.url, { window });
    await healing.sample();
    expect(await healing.heal()).toHaveLength(1);
    expect(groupOf(await healing.sample()).lost).toEqual({ kind: 'at-least', entries: 4 });
    await using later = watching(redis.url, { window });
    expect(groupOf(await later.sample()).lost).toEqual({ kind: 'at-least', entries: 0 });
    await redis.client.xtrim(STREAM, 'MAXLEN', 1);
    expect(groupOf(await later.sample())).toMatchObject({
      status: 'LOSING',
      lost: { kind: 'at-least', entries: 1 },
      advice: expect.stringMatching(/^At least 1 entry was trimmed before it was read\. /),
    });
  });

  it('is not LOSING when what was trimmed had been read', async () => {
    await group();
    await add(redis.client, 10);
    await read(redis.client, 8);
    await redis.client.xtrim(STREAM, 'MAXLEN', 2);
    await using monitor = watching(redis.url, { window });
    expect(groupOf(await monitor.sample())).toMatchObject({
      status: 'OK',
      lost: { kind: 'at-least', entries: 0 },
    });
  });

  it('is UNKNOWN, with the reason, when the lag cannot be told', async () => {
    const { client } = redis;
    const ids = await add(client, 20);
    await group(ids[3]);
    await read(client, 4);
    await client.xdel(STREAM, ids[15] ?? '');
    await using monitor = watching(redis.url, { countLimit: 0 });
    const sample = groupOf(await monitor.sample());
    expect(sample).toMatchObject({ status: 'UNKNOWN', lag: { kind: 'unknown' } });
    expect(sample.advice).toMatch(/nothing is counted with countLimit: 0; raise countLimit/);
  });

  it('says when trimming will pass the group', async () => {
    const { client } = redis;
    await group();
    await using monitor = watching(redis.url, { window, retention: { maxLength: 1_000 } });
    await monitor.sample();
    for (let round = 0; round < 2; round++) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      await add(client, 100);
      await acknowledge(await read(client, 20));
      await monitor.sample();
    }
    const { losingInMs, advice, lag, readPerSecond = 0 } = groupOf(await monitor.sample());
    const { addedPerSecond = 0 } = streamOf(await monitor.sample());
    expect(lag).toEqual({ kind: 'exact', entries: 160 });
    expect(readPerSecond / addedPerSecond).toBeCloseTo(0.2, 1);
    expect(losingInMs).toBeGreaterThan(0);
    expect(losingInMs).toBeLessThan(60_000);
    expect(advice).toMatch(/^Losing records in .*Add consumers/);
  });

  it('is OK, without a forecast, while what waits is little against what is kept, whatever the rates say', async () => {
    const { client } = redis;
    await group();
    await using monitor = watching(redis.url, { retention: { maxLength: 1_000, maxAgeMs: 3_600_000 } });
    for (let round = 0; round < 5; round++) {
      await add(client, 20);
      await acknowledge(await read(client, 5));
      const seen = groupOf(await monitor.sample());
      expect(seen).toMatchObject({ status: 'OK', losingInMs: undefined, advice: 'Nothing to do.' });
    }
  });

  it('is not OK while entries are about to be lost, though all was read a few samples before', async () => {
    const { client } = redis;
    await group();
    await using monitor = watching(redis.url, { retention: { maxLength: 1_000 } });
    await add(client, 10);
    await acknowledge(await read(client, 10));
    expect(groupOf(await monitor.sample())).toMatchObject({ status: 'OK', losingInMs: undefined });
    const seen: [string, boolean][] = [];
    for (let round = 0; round < 4; round++) {
      await add(client, 100);
      await acknowledge(await read(client, 10));
      await new Promise((resolve) => setTimeout(resolve, 5));
      const { status, losingInMs } = groupOf(await monitor.sample());
      seen.push([status, losingInMs !== undefined]);
    }
    expect(seen).toEqual([
      ['OK', false],
      ['BEHIND', true],
      ['BEHIND', true],
      ['BEHIND', true],
    ]);
  });
});

describe('A sample', () => {
  it('shows length, rates, ages, memory, dead letters, consumers and the server', async () => {
    const { client } = redis;
    await group();
    await add(client, 50);
    await read(client, 10, 'c1');
    await read(client, 5, 'c2');
    await client.xadd(`{${STREAM}}:dlq`, '*', 'a', 'b');
    await using monitor = watching(redis.url);
    await monitor.sample();
    await add(client, 50);
    await client.xtrim(STREAM, 'MAXLEN', 80);
    const sample = await monitor.sample();
    const stream = streamOf(sample);
    expect(stream).toMatchObject({
      exists: true,
      problem: undefined,
      length: 80,
      entriesAdded: 100,
      deadLetters: 1,
    });
    expect(stream.addedPerSecond).toBeGreaterThan(0);
    expect((stream.removedPerSecond ?? 0) / (stream.addedPerSecond ?? 1)).toBeCloseTo(0.4, 5);
    expect(stream.memoryBytes).toBeGreaterThan(500);
    expect(stream.oldestAgeMs).toBeLessThan(10_000);
    expect(stream.newestAgeMs).toBeLessThanOrEqual(stream.oldestAgeMs ?? 0);
    const names = groupOf(sample).consumers.map(({ name, pending }) => [name, pending]);
    expect(names).toEqual([
      ['c1', 10],
      ['c2', 5],
    ]);
    expect(sample.servers).toHaveLength(1);
    expect(sample.servers[0]).toMatchObject({
      address: `127.0.0.1:${redis.server.port}`,
      role: 'master',
      memoryMaxBytes: 0,
      evictionPolicy: 'noeviction',
      evictedKeys: 0,
      newlyEvictedKeys: 0,
      appendOnly: false,
      persistenceOk: true,
    });
  });

  it('of a stream that is not there yet says so, and of one that is no stream why', async () => {
    await redis.client.set('text', 'x');
    await using monitor = watching(redis.url, { streams: ['none', 'text'] });
    const [none, text] = (await monitor.sample()).streams;
    expect(none).toMatchObject({ exists: false, problem: undefined, groups: [] });
    expect(text?.problem).toMatch(/WRONGTYPE/);
  });

  it('without a connection says so and comes again by itself', async () => {
    await using monitor = watching(redis.url, { timeoutMs: 500 });
    await group();
    await add(redis.client, 1);
    expect(groupOf(await monitor.sample()).lag).toEqual({ kind: 'exact', entries: 1 });
    await redis.server.pause();
    try {
      const sample = await monitor.sample();
      expect(streamOf(sample)).toMatchObject({ length: 1, problem: expect.any(String) });
      expect(groupOf(sample)).toMatchObject({
        status: 'UNKNOWN',
        lag: { kind: 'unknown' },
        timeBehindMs: undefined,
      });
    } finally {
      await redis.server.resume();
    }
    await expect.poll(async () => streamOf(await monitor.sample()).problem).toBeUndefined();
  });

  it('comes at every interval to a for await, until the monitor is stopped', async () => {
    await add(redis.client, 1);
    const monitor = watching(redis.url, { intervalMs: 100 });
    const lengths: number[] = [];
    for await (const sample of monitor) {
      lengths.push(streamOf(sample).length);
      await add(redis.client, 1);
      if (lengths.length === 3) await monitor.stop();
    }
    expect(lengths).toEqual([1, 2, 3]);
    await expect(monitor.sample()).rejects.toMatchObject({ code: 'REDIS_LOG_CLOSED' });
  });
});
