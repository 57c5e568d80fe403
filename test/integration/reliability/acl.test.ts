import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AclOptions, aclRules, isRedisLogError } from '../../../src/core.js';
import { SCRIPT } from '../../../src/redis/script.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { OracleWriter } from '../../support/oracle.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const STREAM = 'logs:oracle';
const KEYS = [STREAM, `{${STREAM}}:guard:x`, `{${STREAM}}:resources`, `{${STREAM}}:resources:seen`];

let server: RedisServer;
let admin: Redis;
let users = 0;

beforeAll(async () => {
  server = await startRedisServer();
  admin = server.client();
});

afterAll(async () => {
  await server.stop();
});

/** A user with exactly these rules, on an empty server. */
async function userWith(options: Omit<AclOptions, 'stream'>): Promise<{ url: string; client: Redis }> {
  await admin.flushall();
  const name = `user${++users}`;
  await admin.call('ACL', 'SETUSER', name, 'on', '>secret', ...aclRules({ stream: STREAM, ...options }));
  const client = server.client({ username: name, password: 'secret', enableReadyCheck: false });
  return { url: `redis://${name}:secret@${server.host}:${server.port}`, client };
}

/** The commands among these that the user may not run. */
async function denied(client: Redis, commands: readonly string[]): Promise<string[]> {
  const refused: string[] = [];
  for (const command of commands) {
    const [name = '', ...args] = command.split(' ');
    const reply: unknown = await client.call(name, ...args).catch((error: unknown) => error);
    if (/NOPERM/.test(String(reply))) refused.push(command);
  }
  return refused;
}

const READING = [
  `XRANGE ${STREAM} - +`,
  `XREVRANGE ${STREAM} + -`,
  `XREAD STREAMS ${STREAM} 0`,
  `XLEN ${STREAM}`,
  `XREADGROUP GROUP g c STREAMS ${STREAM} >`,
  `DUMP ${STREAM}`,
  `OBJECT ENCODING ${STREAM}`,
  `SORT ${STREAM}`,
  `COPY ${STREAM} ${STREAM}2`,
];
const HARMFUL = [
  'FLUSHALL',
  'CONFIG GET *',
  'KEYS *',
  'SCAN 0',
  `DEL ${STREAM}`,
  `XDEL ${STREAM} 1-1`,
  'ACL LIST',
  'SHUTDOWN NOSAVE',
  'CLIENT LIST',
  'PUBLISH c m',
  'MONITOR',
  'SCRIPT FLUSH',
];
const OTHER_KEYS = ['GET other', 'SET other 1', 'XADD other * a b'];

