import { Redis } from 'ioredis';
import type { ConnectionOptions } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requireRedisBinary } from '../../support/redis-binary.js';
import { startRedisProcess } from '../../support/redis-process.js';
import type { RedisServer } from '../../support/redis-server.js';
import { serverKinds } from './servers.js';
import { allDelivered, allKeys, keysOf, sendTraffic } from './traffic.js';

const RECORDS = 1_000;

let redis: RedisServer;

/** Sends the traffic, and expects all of it under these keys of this database, and nothing anywhere else. */
async function expectStored(
  connection: ConnectionOptions,
  place: { db?: number; prefix?: string },
): Promise<void> {
  const { db = 0, prefix = '' } = place;
  const { stats, said } = await sendTraffic({ connection, records: RECORDS });
  expect(said).toEqual([]);
  expect(stats).toEqual(allDelivered(RECORDS));
  const client = redis.client({ db });
  expect(await client.xlen(`${prefix}logs:shop`)).toBe(RECORDS);
  const wanted = prefix.includes('{')
    ? ['', ':guard:<producer>', ':resources', ':resources:seen'].map((name) => `${prefix}logs:shop${name}`)
    : keysOf(`${prefix}logs:shop`);
  expect(await allKeys(client)).toEqual(wanted.toSorted());
  const keyspaces = (await client.info('keyspace')).match(/^db\d+/gm);
  expect(keyspaces).toEqual([`db${db}`]);
}

describe.each(await serverKinds())(
  'On $name all records arrive, under the right keys and nowhere else',
  (kind) => {
    beforeAll(async () => {
      redis = await kind.start();
    });
    afterAll(() => redis.stop());
    beforeEach(() => redis.client().flushall());

    it('with a URL', () => expectStored(redis.url, {}));

    it('with a database number in the URL', () => expectStored(`${redis.url}/3`, { db: 3 }));

    it('with a database number and a keyPrefix in the options', () =>
      expectStored({ port: redis.port, db: 5, keyPrefix: 'app:' }, { db: 5, prefix: 'app:' }));

    it('with a keyPrefix in the URL', () => expectStored(`${redis.url}?keyPrefix=app:`, { prefix: 'app:' }));

    it('with a keyPrefix that is a hash tag', () =>
      expectStored({ port: redis.port, keyPrefix: '{app}:' }, { prefix: '{app}:' }));

    it('with an ACL user whose password needs percent-encoding', async () => {
      const password = 'p@ss/w:rd%?#';
      const { port } = redis;
      await redis.client().acl('SETUSER', 'app', 'reset', 'on', `>${password}`, '~*', '+@all');
      await expectStored(`redis://app:${encodeURIComponent(password)}@127.0.0.1:${port}/2`, { db: 2 });
      await redis.client().flushall();
      await expectStored({ port, username: 'app', password }, {});
    });

    it('with protocol 3 asked for, which makes no difference', () =>
      expectStored({ port: redis.port, protocol: 3 }, {}));

    it('with a client of yours, which is copied with its database and prefix, and otherwise left alone', async () => {
      const own = new Redis(`${redis.url}/6`, { keyPrefix: 'own:', lazyConnect: true });
      await expectStored(own, { db: 6, prefix: 'own:' });
      expect(own.status).toBe('wait');
      await own.connect();
      await own.flushall();
      await expectStored(own, { db: 6, prefix: 'own:' });
      expect(own.status).toBe('ready');
      expect(await own.ping()).toBe('PONG');
      own.disconnect();
    });
  },
);

describe('Over a unix socket all records arrive', () => {
  it.each([
    ['as a path', (path: string) => path, 0],
    ['as a URL', (path: string) => `unix://${path}`, 0],
    ['in the options, with a database number', (path: string) => ({ path, db: 4 }), 4],
  ])('%s', async (...[, connectionOf, db]) => {
    await using server = await startRedisProcess({ binary: requireRedisBinary('A unix socket') });
    redis = server;
    await expectStored(connectionOf(server.socketPath), { db });
  });
});
