import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisSentinels, startRedisSentinels } from '../../support/redis-sentinel.js';
import { allDelivered, allKeys, keysOf, sendTraffic } from './traffic.js';

// What a failover does to records under load: test/fault/failover.test.ts.
describe('Through Sentinel', () => {
  let group: RedisSentinels;
  beforeAll(async () => {
    group = await startRedisSentinels();
  });
  afterAll(() => group.stop());

  it('all records reach the master, in the database and under the prefix that the options name', async () => {
    const { name } = group;
    const connection = { sentinels: [...group.addresses], name, db: 2, keyPrefix: 'app:' };
    const { stats, said } = await sendTraffic({ connection, records: 2_000 });
    expect(said).toEqual([]);
    expect(stats).toEqual(allDelivered(2_000));
    const master = group.master.client({ db: 2 });
    expect(await master.xlen('app:logs:shop')).toBe(2_000);
    expect(await allKeys(master)).toEqual(keysOf('app:logs:shop').toSorted());
  });

  it('a client of yours works as well', async () => {
    const own = group.client();
    const { stats } = await sendTraffic({ connection: own, records: 500, stream: 'logs:own' });
    expect(stats).toEqual(allDelivered(500));
    expect(await group.master.client().xlen('logs:own')).toBe(500);
    expect(await own.ping()).toBe('PONG');
  });

  it('a name that no Sentinel knows is told, and the records wait', async () => {
    const connection = { sentinels: [...group.addresses], name: 'nobody' };
    const { stats, said } = await sendTraffic({ connection, records: 10, shutdownTimeoutMs: 1_500 });
    expect(stats).toMatchObject({ emitted: 10, delivered: 0, dropped: { closed: 10 } });
    expect(said[0]).toMatch(/Sentinel group nobody is not usable: .*check sentinels, name/);
  });
});