describe('a producer', () => {
  it.each([
    ['exactly-once', {}],
    ['exactly-once', { retention: { maxLength: 100, maxAgeMs: 60_000 } }],
    ['at-least-once', { retention: { maxLength: 100, maxAgeMs: 60_000 } }],
  ] as const)('may do all that writing takes: %s, %j', async (delivery, options) => {
    const { url } = await userWith({ role: 'producer', delivery });
    await using oracle = new OracleWriter({ connection: url, delivery, ...options });
    for (let round = 1; round <= 4; round++) {
      oracle.emit(250);
      await oracle.delivered(round * 250);
    }
    await expectClosed(oracle);
    expect(oracle.lines).toEqual([]);
    expect(await admin.hlen(`{${STREAM}}:resources`)).toBe(1);
    if ('retention' in options) expect(await admin.xlen(STREAM)).toBeLessThan(400);
    else await expectAllOnce(oracle, admin);
  });

  it('may sweep resources that no entry refers to any more', async () => {
    const { client } = await userWith({ role: 'producer' });
    await admin.hset(`{${STREAM}}:resources`, 'old', '{}');
    await admin.zadd(`{${STREAM}}:resources:seen`, 1, 'old');
    await admin.xadd(STREAM, '*', 'a', 'b');
    await expect(client.eval(SCRIPT, 4, ...KEYS, 'sweep', 'stream')).resolves.toBe(1);
    expect(await admin.exists(`{${STREAM}}:resources`)).toBe(0);
  });

  it('goes on after the guard was lost, although it cannot look for its own records', async () => {
    const { url } = await userWith({ role: 'producer' });
    await using oracle = new OracleWriter({ connection: url });
    oracle.emit(10);
    await oracle.delivered(10);
    await admin.del(await admin.keys('*:guard:*'));
    oracle.emit(10);
    await oracle.delivered(20);
    await expectClosed(oracle);
    const { unique, duplicates } = await oracle.audit(admin);
    expect(unique.size).toBe(20);
    expect(duplicates).toBeLessThanOrEqual(oracle.stats.possibleDuplicates);
    expect(oracle.stats.possibleDuplicates).toBeGreaterThan(0);
  });

  it.each(['exactly-once', 'at-least-once'] as const)('cannot read back or do harm: %s', async (delivery) => {
    const { client } = await userWith({ role: 'producer', delivery });
    await admin.xadd(STREAM, '*', 'a', 'b');
    const commands = [...READING, ...HARMFUL, ...OTHER_KEYS];
    expect(await denied(client, commands)).toEqual(commands);
  });

  it('cannot read records by a script either', async () => {
    const { client } = await userWith({ role: 'producer' });
    await admin.xadd(STREAM, '*', 'a', 'b');
    for (const command of ['XRANGE', 'XREVRANGE']) {
      const script = `return redis.call('${command}', KEYS[1], '-', '+')`;
      await expect(client.eval(script, 1, STREAM)).rejects.toThrow(
        /NOPERM|can't run this command|ACL failure/,
      );
    }
  });

  it('of lists may push and trim', async () => {
    const { url } = await userWith({ role: 'producer', target: 'list' });
    const options = { connection: url, format: 'list', retention: { maxLength: 50 } } as const;
    await using oracle = new OracleWriter(options);
    oracle.emit(100);
    await expectClosed(oracle);
    expect(oracle.lines).toEqual([]);
    expect(await admin.llen(STREAM)).toBe(50);
  });

  it('with another database may select it, and without that rule writes nowhere', async () => {
    const with1 = await userWith({ role: 'producer', selectsDatabase: true });
    await using allowed = new OracleWriter({ connection: `${with1.url}/1` });
    allowed.emit(10);
    await allowed.delivered(10);
    await expectAllOnce(allowed, server.client({ db: 1 }));
    const without = await userWith({ role: 'producer' });
    await using refused = new OracleWriter({ connection: `${without.url}/1` });
    refused.emit(10);
    await until(() => refused.lines.length > 0);
    expect(refused.lines[0]).toContain('NOPERM');
    expect(refused.stats).toMatchObject({ delivered: 0, queued: 10 });
    expect(await admin.dbsize()).toBe(0);
    expect(await server.client({ db: 1 }).dbsize()).toBe(0);
  });

  it('that waits for replicas may ask for them', async () => {
    const { url } = await userWith({ role: 'producer', acknowledge: 'replicated' });
    await using replica = await startRedisServer({ config: [`replicaof ${server.host} ${server.port}`] });
    await using oracle = new OracleWriter({ connection: url, acknowledge: 'replicated' });
    oracle.emit(10);
    await oracle.delivered(10);
    await expectAllOnce(oracle, replica.client());
  });
});

describe('a producer in a Cluster', () => {
  it('may find the nodes and write', async () => {
    await using cluster = await startRedisCluster();
    const rules = aclRules({ role: 'producer', stream: STREAM, cluster: true });
    for (const node of cluster.masters) {
      await node.client().call('ACL', 'SETUSER', 'shop', 'on', '>secret', ...rules);
    }
    const redisOptions = { username: 'shop', password: 'secret' };
    const connection = { cluster: cluster.startupNodes, options: { redisOptions } };
    await using oracle = new OracleWriter({ connection });
    oracle.emit(100);
    await oracle.delivered(100);
    await expectAllOnce(oracle, cluster.client());
    expect(oracle.lines).toEqual([]);
  });
});

