import { afterEach, describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter } from '../support/oracle.js';
import { expectAllOnce, expectClosed } from '../support/oracle-expect.js';
import { startRedisServer } from '../support/redis-server.js';
import { systemRuntime } from '../../src/pipeline/runtime.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const PASSWORD = 'pa55-w0rd-n0body-may-see';
/** What the write path needs, without the commands for scripts. */
const PLAIN_RIGHTS = [
  '~logs:*',
  '~{logs:*}:*',
  '+xadd',
  '+xtrim',
  '+hsetnx',
  '+zadd',
  '+ping',
  '+client|setname',
];
const SCRIPT_RIGHTS = ['+eval', '+evalsha', '+type', '+time', '+get', '+set', '+xinfo|stream', '+xrevrange'];

const redis = useRedisServer();

afterEach(() => redis.client.acl('DELUSER', 'app'));

async function user(...rights: string[]): Promise<string> {
  await redis.client.acl('SETUSER', 'app', 'reset', 'on', `>${PASSWORD}`, ...rights);
  return `redis://app:${PASSWORD}@127.0.0.1:${redis.server.port}`;
}

function expectDiscreet(oracle: OracleWriter): void {
  expect(oracle.lines.join('\n')).not.toContain(PASSWORD);
}

describe('A user with exactly the rights that the documentation names', () => {
  it('stores every record exactly once', async () => {
    const connection = await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS);
    await using oracle = new OracleWriter({ connection, retention: { maxLength: 1_000, maxAgeMs: 1e9 } });
    oracle.emit(300);
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(stats.delivery).toBe('exactly-once');
    expect(oracle.lines).toEqual([]);
  });
});

