import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { IS_LONG_RUN } from '../../support/long-run.js';
import { startRedisSentinels } from '../../support/redis-sentinel.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import {
  deferred,
  consume,
  deadLetters,
  members,
  numbered,
  pending,
  type Running,
  STREAM,
  write,
} from '../../integration/consumer/support.js';
import { startRedisServer } from '../../support/redis-server.js';

const redis = useRedisServer();

function twice<T>(items: readonly T[]): T[] {
  return items.filter((item, at) => items.indexOf(item) !== at);
}

describe('A group that is deleted under its consumer', () => {
  it('is made again from the last acknowledged record: nothing is missed, and nothing comes twice', async () => {
    await write({ connection: redis.url }, numbered(100));
    await using running = consume({ connection: redis.url });
    await running.reaches({ acknowledged: 100 });
    await redis.client.xgroup('DESTROY', STREAM, 'etl');
    await write({ connection: redis.url }, numbered(50, 100));
    const start = performance.now();
    await running.reaches({ acknowledged: 150, groupsRecreated: 1 });
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(running.handled).toEqual(numbered(150));
    expect(running.lines.join()).toContain('was gone. It was made again');
  });

  it('while its handler works, still gets each record to the end, once', async () => {
    await write({ connection: redis.url }, numbered(30));
    const release = deferred();
    await using running = consume(
      { connection: redis.url, batchSize: 10, concurrency: 2 },
      () => release.promise,
    );
    await running.reaches({ held: 20 });
    await redis.client.xgroup('DESTROY', STREAM, 'etl');
    release.resolve();
    await running.reaches({ groupsRecreated: 1, held: 0 });
    await until(() => running.handled.length >= 30);
    expect(new Set(running.handled).size).toBe(30);
    expect(twice(running.handled)).toEqual([]);
    await until(async () => (await pending(redis.client)) === 0);
  });
});

describe('A stream that is deleted under its consumer', () => {
  it('begins anew: all that is written afterwards is handled', async () => {
    await write({ connection: redis.url }, numbered(20));
    await using running = consume({ connection: redis.url });
    await running.reaches({ acknowledged: 20 });
    await redis.client.del(STREAM);
    await write({ connection: redis.url }, numbered(20, 20));
    await running.reaches({ acknowledged: 40 });
    expect(running.handled).toEqual(numbered(40));
    await redis.client.flushall();
    await running.reaches({ groupsRecreated: 2 });
    await write({ connection: redis.url }, numbered(20, 40));
    await running.reaches({ acknowledged: 60 });
    expect(running.handled).toEqual(numbered(60));
  });
});

describe('A stream that is trimmed', () => {
  it('takes entries away that a dead consumer held: they are off the list and counted as lost', async () => {
    await write({ connection: redis.url }, numbered(10));
    await redis.client.xgroup('CREATE', STREAM, 'etl', '0');
    await redis.client.xreadgroup('GROUP', 'etl', 'dead', 'COUNT', 5, 'STREAMS', STREAM, '>');
    await redis.client.xtrim(STREAM, 'MAXLEN', 7);
    await using running = consume({ connection: redis.url, minIdleMs: 200 });
    await running.reaches({ acknowledged: 7, reclaimed: 2, trimmedPending: 3 });
    expect(await pending(redis.client)).toBe(0);
    expect(running.handled.toSorted()).toEqual(numbered(7, 3).toSorted());
  });

  it('past the group loses records unread: they are counted, exactly, and told of', async () => {
    await write({ connection: redis.url }, numbered(100));
    const release = deferred();
    await using running = consume(
      { connection: redis.url, batchSize: 10, minIdleMs: 200 },
      () => release.promise,
    );
    await running.reaches({ held: 10 });
    await redis.client.xtrim(STREAM, 'MAXLEN', 40);
    await running.reaches({ trimmedUnread: 50 });
    expect(running.lines.join()).toContain('50 records are gone that nobody in it has read');
    release.resolve();
    await running.reaches({ acknowledged: 50, held: 0, trimmedUnread: 50 });
    expect(running.handled).toEqual([...numbered(10), ...numbered(40, 60)]);
  });
});

