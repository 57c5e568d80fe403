import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OracleWriter } from '../../support/oracle.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

let server: RedisServer;
let client: ReturnType<RedisServer['client']>;

beforeAll(async () => {
  server = await startRedisServer();
  client = server.client();
});

afterAll(() => server.stop());

beforeEach(async () => {
  await client.flushall();
});

async function expectStored(
  options: ConstructorParameters<typeof OracleWriter>[0],
  reader = client,
): Promise<void> {
  await using oracle = new OracleWriter(options);
  oracle.emit(300);
  await expectClosed(oracle);
  await expectAllOnce(oracle, reader);
  expect(oracle.lines).toEqual([]);
}

describe('Records arrive over', () => {
  it('a URL', () => expectStored({ connection: server.url }));

  it('a URL with a database number, and nothing is written into another database', async () => {
    await expectStored({ connection: `${server.url}/3` }, server.client({ db: 3 }));
    expect(await client.dbsize()).toBe(0);
  });

  it('options of ioredis with a database number', async () => {
    const connection = { host: server.host, port: server.port, db: 4 };
    await expectStored({ connection }, server.client({ db: 4 }));
    expect(await client.dbsize()).toBe(0);
  });

  it('a Unix socket, by its path or as a URL', async ({ skip }) => {
    const { socketPath } = server;
    if (socketPath === undefined) return skip('a server in Docker has no socket here');
    await expectStored({ connection: socketPath });
    await client.flushall();
    await expectStored({ connection: `unix://${socketPath}` });
  });

  it('a connection with a user and a password that needs encoding', async () => {
    await client.acl('SETUSER', 'wri/ter', 'reset', 'on', '>p@ss/w:rd%', '~*', '+@all');
    const credentials = `${encodeURIComponent('wri/ter')}:${encodeURIComponent('p@ss/w:rd%')}`;
    await expectStored({ connection: `redis://${credentials}@${server.host}:${server.port}` });
    await client.acl('DELUSER', 'wri/ter');
  });

  it('a connection with a key prefix, which every key then has', async () => {
    const connection = { host: server.host, port: server.port, keyPrefix: 'shop:' };
    await using oracle = new OracleWriter({ connection });
    oracle.emit(300);
    await expectClosed(oracle);
    const keys = await client.keys('*');
    expect(keys.filter((key) => !key.startsWith('{shop:logs:oracle}:guard:')).toSorted()).toEqual([
      'shop:logs:oracle',
      '{shop:logs:oracle}:resources',
      '{shop:logs:oracle}:resources:seen',
    ]);
    await expectAllOnce(oracle, server.client({ keyPrefix: 'shop:' }));
  });

  it('plain commands with a key prefix', async () => {
    const connection = { host: server.host, port: server.port, keyPrefix: 'shop:' };
    const reader = server.client({ keyPrefix: 'shop:' });
    await expectStored({ connection, delivery: 'at-least-once' }, reader);
    expect((await client.keys('*')).every((key) => key.includes('shop:'))).toBe(true);
  });
});

describe('A client that is handed in', () => {
  it('is duplicated, never written with, and still open after the writer was closed', async () => {
    const own = new Redis({ host: server.host, port: server.port, keyPrefix: 'own:', db: 5 });
    try {
      await own.set('key', 'value');
      const before = await commandsOf(own);
      await expectStored({ connection: own }, server.client({ db: 5, keyPrefix: 'own:' }));
      expect(await own.get('key')).toBe('value');
      expect(own.status).toBe('ready');
      expect(await commandsOf(own)).toBe(before);
      expect(await client.dbsize()).toBe(0);
    } finally {
      own.disconnect();
    }
  });

  it('may be in any state, even one that refuses commands', async () => {
    const own = new Redis({ host: server.host, port: server.port, lazyConnect: true });
    await expectStored({ connection: own });
    expect(own.status).toBe('wait');
    own.disconnect();
  });

  it('keeps its settings where they would lose records, and the writer does not take them over', async () => {
    const own = new Redis(server.port, server.host, {
      lazyConnect: true,
      enableOfflineQueue: true,
      autoResendUnfulfilledCommands: true,
      commandTimeout: 1,
      enableAutoPipelining: true,
      stringNumbers: true,
    });
    await expectStored({ connection: own });
    own.disconnect();
  });
});

/** How often the client called anything but the commands of this test. */
async function commandsOf(own: Redis): Promise<string | undefined> {
  const list = String(await own.client('LIST'));
  const id = String(await own.client('ID'));
  return new RegExp(`^id=${id} .* cmd=(\\S+)`, 'm').exec(list)?.[1];
}
