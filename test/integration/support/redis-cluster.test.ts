import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.js';
import { until } from '../../support/until.js';

describe('a Redis Cluster for tests', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1 });
  });

  afterAll(async () => {
    await cluster.stop();
  });

  it('has three masters, and a replica of each', () => {
    expect(cluster.masters).toHaveLength(3);
    expect(cluster.replicas).toHaveLength(3);
  });

  it('spreads keys over all masters and finds them again', async () => {
    const client = cluster.client();
    const keys = Array.from({ length: 60 }, (_, index) => `key:${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));

    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    const sizes = await Promise.all(cluster.masters.map((master) => master.client().dbsize()));
    expect(sizes.every((size) => size > 0)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
  });

  it('lets a replica take over from a master that was killed', async () => {
    const [master] = cluster.masters;
    await master?.kill();
    const replica = cluster.replicas[0]?.client();
    await until(async () => (await replica?.info('replication'))?.includes('role:master'), {
      what: 'the replica to take over',
      timeoutMs: 20_000,
    });
    await cluster.ready();

    expect(await cluster.client().set('key:1', 'again')).toBe('OK');
  });
});
