import type { Cluster } from 'ioredis';
import type { LogRecord } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.js';
import { allDelivered, allKeys, keysOf, sendTraffic } from './traffic.js';

const RECORDS = 3_000;

let cluster: RedisCluster;
let client: Cluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
  client = cluster.client();
});
afterAll(() => cluster.stop());
beforeEach(() => Promise.all(cluster.masters.map((master) => master.client().flushall())));

function bySeverity({ severityNumber = 0 }: LogRecord): string {
  if (severityNumber >= 17) return 'logs:errors';
  return severityNumber >= 13 ? 'logs:warnings' : 'logs:rest';
}

/** The keys of every master, as far as it has any. */
async function keysByMaster(): Promise<string[][]> {
  return Promise.all(cluster.masters.map((master) => allKeys(master.client())));
}

async function lengths(streams: readonly string[]): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(streams.map(async (name) => [name, await client.xlen(name)])));
}

// What the loss of a master does to records under load: test/fault/failover.test.ts.
describe('In a Cluster of three masters', () => {
  it('a stream per severity keeps the account exact, and each stream with its helper keys on its own node', async () => {
    const connection = { cluster: cluster.startupNodes };
    const { stats, perStream, said } = await sendTraffic({
      connection,
      records: RECORDS,
      stream: bySeverity,
    });
    expect(said).toEqual([]);
    expect(stats).toEqual(allDelivered(RECORDS));
    expect(await lengths(Object.keys(perStream))).toEqual(perStream);
    expect(perStream).toEqual({ 'logs:rest': 2_100, 'logs:warnings': 300, 'logs:errors': 600 });
    const masters = await keysByMaster();
    expect(masters.flat().toSorted()).toEqual(Object.keys(perStream).flatMap(keysOf).toSorted());
    for (const stream of Object.keys(perStream)) {
      const holders = masters.filter((keys) => keys.includes(stream));
      expect(holders).toHaveLength(1);
      expect(holders[0]).toEqual(expect.arrayContaining(keysOf(stream)));
    }
    expect(masters.filter((keys) => keys.length > 0).length).toBeGreaterThan(1);
  });

  it('a stream per service: many producers write to their own streams at once', async () => {
    const services = Array.from({ length: 6 }, (_, n) => `service-${n}`);
    const connection = { cluster: cluster.startupNodes };
    const sent = await Promise.all(
      services.map((name) =>
        sendTraffic({ connection, records: 500, service: { name }, stream: `logs:${name}` }),
      ),
    );
    for (const { stats, said } of sent) {
      expect(said).toEqual([]);
      expect(stats).toEqual(allDelivered(500));
    }
    const streams = services.map((name) => `logs:${name}`);
    expect(Object.values(await lengths(streams))).toEqual(services.map(() => 500));
  });

  it('a hash tag keeps streams together', async () => {
    const connection = { cluster: cluster.startupNodes };
    const stream = (record: LogRecord): string => bySeverity(record).replace('logs', '{logs}');
    const { stats, perStream } = await sendTraffic({ connection, records: RECORDS, stream });
    expect(stats).toEqual(allDelivered(RECORDS));
    const [holder, ...others] = (await keysByMaster()).filter((keys) => keys.length > 0);
    expect(others).toEqual([]);
    const helpers = ['', ':guard:<producer>', ':resources', ':resources:seen'];
    const wanted = Object.keys(perStream).flatMap((name) => helpers.map((helper) => name + helper));
    expect(holder).toEqual(wanted.toSorted());
  });

  it.each([
    ['of the Cluster', { keyPrefix: 'app:' }],
    ['of its nodes', { redisOptions: { keyPrefix: 'app:' } }],
  ])('a keyPrefix in the options %s holds for every key', async (_where, options) => {
    const connection = { cluster: cluster.startupNodes, options };
    const { stats, perStream, said } = await sendTraffic({
      connection,
      records: RECORDS,
      stream: bySeverity,
    });
    expect(said).toEqual([]);
    expect(stats).toEqual(allDelivered(RECORDS));
    const streams = Object.keys(perStream).map((name) => `app:${name}`);
    expect((await keysByMaster()).flat().toSorted()).toEqual(streams.flatMap(keysOf).toSorted());
  });

  it('a client of yours is copied with its prefix, and otherwise left alone', async () => {
    const own = cluster.client({ keyPrefix: 'own:' });
    const { stats } = await sendTraffic({ connection: own, records: RECORDS, stream: bySeverity });
    expect(stats).toEqual(allDelivered(RECORDS));
    expect(await client.xlen('own:logs:errors')).toBe(600);
    expect(await own.xlen('logs:errors')).toBe(600);
  });

  it('lists work as streams do', async () => {
    const connection = { cluster: cluster.startupNodes };
    const sent = await sendTraffic({ connection, records: RECORDS, stream: bySeverity, format: 'list' });
    expect(sent.stats).toEqual(allDelivered(RECORDS));
    expect(await client.llen('logs:errors')).toBe(600);
  });

  it('a keyPrefix that tears the keys of a stream apart is told, and the app goes on', async () => {
    const connection = { cluster: cluster.startupNodes, options: { keyPrefix: 'app}:' } };
    const { stats, said } = await sendTraffic({ connection, records: 100, shutdownTimeoutMs: 1_000 });
    expect(stats).toMatchObject({ emitted: 100, delivered: 0, dropped: { closed: 100 } });
    expect(said.join('\n')).toMatch(/CROSSSLOT.*hash tag/);
  });
});

/** A stream for the master of this index: the slots are shared evenly. */
async function streamOn(master: number, cluster: RedisCluster): Promise<string> {
  const client = cluster.client();
  for (let n = 0; ; n++) {
    const slot = Number(await client.cluster('KEYSLOT', `logs:${n}`));
    if (Math.floor((slot * cluster.masters.length) / 16_384) === master) return `logs:${n}`;
  }
}

describe('In a Cluster with a master that answers no more', () => {
  it('a writer that starts now reaches the streams of the others', async () => {
    await using partial = await startRedisCluster({ config: ['cluster-require-full-coverage no'] });
    const streams = [await streamOn(0, partial), await streamOn(1, partial)];
    await partial.masters[2]?.pause();
    const connection = { cluster: partial.startupNodes };
    const stream = ({ attributes }: LogRecord): string => streams[Number(attributes['n']) % 2] ?? '';
    const { stats, perStream } = await sendTraffic({
      connection,
      records: 200,
      stream,
      shutdownTimeoutMs: 30_000,
    });
    expect(stats).toMatchObject({ emitted: 200, delivered: 200, dropped: {}, possibleDuplicates: 0 });
    expect(perStream).toEqual({ [String(streams[0])]: 100, [String(streams[1])]: 100 });
    await partial.masters[2]?.resume();
    await partial.ready();
    expect(await Promise.all(streams.map((name) => partial.client().xlen(name)))).toEqual([100, 100]);
  }, 60_000);
});