describe('Records that were trimmed while no consumer ran', () => {
  it('are counted by the next one that starts, once, and by none after it', async () => {
    await write({ connection: redis.url }, numbered(10));
    await consumed(10);
    await write({ connection: redis.url }, numbered(20, 10));
    await redis.client.xtrim(STREAM, 'MAXLEN', 5);
    expect(await consumed(5)).toMatchObject({ trimmedUnread: 15 });
    await write({ connection: redis.url }, numbered(3, 30));
    expect(await consumed(3)).toMatchObject({ trimmedUnread: 0 });
  });

  async function consumed(count: number): Promise<Running['stats']> {
    await using running = consume({ connection: redis.url });
    await running.reaches({ acknowledged: count });
    return running.stats;
  }
});

describe('A restart after which Redis has forgotten how much a group had read', () => {
  it('is not taken for a loss: nothing was trimmed', async () => {
    await using server = await startRedisServer({ appendOnly: true, config: ['appendfsync always'] });
    await write({ connection: server.url }, numbered(7));
    await using running = consume({ connection: server.url, from: 'now', minIdleMs: 200 });
    await until(async () => (await groupOf(server.client())) !== undefined);
    await write({ connection: server.url }, numbered(100, 7));
    await running.reaches({ acknowledged: 100 });
    await server.kill();
    await server.restart();
    expect((await groupOf(server.client()))?.get('entries-read')).toBe(7);
    await write({ connection: server.url }, numbered(50, 107));
    await running.reaches({ acknowledged: 150 });
    const before = await looks(server.client());
    await until(async () => (await looks(server.client())) > before + 3);
    expect(running.stats.trimmedUnread).toBe(0);
    expect(running.lines.join()).not.toContain('are gone');
  });

  /** How often somebody asked how far the groups are. */
  async function looks(client: Redis): Promise<number> {
    return Number(/cmdstat_xinfo\|groups:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
  }

  async function groupOf(client: Redis): Promise<Map<unknown, unknown> | undefined> {
    try {
      const [group] = (await client.xinfo('GROUPS', STREAM)) as unknown[][];
      if (group === undefined) return undefined;
      return new Map(group.flatMap((name, at) => (at % 2 === 0 ? [[name, group[at + 1]]] : [])));
    } catch {
      return undefined;
    }
  }
});

describe('A consumer that dies', () => {
  it('leaves what it held to another within minIdleMs and a second, with the delivery count', async () => {
    await write({ connection: redis.url }, numbered(10));
    await redis.client.xgroup('CREATE', STREAM, 'etl', '0');
    await redis.client.xreadgroup('GROUP', 'etl', 'dead', 'COUNT', 4, 'STREAMS', STREAM, '>');
    const start = performance.now();
    const counts: number[] = [];
    await using running = consume(
      { connection: redis.url, minIdleMs: 500, forgetConsumersAfterMs: 1_000 },
      (batch) => {
        for (const { deliveryCount } of batch) counts.push(deliveryCount);
      },
    );
    await running.reaches({ acknowledged: 10, reclaimed: 4 });
    expect(performance.now() - start).toBeLessThan(1_600);
    expect(counts.toSorted((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    // The dead one's name goes only now that it holds nothing.
    await until(async () => (await members(redis.client)).length === 1);
    expect(await members(redis.client)).toEqual([running.consumer.name]);
  });

  it('keeps its name for as long as it holds something, however long it is silent', async () => {
    await write({ connection: redis.url }, numbered(3));
    await redis.client.xgroup('CREATE', STREAM, 'etl', '0');
    await redis.client.xreadgroup('GROUP', 'etl', 'holder', 'COUNT', 1, 'STREAMS', STREAM, '>');
    await redis.client.xgroup('CREATECONSUMER', STREAM, 'etl', 'empty');
    await using running = consume({
      connection: redis.url,
      minIdleMs: 60_000,
      forgetConsumersAfterMs: 1_000,
    });
    await until(async () => !(await members(redis.client)).includes('empty'));
    expect(await members(redis.client)).toContain('holder');
    expect(await pending(redis.client)).toBe(1);
    expect(running.stats.acknowledged).toBe(2);
  });

  it('again and again with the same record has it set aside, unhandled', async () => {
    await write({ connection: redis.url }, ['killer']);
    await redis.client.xgroup('CREATE', STREAM, 'etl', '0');
    await redis.client.xreadgroup('GROUP', 'etl', 'dead', 'STREAMS', STREAM, '>');
    const [first] = await redis.client.xrange(STREAM, '-', '+');
    await redis.client.xclaim(STREAM, 'etl', 'dead', 0, first?.[0] ?? '', 'RETRYCOUNT', 5);
    await using running = consume({ connection: redis.url, minIdleMs: 100 });
    await running.reaches({ deadLettered: 1, reclaimed: 1 });
    expect(running.handled).toEqual([]);
    expect(await deadLetters(redis.client)).toMatchObject([
      { '@dlq.reason': 'max-deliveries', '@dlq.deliveries': '6' },
    ]);
  });
});

describe('A handler that takes longer than minIdleMs', () => {
  it('keeps its records to itself: nobody else gets them meanwhile', async () => {
    await write({ connection: redis.url }, numbered(4));
    const release = deferred();
    await using slow = consume({ connection: redis.url, minIdleMs: 300 }, () => release.promise);
    await slow.reaches({ held: 4 });
    await using other = consume({ connection: redis.url, minIdleMs: 300 });
    const start = performance.now();
    await until(() => performance.now() - start > 1_500);
    expect(other.stats).toMatchObject({ reclaimed: 0, received: 0 });
    release.resolve();
    await slow.reaches({ acknowledged: 4 });
    expect(await pending(redis.client)).toBe(0);
  });
});

describe('A clock that jumps', () => {
  it('on the server hands records out too early: they may come twice, and none is lost', async () => {
    await write({ connection: redis.url }, numbered(20));
    const release = deferred();
    await using first = consume({ connection: redis.url, minIdleMs: 60_000 }, () => release.promise);
    await first.reaches({ held: 20 });
    // What the server's clock makes of it, an hour ahead: everything has been idle for an hour.
    const ids = (await redis.client.xrange(STREAM, '-', '+')).map(([id]) => id);
    await redis.client.xclaim(
      STREAM,
      'etl',
      String(first.consumer.name),
      0,
      ...ids,
      'IDLE',
      3_600_000,
      'JUSTID',
    );
    await using second = consume({ connection: redis.url, minIdleMs: 60_000 });
    await second.reaches({ acknowledged: 20, reclaimed: 20 });
    release.resolve();
    await first.reaches({ held: 0 });
    expect(first.handled.toSorted()).toEqual(second.handled.toSorted());
    expect(await pending(redis.client)).toBe(0);
  });
});

describe('Redis that is stopped', () => {
  it('is waited for: every record is handled, those of the open batch too', async () => {
    await using server = await startRedisServer({ appendOnly: true, config: ['appendfsync always'] });
    await write({ connection: server.url }, numbered(200));
    const release = deferred();
    let calls = 0;
    await using running = consume({ connection: server.url, batchSize: 50 }, async () => {
      if (++calls === 2) await release.promise;
    });
    await running.reaches({ held: 50, acknowledged: 50 });
    await server.kill();
    release.resolve();
    await until(() => running.handled.length === 100);
    const start = performance.now();
    await until(() => performance.now() - start > (IS_LONG_RUN ? 30_000 : 3_000), { timeoutMs: 60_000 });
    await server.restart();
    await running.reaches({ acknowledged: 200, held: 0 }, 20_000);
    expect(running.handled).toEqual(numbered(200));
    expect(running.lines.filter((line) => line.includes('is not usable'))).toHaveLength(1);
    expect(running.lines.filter((line) => line.includes('answers again'))).toHaveLength(1);
  });
});

describe('A connection that is a black hole', () => {
  it('is told from an idle stream, and replaced; what was given to it is handled once', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await using running = consume({ connection: proxy.url, heartbeatMs: 300 });
    await write({ connection: redis.url }, numbered(5));
    await running.reaches({ acknowledged: 5 });
    const before = proxy.counts.connections;
    await proxy.set({ blackHole: 'down' });
    // The server hands these to the reader that cannot hear it.
    await write({ connection: redis.url }, numbered(5, 5));
    await until(async () => (await pending(redis.client)) > 0);
    // Both links are given up: that of the reads and that of the commands.
    await until(() => proxy.counts.connections >= before + 2, { timeoutMs: 5_000 });
    await proxy.heal();
    await running.reaches({ acknowledged: 10 }, 20_000);
    expect(running.handled).toEqual(numbered(10));
    expect(running.stats.reclaimed).toBeGreaterThan(0);
  });

  it('is found on all of its links within three heartbeats, although commands may take longer', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await using running = consume({ connection: proxy.url, heartbeatMs: 500, minIdleMs: 60_000 });
    await write({ connection: redis.url }, numbered(5));
    await running.reaches({ acknowledged: 5 });
    expect(running.consumer.options.sendTimeoutMs).toBe(10_000);
    const before = proxy.counts.connections;
    await proxy.set({ blackHole: true });
    const start = performance.now();
    await write({ connection: redis.url }, numbered(5, 5));
    await until(() => proxy.counts.connections >= before + 2, { timeoutMs: 5_000 });
    expect(performance.now() - start).toBeLessThan(1_500);
    proxy.cut();
    await proxy.heal();
    await running.reaches({ acknowledged: 10 });
    expect(running.handled).toEqual(numbered(10));
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('loses no acknowledgement: what was handled is not handled again', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await write({ connection: redis.url }, numbered(40));
    let calls = 0;
    await using running = consume({ connection: proxy.url, batchSize: 10, sendTimeoutMs: 300 }, async () => {
      if (++calls === 2) await proxy.set({ blackHole: 'up' });
    });
    await until(() => running.handled.length >= 20);
    await until(() => running.lines.some((line) => line.includes('is not usable')), { timeoutMs: 5_000 });
    proxy.cut();
    await proxy.heal();
    await running.reaches({ acknowledged: 40, held: 0 }, 20_000);
    expect(running.handled.toSorted()).toEqual(numbered(40).toSorted());
  });
});

describe('A failover by Sentinel', () => {
  it('loses nothing: the consumer goes on with the new primary', async () => {
    await using group = await startRedisSentinels();
    const connection = { sentinels: [...group.addresses], name: group.name };
    await write({ connection }, numbered(500));
    await using running = consume(
      { connection, batchSize: 10 },
      () => new Promise((resolve) => setTimeout(resolve, 2)),
    );
    await until(() => running.stats.acknowledged >= 100);
    await until(async () => (await group.replica.client().xlen(STREAM)) === 500);
    await group.master.kill();
    await until(async () => (await group.masterPort()) === group.replica.port, { timeoutMs: 30_000 });
    await write({ connection }, numbered(100, 500));
    await until(() => new Set(running.handled).size === 600, { timeoutMs: 30_000 });
    await running.reaches({ held: 0 });
    await until(async () => (await pending(group.replica.client())) === 0);
    // Acknowledgements that the old primary alone had are forgotten with it; few, as replication lags by a moment.
    expect(twice(running.handled).length).toBeLessThanOrEqual(20);
  }, 60_000);
});
