import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, countedLag, GROUP, groupOf, pairs, read, STREAM, watching } from './support.js';

const redis = useRedisServer();
const HOUR = 3_600_000;

/** Long enough for a busy machine to do something in between. */
const IDLE_MS = 300;

/** Consumers that say nothing meanwhile count as idle. */
async function silence(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS + 10));
}

async function consumers(): Promise<Record<string, number>> {
  const rows = (await redis.client.xinfo('CONSUMERS', STREAM, GROUP)) as unknown[][];
  const fields = rows.map((row) => new Map(pairs(row)));
  return Object.fromEntries(fields.map((row) => [String(row.get('name')), Number(row.get('pending'))]));
}

async function pendingIds(): Promise<string[]> {
  const rows = (await redis.client.xpending(STREAM, GROUP, '-', '+', 100_000)) as [string, string][];
  return rows.map(([id]) => id).toSorted();
}

describe('Cleaning up idle consumers', () => {
  it('hands everything they hold to live ones, the young entries too, and keeps the delivery counts', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(client, 1_300);
    const held = await read(client, 1_200, 'dead');
    await client.xclaim(STREAM, GROUP, 'dead', 0, held[5] ?? '', 'RETRYCOUNT', 4);
    await using monitor = watching(redis.url);
    await monitor.sample();
    await silence();
    await read(client, 10, 'busy');
    await read(client, 3, 'free');
    const before = await pendingIds();
    const cleaned = await monitor.cleanUp({ idleMs: IDLE_MS });
    expect(cleaned).toEqual([
      {
        stream: STREAM,
        group: GROUP,
        consumer: 'dead',
        outcome: 'deleted',
        to: 'free',
        moved: 1_200,
        missing: 0,
      },
    ]);
    expect(await consumers()).toEqual({ busy: 10, free: 1_203 });
    expect(await pendingIds()).toEqual(before);
    const [row] = (await client.xpending(STREAM, GROUP, held[5] ?? '', held[5] ?? '', 1)) as unknown[][];
    expect(row?.[3]).toBe(4);
  });

  it('never touches a consumer that came back between the look and the deed', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(client, 10);
    await read(client, 4, 'slow');
    await using monitor = watching(redis.url);
    await monitor.sample();
    await silence();
    await read(client, 1, 'live');
    const sample = await monitor.sample();
    expect(groupOf(sample).consumers.find(({ name }) => name === 'slow')?.idleMs).toBeGreaterThanOrEqual(
      IDLE_MS,
    );
    await read(client, 2, 'slow');
    const { cleanGroup } = await import('../../../src/monitor/janitor.js');
    const { MonitorConnection } = await import('../../../src/redis/monitor-connection.js');
    const connection = new MonitorConnection(redis.url, { timeoutMs: 1_000 });
    await connection.ready();
    try {
      expect(await cleanGroup(connection, groupOf(sample), IDLE_MS)).toMatchObject([
        { consumer: 'slow', outcome: 'active' },
      ]);
    } finally {
      connection.close();
    }
    expect(await consumers()).toEqual({ live: 1, slow: 6 });
  });

  it('leaves a consumer that holds something where nobody can take it over, and removes one that holds nothing', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(client, 3);
    await read(client, 3, 'full');
    await client.xgroup('CREATECONSUMER', STREAM, GROUP, 'empty');
    await silence();
    await using monitor = watching(redis.url);
    const outcomes = (await monitor.cleanUp({ idleMs: IDLE_MS })).map(({ consumer, outcome }) => [
      consumer,
      outcome,
    ]);
    expect(outcomes).toEqual([
      ['empty', 'deleted'],
      ['full', 'no-target'],
    ]);
    expect(await consumers()).toEqual({ full: 3 });
  });

  it('acknowledges what a dead consumer held and the stream no longer has', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(client, 10);
    await read(client, 8, 'dead');
    await client.xtrim(STREAM, 'MAXLEN', 5);
    await using monitor = watching(redis.url);
    await monitor.sample();
    await silence();
    await read(client, 1, 'live');
    expect(await monitor.cleanUp({ idleMs: IDLE_MS })).toMatchObject([
      { outcome: 'deleted', moved: 3, missing: 5 },
    ]);
    expect(await consumers()).toEqual({ live: 4 });
  });

  it('works for every group of a stream, each with its own live consumers', async () => {
    const { client } = redis;
    await add(client, 10);
    for (const name of ['a', 'b']) {
      await client.xgroup('CREATE', STREAM, name, '0');
      await read(client, 5, { consumer: 'dead', group: name });
    }
    await using monitor = watching(redis.url);
    await monitor.sample();
    await silence();
    for (const name of ['a', 'b']) await read(client, 1, { consumer: `live-${name}`, group: name });
    const moved = (await monitor.cleanUp({ idleMs: IDLE_MS })).map(({ group, to, moved: n }) => [
      group,
      to,
      n,
    ]);
    expect(moved).toEqual([
      ['a', 'live-a', 5],
      ['b', 'live-b', 5],
    ]);
  });

  it('touches nobody when its options are wrong, and names all that is wrong with them', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await client.xgroup('CREATECONSUMER', STREAM, GROUP, 'alive');
    await using monitor = watching(redis.url);
    for (const idleMs of [-5, 0, 0.5, Number.NaN, '60000', null]) {
      await expect(monitor.cleanUp({ idleMs } as { idleMs: number })).rejects.toMatchObject({
        code: 'REDIS_LOG_INVALID_OPTIONS',
        subject: 'idleMs',
      });
    }
    const wrong = { idle: 5, idleMs: -5 } as { idleMs: number };
    await expect(monitor.cleanUp(wrong)).rejects.toThrow(/2 problems:\n- idleMs: got -5.*\n- idle: unknown/);
    await expect(monitor.cleanUp(null as unknown as object)).rejects.toThrow(/- options: got null/);
    expect(await consumers()).toEqual({ alive: 0 });
    expect(await monitor.cleanUp({ idleMs: undefined } as object)).toEqual([]);
  });

  it('happens by itself where it is asked for', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await client.xgroup('CREATECONSUMER', STREAM, GROUP, 'gone');
    await new Promise((resolve) => setTimeout(resolve, 1_010));
    await using monitor = watching(redis.url, { cleanUp: { idleMs: 1_000 } });
    await monitor.sample();
    expect(await consumers()).toEqual({});
    await using careful = watching(redis.url, { cleanUp: { idleMs: HOUR } });
    await client.xgroup('CREATECONSUMER', STREAM, GROUP, 'new');
    await careful.sample();
    expect(await consumers()).toEqual({ new: 0 });
  });
});