describe('A user who may not run scripts', () => {
  it('gets at-least-once delivery by default, and is told so once', async () => {
    const connection = await user(...PLAIN_RIGHTS);
    await using oracle = new OracleWriter({ connection, retention: { maxLength: 1_000 } });
    oracle.emit(300);
    await oracle.delivered(300);
    oracle.emit(300);
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(stats).toMatchObject({ delivery: 'at-least-once', possibleDuplicates: 0 });
    expect(
      oracle.lines.filter((line) => line.includes('at least once instead of exactly once')),
    ).toHaveLength(1);
    expect(Object.keys(await redis.client.hgetall('{logs:oracle}:resources'))).toHaveLength(1);
    expectDiscreet(oracle);
  });

  it('waits when exactly-once delivery was asked for, and gets it as soon as scripts are allowed', async () => {
    const connection = await user(...PLAIN_RIGHTS);
    await using oracle = new OracleWriter({ connection, delivery: 'exactly-once' }, IMPATIENT);
    oracle.emit(300);
    await until(() => oracle.lines.some((line) => line.includes('NOPERM')));
    expect(oracle.stats).toMatchObject({ delivered: 0, queued: 300, delivery: 'exactly-once' });
    expect(await redis.client.exists('logs:oracle')).toBe(0);
    await redis.client.acl('SETUSER', 'app', ...SCRIPT_RIGHTS);
    await oracle.delivered(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('from some moment on, loses no record by it', async () => {
    const connection = await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS);
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    oracle.emit(300);
    await oracle.delivered(300);
    await redis.client.acl('SETUSER', 'app', '-eval', '-evalsha');
    oracle.emit(300);
    await oracle.delivered(600);
    const stats = await expectClosed(oracle);
    await expectAllOnceOrAnnounced(oracle);
    expect(stats.delivery).toBe('at-least-once');
  });
});

async function expectAllOnceOrAnnounced(oracle: OracleWriter): Promise<void> {
  const found = await oracle.audit(redis.client);
  expect(found.corrupt).toEqual([]);
  expect(found.unique.size).toBe(oracle.emitted);
  expect(found.duplicates).toBeLessThanOrEqual(oracle.stats.possibleDuplicates);
}

describe('A user who lacks a right that the write path needs', () => {
  it.each([
    ['to append', ['+eval', '+evalsha', '+type', '+time', '+get', '+set', '+xinfo|stream', '+xrevrange']],
    [
      'to keep the guard',
      ['+eval', '+evalsha', '+type', '+time', '+get', '+xadd', '+hsetnx', '+zadd', '+xtrim'],
    ],
    ['to read the type of a key', ['+eval', '+evalsha', '+xadd']],
  ])(
    '%s loses no record: they wait, the reason is told, and they arrive when it is granted',
    async (_, rights) => {
      const connection = await user('~logs:*', '~{logs:*}:*', '+ping', ...rights);
      await using oracle = new OracleWriter({ connection }, IMPATIENT);
      oracle.emit(300);
      await until(() => oracle.lines.some((line) => line.includes('NOPERM')), { what: 'NOPERM' });
      expect(oracle.stats).toMatchObject({ delivered: 0, dropped: {}, delivery: 'exactly-once' });
      await redis.client.acl('SETUSER', 'app', ...PLAIN_RIGHTS, ...SCRIPT_RIGHTS);
      await oracle.delivered(300);
      await expectClosed(oracle);
      await expectAllOnce(oracle, redis.client);
      expectDiscreet(oracle);
    },
  );

  it('to the helper keys waits just as well', async () => {
    const connection = await user('~logs:*', '+@all');
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    oracle.emit(300);
    await until(() => oracle.lines.some((line) => line.includes('NOPERM')));
    await redis.client.acl('SETUSER', 'app', '~{logs:*}:*');
    await oracle.delivered(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('to trim the stream stores records all the same, and says that the stream grows', async () => {
    const connection = await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS, '-xtrim');
    await using oracle = new OracleWriter({ connection, retention: { maxLength: 10 } });
    oracle.emit(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(oracle.lines.filter((line) => line.includes('cannot be trimmed'))).toHaveLength(1);
  });

  it('to select the database writes nothing into another one', async () => {
    const connection = `${await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS)}/1`;
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    oracle.emit(10);
    await until(() => oracle.lines.some((line) => line.includes('NOPERM')));
    expect(await redis.client.dbsize()).toBe(0);
    await redis.client.acl('SETUSER', 'app', '+select');
    await oracle.delivered(10);
    await expectClosed(oracle);
    expect(await redis.client.dbsize()).toBe(0);
    await expectAllOnce(oracle, redis.server.client({ db: 1 }));
  });
});

describe('A wrong password', () => {
  it('is tried a few times at most, told once and never shown, and the records wait', async () => {
    await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS);
    const wrong = `redis://app:${PASSWORD}-wrong@127.0.0.1:${redis.server.port}`;
    await redis.client.config('RESETSTAT');
    const startedAt = performance.now();
    // Jitter at its longest: the waits are then 1 s, 2 s, 4 s and so on, up to 30 s.
    await using oracle = new OracleWriter({ connection: wrong }, { ...systemRuntime, random: () => 0.999 });
    oracle.emit(10);
    const perAttempt = await until(async () => attempts().then((count) => count), { what: 'an attempt' });
    await until(async () => (await attempts()) === 3 * perAttempt, { timeoutMs: 10_000 });
    expect(performance.now() - startedAt).toBeGreaterThan(2_900);
    expect(oracle.lines).toHaveLength(1);
    expect(oracle.lines[0]).toContain('WRONGPASS');
    expectDiscreet(oracle);
    expect(oracle.stats).toMatchObject({ queued: 10, delivered: 0 });
    await redis.client.acl('SETUSER', 'app', `>${PASSWORD}-wrong`);
    await oracle.delivered(10, 30_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('that was right before is told as soon as it is not, once, and the records follow when it is again', async () => {
    const connection = await user(...PLAIN_RIGHTS, ...SCRIPT_RIGHTS);
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    oracle.emit(10);
    await oracle.delivered(10);
    await redis.client.acl('SETUSER', 'app', 'resetpass', '>another');
    await redis.client.client('KILL', 'USER', 'app');
    oracle.emit(10);
    const told = (): string[] => oracle.lines.filter((line) => line.includes('WRONGPASS'));
    await until(() => told().length > 0, { timeoutMs: 10_000, what: 'WRONGPASS' });
    const before = await attempts();
    await until(async () => (await attempts()) > before + 2, { timeoutMs: 10_000 });
    expect(told()).toHaveLength(1);
    expect(oracle.writer.health()).toMatchObject({ reason: 'redis_away', error: 'WRONGPASS' });
    expectDiscreet(oracle);
    await redis.client.acl('SETUSER', 'app', `>${PASSWORD}`);
    await oracle.delivered(20, 30_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('that is missing altogether is told as such', async () => {
    await using guarded = await startRedisServer({ config: [`requirepass ${PASSWORD}`] });
    await using oracle = new OracleWriter({ connection: guarded.url });
    oracle.emit(10);
    await until(() => oracle.lines.some((line) => line.includes('NOAUTH')), { timeoutMs: 10_000 });
    expect(oracle.stats).toMatchObject({ queued: 10, delivered: 0 });
    expect(oracle.lines).toHaveLength(1);
  });
});

/** How often a client has tried to log in since the last reset of the statistics. */
async function attempts(): Promise<number> {
  const stats = await redis.client.info('commandstats');
  const calls = (name: string): number =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return calls('auth') + calls('hello');
}