describe('a consumer', () => {
  it('may work in a group, look up resources, and set records aside', async () => {
    const { client } = await userWith({ role: 'consumer' });
    const id = await admin.xadd(STREAM, '*', 'a', 'b');
    await admin.hset(`{${STREAM}}:resources`, 'h', '{}');
    await client.xgroup('CREATE', STREAM, 'g', '0');
    await expect(client.xreadgroup('GROUP', 'g', 'c', 'STREAMS', STREAM, '>')).resolves.toHaveLength(1);
    await expect(client.hmget(`{${STREAM}}:resources`, 'h')).resolves.toEqual(['{}']);
    await expect(client.xautoclaim(STREAM, 'g', 'd', 0, '0')).resolves.toBeTruthy();
    await expect(client.xpending(STREAM, 'g')).resolves.toBeTruthy();
    const dead = client.multi().xadd(`{${STREAM}}:dlq`, '*', 'a', 'b').xack(STREAM, 'g', String(id)).exec();
    await expect(dead).resolves.toEqual([
      [null, expect.any(String)],
      [null, 1],
    ]);
    expect(await denied(client, [`XINFO GROUPS ${STREAM}`, `XINFO CONSUMERS ${STREAM} g`, 'PING'])).toEqual(
      [],
    );
  });

  it('cannot write or trim records, or read those of others outside its group', async () => {
    const { client } = await userWith({ role: 'consumer' });
    const commands = [
      `XADD ${STREAM} * a b`,
      `XTRIM ${STREAM} MAXLEN 0`,
      `XRANGE ${STREAM} - +`,
      `XRANGE {${STREAM}}:dlq - +`,
      `HSET {${STREAM}}:resources a b`,
      `GET {${STREAM}}:guard:x`,
      ...HARMFUL,
      ...OTHER_KEYS,
    ];
    expect(await denied(client, commands)).toEqual(commands);
    // It runs scripts, for dead letters, and no script can do more than it can itself.
    for (const call of ["'XADD', KEYS[1], '*', 'a', 'b'", "'XRANGE', KEYS[1], '-', '+'", "'DEL', KEYS[1]"]) {
      await expect(client.eval(`return redis.call(${call})`, 1, STREAM)).rejects.toThrow(
        /permission|ACL|can't/,
      );
    }
  });
});

describe('a viewer', () => {
  it('may read everything of the stream and change nothing', async () => {
    const { client } = await userWith({ role: 'viewer' });
    await admin.xadd(STREAM, '*', 'a', 'b');
    await admin.xgroup('CREATE', STREAM, 'g', '0');
    const allowed = [
      `XRANGE ${STREAM} - +`,
      `XREAD STREAMS ${STREAM} 0`,
      `XLEN ${STREAM}`,
      `XINFO STREAM ${STREAM}`,
      `XINFO GROUPS ${STREAM}`,
      `XPENDING ${STREAM} g`,
      `HGETALL {${STREAM}}:resources`,
      `XRANGE {${STREAM}}:dlq - +`,
      `MEMORY USAGE ${STREAM}`,
      `TYPE ${STREAM}`,
    ];
    expect(await denied(client, allowed)).toEqual([]);
    const refused = [
      `XADD ${STREAM} * a b`,
      `XTRIM ${STREAM} MAXLEN 0`,
      `XREADGROUP GROUP g c STREAMS ${STREAM} >`,
      `XACK ${STREAM} g 1-1`,
      `XGROUP DESTROY ${STREAM} g`,
      `EVAL return 0`,
      ...HARMFUL,
      ...OTHER_KEYS,
    ];
    expect(await denied(client, refused)).toEqual(refused);
  });
});

describe('a monitor', () => {
  it('may look at the counts of messages and change none of them', async () => {
    const { client } = await userWith({ role: 'monitor' });
    await admin.xadd(STREAM, '*', 'a', 'b');
    const insights = `{${STREAM}}:insights`;
    const counts = `${insights}:counts:300000:0:error:orders`;
    const allowed = [
      `XINFO STREAM ${STREAM}`,
      `HMGET ${insights} bucketMs`,
      `ZRANGE ${insights}:sections 0 -1`,
      `ZRANGE ${counts} 0 -1 WITHSCORES`,
      `HGETALL ${insights}:errors:300000:0:error:orders`,
      `HMGET ${insights}:messages a`,
    ];
    expect(await denied(client, allowed)).toEqual([]);
    const refused = [
      `HSET ${insights} bucketMs 1`,
      `HDEL ${insights}:messages a`,
      `ZADD ${counts} 1 a`,
      `ZRANGE {logs:other}:insights:sections 0 -1`,
      `HGETALL {${STREAM}}:resources`,
      `XADD ${STREAM} * a b`,
      `EVAL return 0`,
      ...HARMFUL,
      ...OTHER_KEYS,
    ];
    expect(await denied(client, refused)).toEqual(refused);
  });
});

