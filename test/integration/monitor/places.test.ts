import { aclRules } from 'nestjs-redis-log/core';
import type { StreamMonitor } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { startRedisSentinels } from '../../support/redis-sentinel.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, addCounts, GROUP, groupOf, pairs, read, STREAM, streamOf, watching } from './support.js';

const redis = useRedisServer();

async function prepare(stream = STREAM, client = redis.client): Promise<void> {
  await client.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
  await add(client, 10, stream);
  await client.xreadgroup('GROUP', GROUP, 'c1', 'COUNT', 4, 'STREAMS', stream, '>');
}

async function expectSeen(monitor: StreamMonitor): Promise<void> {
  const sample = await monitor.sample();
  expect(streamOf(sample)).toMatchObject({ problem: undefined, length: 10, deadLetters: 0 });
  expect(streamOf(sample).memoryBytes).toBeGreaterThan(0);
  expect(groupOf(sample)).toMatchObject({ lag: { kind: 'exact', entries: 6 }, pending: 4 });
  expect(sample.servers.length).toBeGreaterThan(0);
}

describe('The monitor works', () => {
  it('under the keyPrefix of the connection', async () => {
    await prepare(`app:${STREAM}`);
    await redis.client.xadd(`{app:${STREAM}}:dlq`, '*', 'a', 'b');
    await using monitor = watching({ host: '127.0.0.1', port: redis.server.port, keyPrefix: 'app:' });
    const stream = streamOf(await monitor.sample());
    expect(stream).toMatchObject({ stream: STREAM, length: 10, deadLetters: 1 });
    expect(groupOf(await monitor.sample()).lag).toEqual({ kind: 'exact', entries: 6 });
    await new Promise((resolve) => setTimeout(resolve, 310));
    await redis.client.xreadgroup('GROUP', GROUP, 'c2', 'COUNT', 1, 'STREAMS', `app:${STREAM}`, '>');
    expect(await monitor.cleanUp({ idleMs: 300 })).toMatchObject([{ consumer: 'c1', to: 'c2', moved: 4 }]);
  });

  it('with a client of yours, in another database, and leaves the client alone', async () => {
    const own = redis.server.client({ db: 3 });
    await prepare(STREAM, own);
    const monitor = watching(own);
    await expectSeen(monitor);
    await monitor.stop();
    expect(await own.ping()).toBe('PONG');
  });

  it('through Sentinel', async () => {
    await using sentinels = await startRedisSentinels();
    await prepare(STREAM, sentinels.client());
    await using monitor = watching({ sentinels: [...sentinels.addresses], name: sentinels.name });
    await expectSeen(monitor);
  });

  it('in a Cluster, with streams on every node, and shows every master', async () => {
    await using cluster = await startRedisCluster();
    const client = cluster.client();
    const streams = Array.from({ length: 12 }, (_, index) => `logs:${index}`);
    for (const stream of streams) {
      await client.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
      for (let index = 0; index < 10; index++) await client.xadd(stream, '*', 'a', 'b');
      await client.xreadgroup('GROUP', GROUP, 'c1', 'COUNT', 4, 'STREAMS', stream, '>');
      await addCounts(client, stream);
    }
    await using monitor = watching({ cluster: cluster.startupNodes }, { streams });
    const sample = await monitor.sample();
    for (const stream of sample.streams) {
      expect(stream).toMatchObject({ problem: undefined, length: 10 });
      expect(stream.errors).toMatchObject({
        count: 6,
        total: 40,
        usualShare: 1 / 20,
        mostFrequent: { count: 5 },
      });
      expect(stream.groups[0]?.lag).toEqual({ kind: 'exact', entries: 6 });
    }
    expect(sample.servers.map(({ address }) => address).toSorted()).toEqual(
      cluster.masters.map(({ host, port }) => `${host}:${port}`).toSorted(),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await monitor.cleanUp({ idleMs: 10 })).every(({ outcome }) => outcome === 'no-target')).toBe(
      true,
    );
  });
});

describe('A user with the rules of aclRules', () => {
  async function userWith(role: 'monitor' | 'admin' | 'viewer'): Promise<string> {
    const rules = aclRules({ role, stream: STREAM });
    await redis.client.call('acl', 'SETUSER', role, 'reset', 'on', '>secret', ...rules);
    return `redis://${role}:secret@127.0.0.1:${redis.server.port}`;
  }

  it('may, as monitor, watch everything, follow producers, and change nothing', async () => {
    await prepare();
    await addCounts(redis.client);
    const url = await userWith('monitor');
    await using monitor = watching(url, { gaps: true });
    await expectSeen(monitor);
    expect(monitor.last?.streams[0]?.errors).toMatchObject({
      count: 6,
      mostFrequent: { template: 'Card declined', count: 5 },
    });
    await redis.client.xadd(STREAM, '*', 'producer', 'p', 'seq', 1);
    await redis.client.set(`{${STREAM}}:guard:p`, '1 0 3 1');
    expect(streamOf(await monitor.sample()).producers).toMatchObject([{ producer: 'p', shed: 3 }]);
    await expect(monitor.heal()).resolves.toEqual([]);
    await redis.client.xgroup('SETID', STREAM, GROUP, '0');
    await expect(monitor.heal()).rejects.toThrow(/NOPERM/);
    const [user] = (await redis.client.call('acl', 'LOG')) as unknown[][];
    expect(user).toContain('eval');
  });

  it('may, as admin, clean up and heal as well', async () => {
    await prepare();
    await using monitor = watching(await userWith('admin'));
    await expectSeen(monitor);
    await new Promise((resolve) => setTimeout(resolve, 310));
    await read(redis.client, 1, 'c2');
    expect(await monitor.cleanUp({ idleMs: 300 })).toMatchObject([{ outcome: 'deleted', moved: 4 }]);
    await redis.client.xgroup('SETID', STREAM, GROUP, '0');
    expect(await monitor.heal()).toMatchObject([{ group: GROUP, entriesRead: 0 }]);
  });

  it('sees, as viewer, the lags as well, and no servers', async () => {
    await prepare();
    await using monitor = watching(await userWith('viewer'));
    const sample = await monitor.sample();
    expect(groupOf(sample).lag).toEqual({ kind: 'exact', entries: 6 });
    expect(sample.servers).toEqual([]);
    await monitor.sample();
    const refused = (await redis.client.call('acl', 'LOG')) as unknown[][];
    const commands = refused
      .map((row) => new Map(pairs(row)))
      .filter((row) => row.get('username') === 'viewer');
    const times = Object.fromEntries(commands.map((row) => [String(row.get('object')), row.get('count')]));
    expect(times).toEqual({ info: 1, time: 1 });
  });
});