describe('Healing', () => {
  it('makes Redis, and with it KEDA and redis_exporter, see the true lag', async () => {
    const { client } = redis;
    await add(client, 10);
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'ENTRIESREAD', '0');
    await client.xgroup('CREATE', STREAM, 'fresh', '$');
    await read(client, 3);
    await client.xtrim(STREAM, 'MAXLEN', 4);
    await read(client, 4);
    await add(client, 5);
    await using monitor = watching(redis.url);
    const before = await monitor.sample();
    expect(groupOf(before)).toMatchObject({ redisLag: 8, lag: { kind: 'exact', entries: 5 } });
    expect(groupOf(before, 'fresh')).toMatchObject({
      redisLag: undefined,
      lag: { kind: 'exact', entries: 5 },
    });
    expect((await monitor.heal()).map(({ group, entriesRead }) => [group, entriesRead])).toEqual([
      [GROUP, 10],
      ['fresh', 10],
    ]);
    const after = await monitor.sample();
    expect(groupOf(after)).toMatchObject({ redisLag: 5, lost: { kind: 'at-least', entries: 3 } });
    expect(groupOf(after, 'fresh').redisLag).toBe(5);
    expect(await monitor.heal()).toEqual([]);
    // With nothing counted: Redis' counters go on from what was corrected.
    await using calculating = watching(redis.url, { countLimit: 0 });
    await client.xgroup('SETID', STREAM, GROUP, '0');
    await calculating.sample();
    await calculating.heal();
    expect(await read(client, 2)).toHaveLength(2);
    await add(client, 1);
    expect(groupOf(await calculating.sample()).lag).toEqual({
      kind: 'exact',
      entries: await countedLag(client),
    });
  });
});
