import { describe, expect, it } from 'vitest';
import { aclRules } from '../../../src/core.js';
import { LogReader, type TailGap } from '../../../src/reader/index.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { startRedisSentinels } from '../../support/redis-sentinel.js';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { bodies, numbered, write } from './writing.js';

const STREAM = 'logs:orders';

describe('A reader', () => {
  it('reads streams of a Cluster that lie on several nodes as one', async () => {
    await using cluster = await startRedisCluster();
    const connection = { cluster: cluster.startupNodes };
    const streams = ['logs:a', 'logs:b', 'logs:c', 'logs:d', 'logs:e'];
    const expected: string[] = [];
    for (let i = 0; i < 40; i++) {
      await write({ connection, stream: streams[i % 5] ?? '' }, [{ body: `r ${i}` }]);
      expected.push(`r ${i}`);
    }
    const admin = cluster.client();
    const slots = await Promise.all(streams.map((stream) => admin.cluster('KEYSLOT', stream)));
    expect(new Set(slots.map((slot) => Math.floor(slot / 5_462))).size).toBe(3);
    await using reader = new LogReader({ connection, streams });
    expect(await bodies(reader.query())).toEqual(expected);
    expect(await bodies(reader.query({ where: 'service:orders version:1.2', order: 'desc' }))).toEqual(
      expected.toReversed(),
    );
    const tail = reader.tail({ from: 'start' });
    expect(await bodies(tail, 40)).toEqual(expected);
    const live = reader.tail();
    const next = bodies(live, 20);
    await until(() => Object.keys(live.position).length === streams.length, { what: 'the tail to begin' });
    const later: string[] = [];
    for (let i = 0; i < 20; i++) {
      await write({ connection, stream: streams[i % 5] ?? '' }, [{ body: `later ${i}` }]);
      later.push(`later ${i}`);
    }
    expect(await next).toEqual(later);
  }, 60_000);

  it('follows a failover by Sentinel', async () => {
    await using sentinels = await startRedisSentinels();
    const connection = { sentinels: [...sentinels.addresses], name: sentinels.name };
    await write({ connection, stream: STREAM }, numbered('before', 10));
    await using reader = new LogReader({ connection, stream: STREAM, requestTimeoutMs: 30_000 });
    expect(await bodies(reader.query())).toHaveLength(10);
    const gaps: TailGap[] = [];
    const seen: unknown[] = [];
    const tail = reader.tail({ from: 'start', onGap: (gap) => gaps.push(gap) });
    const following = (async () => {
      for await (const { record } of tail) if (seen.push(record.body) === 20) break;
    })();
    await until(() => seen.length === 10, { what: 'what was there' });
    const replica = sentinels.replica.client();
    await until(async () => (await replica.xlen(STREAM)) === 10, { what: 'the replica to have all' });
    await sentinels.master.kill();
    await until(async () => (await sentinels.masterPort()) === sentinels.replica.port, {
      what: 'the failover',
      timeoutMs: 20_000,
    });
    await until(() => write({ connection, stream: STREAM }, numbered('after', 10)).then(() => true), {
      what: 'a write to the new master',
      timeoutMs: 20_000,
    });
    await following;
    expect(new Set(seen).size).toBe(20);
    expect(gaps).toEqual([]);
    expect(await bodies(reader.query())).toHaveLength(20);
  }, 60_000);

  it('keeps to the prefix and the database of its connection', async () => {
    await using server = await startRedisServer();
    const connection = { host: server.host, port: server.port, keyPrefix: 'shop:', db: 3 };
    await write({ connection, stream: STREAM }, numbered('n', 5));
    await using reader = new LogReader({ connection, stream: STREAM });
    expect(await bodies(reader.query({ where: 'version:1.2' }))).toHaveLength(5);
    expect(await bodies(reader.tail({ from: 'start' }), 5)).toHaveLength(5);
    expect(await server.client({ db: 3 }).exists('shop:logs:orders')).toBe(1);
  });

  it('copies a client that it is given', async () => {
    await using server = await startRedisServer();
    const connection = server.client();
    await write({ connection, stream: STREAM }, numbered('n', 5));
    await using reader = new LogReader({ connection, stream: STREAM });
    expect(await bodies(reader.query())).toHaveLength(5);
    expect(await connection.ping()).toBe('PONG');
  });

  it('needs no more rights than those of a viewer', async () => {
    await using server = await startRedisServer();
    await write({ connection: server.url, stream: STREAM }, numbered('n', 50));
    const rules = aclRules({ role: 'viewer', stream: STREAM });
    await server.client().call('ACL', 'SETUSER', 'looker', 'on', '>secret', ...rules);
    const connection = `redis://looker:secret@${server.host}:${server.port}`;
    await using reader = new LogReader({ connection, stream: STREAM });
    const entries = await reader.query({ where: 'version:1.2' }).toArray();
    expect(entries).toHaveLength(50);
    expect(await reader.context(entries[5]?.id ?? '', 1, 1)).toHaveLength(3);
    expect(await bodies(reader.tail({ from: 'start' }), 50)).toHaveLength(50);
    expect(await server.client().call('ACL', 'LOG')).toEqual([]);
    await using other = new LogReader({ connection, stream: 'secret' });
    await expect(other.query().next()).rejects.toMatchObject({
      code: 'REDIS_LOG_REFUSED',
      subject: 'secret',
    });
  });
});