describe('an admin', () => {
  it('may do what the others may, and tidy up, on these keys alone', async () => {
    const { url, client } = await userWith({ role: 'admin' });
    await using oracle = new OracleWriter({ connection: url });
    oracle.emit(10);
    await expectClosed(oracle);
    const allowed = [
      `XRANGE ${STREAM} - +`,
      `XTRIM ${STREAM} MAXLEN 5`,
      `XGROUP CREATE ${STREAM} g 0`,
      `XREADGROUP GROUP g c STREAMS ${STREAM} >`,
      `XGROUP DESTROY ${STREAM} g`,
      `DUMP ${STREAM}`,
      'INFO memory',
      'CONFIG GET maxmemory-policy',
      `DEL ${STREAM}`,
    ];
    expect(await denied(client, allowed)).toEqual([]);
    const refused = [
      'FLUSHALL',
      'CONFIG SET maxmemory 1',
      'ACL LIST',
      'KEYS *',
      'SHUTDOWN NOSAVE',
      ...OTHER_KEYS,
    ];
    expect(await denied(client, refused)).toEqual(refused);
  });
});

describe('aclRules', () => {
  it('tells all that is wrong at once', () => {
    const given = { role: 'root', stream: '', acknowlege: 'fsynced' } as unknown as AclOptions;
    const lines = [
      '- role: got "root". Give producer,',
      '- stream: got "". Give the name',
      'Did you mean acknowledge?',
    ];
    for (const line of lines) expect(() => aclRules(given)).toThrow(line);
  });

  it('covers every key of a prefix or a pattern', () => {
    const rules = aclRules({ role: 'producer', stream: 'logs:*', keyPrefix: 'team:' });
    const keys = [
      '~team:logs:*',
      '~{team:logs:*}:guard:*',
      '~{team:logs:*}:resources',
      '~{team:logs:*}:resources:seen',
    ];
    expect(rules).toEqual(expect.arrayContaining(keys));
  });

  it.each([
    [{ role: 'root', stream: 'logs' }, 'role'],
    [{ role: 'viewer', stream: '' }, 'stream'],
    [{ role: 'viewer', stream: 'a +@all' }, 'stream'],
    [{ role: 'viewer' }, 'stream'],
    [{ stream: 'a' }, 'role'],
    [{ role: 'viewer', stream: 'a}' }, 'stream'],
    [{ role: 'producer', stream: 'a', delivery: 'once' }, 'delivery'],
    [{ role: 'producer', stream: 'a', acknowledge: 'all' }, 'acknowledge'],
    [{ role: 'producer', stream: 'a', retention: { maxLenght: 5 } }, 'retention.maxLenght'],
    [{ role: 'producer', stream: 'a', retention: true }, 'retention'],
    [{ role: 'producer', stream: 'a', target: 'set' }, 'target'],
    [{ role: 'producer', stream: 'a', keyPrefix: 'a +@all ~' }, 'keyPrefix'],
    [{ role: 'producer', stream: 'a', cluster: 'yes' }, 'cluster'],
    [{ role: 'producer', stream: 'a', steam: 'b' }, 'steam'],
    [{}, 'role'],
    [undefined, 'aclRules'],
    [null, 'aclRules'],
    ['producer', 'aclRules'],
  ])('refuses what no rule can say: %j', (options, subject) => {
    try {
      aclRules(options as AclOptions);
      expect.unreachable();
    } catch (error) {
      expect(isRedisLogError(error) && [error.code, error.subject]).toEqual([
        'REDIS_LOG_INVALID_OPTIONS',
        subject,
      ]);
    }
  });
});
