import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { OracleWriter } from '../../support/oracle.js';
import type { RedisServer } from '../../support/redis-server.js';
import { startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

const STREAM = 'logs:oracle';

let primary: RedisServer;

beforeEach(async () => {
  primary = await startRedisServer();
});

afterEach(async () => {
  await primary.stop();
});

/** A replica of the primary, in touch with it. */
async function startReplica(): Promise<RedisServer> {
  const replica = await startRedisServer({ config: [`replicaof ${primary.host} ${primary.port}`] });
  await until(async () => (await replica.client().info('replication')).includes('master_link_status:up'));
  return replica;
}

function writer(acknowledge: 'replicated' | 'fsynced', options: object = {}): OracleWriter {
  return new OracleWriter({ connection: primary.url, acknowledge, sendTimeoutMs: 1_000, ...options });
}

describe.each(['exactly-once', 'at-least-once'] as const)('acknowledge: replicated, %s', (delivery) => {
  it('counts a record as delivered when a replica has it', async () => {
    await using replica = await startReplica();
    await using oracle = writer('replicated', { delivery });
    oracle.emit(1_000);
    await oracle.delivered(1_000);
    // Read from the replica at once, without waiting: that is what was promised.
    await expectAllOnce(oracle, replica.client());
    await expectClosed(oracle);
  });

  it('counts nothing as delivered while no replica answers, says so, and stores nothing twice', async () => {
    await using replica = await startReplica();
    await using oracle = writer('replicated', { delivery });
    oracle.emit(10);
    await oracle.delivered(10);
    await replica.pause();
    oracle.emit(10);
    await until(() => oracle.lines.some((line) => line.includes('no replica has confirmed')), {
      timeoutMs: 10_000,
    });
    expect(await primary.client().xlen(STREAM)).toBe(20);
    expect(oracle.stats).toMatchObject({ delivered: 10, inFlight: 10 });
    await replica.resume();
    await oracle.delivered(20);
    await expectAllOnce(oracle, primary.client());
    expect(oracle.lines.at(-1)).toContain('records are stored again');
    await expectClosed(oracle);
  });

  it('lets records wait, unwritten, where there is no replica', async () => {
    await using oracle = writer('replicated', { delivery });
    oracle.emit(10);
    await until(() => oracle.lines.length > 0);
    expect(oracle.lines[0]).toMatch(
      /Stream logs:oracle: no replica has confirmed .* acknowledge: "replicated"/,
    );
    expect(await primary.client().exists(STREAM)).toBe(0);
    await using replica = await startReplica();
    await oracle.delivered(10);
    await expectAllOnce(oracle, replica.client());
  });

  it('keeps the account when the connection breaks while a replica is asked', async () => {
    await using replica = await startReplica();
    await using proxy = await startTcpProxy(primary);
    await using oracle = writer('replicated', { delivery, connection: proxy.url });
    oracle.emit(10);
    await oracle.delivered(10);
    await replica.pause();
    oracle.emit(10);
    await until(async () => (await primary.client().xlen(STREAM)) === 20);
    proxy.cut();
    await replica.resume();
    await oracle.delivered(20);
    await expectClosed(oracle);
    const found = await oracle.audit(replica.client());
    expect(found).toMatchObject({ corrupt: [] });
    expect(found.unique.size).toBe(20);
    // Exactly once suppresses the second copy; at least once may keep it, and says so.
    expect(found.duplicates).toBeLessThanOrEqual(oracle.stats.possibleDuplicates);
    const { duplicatesSuppressed, possibleDuplicates } = oracle.stats;
    expect(delivery === 'exactly-once' ? duplicatesSuppressed : possibleDuplicates).toBeGreaterThan(0);
  });

  it('reports what is unconfirmed when the time to close is up', async () => {
    await using replica = await startReplica();
    await using oracle = writer('replicated', { delivery });
    oracle.emit(5);
    await oracle.delivered(5);
    await replica.pause();
    oracle.emit(5);
    await until(async () => (await primary.client().xlen(STREAM)) === 10);
    const result = await oracle.writer.close({ timeoutMs: 300 });
    expect(result).toMatchObject({ delivered: 5, unconfirmed: 5, pending: 0, timedOut: true });
    expect(oracle.stats.unconfirmed).toBe(5);
  });
});

describe('acknowledge: fsynced', () => {
  it('counts records as delivered when the append-only file is synced, or refuses where a server cannot say it', async () => {
    const client = primary.client();
    const [known] = (await client.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
    await using oracle = writer('fsynced');
    oracle.emit(10);
    await until(() => oracle.lines.length > 0);
    expect(await client.exists(STREAM)).toBe(0);
    if (known === null) {
      expect(oracle.lines[0]).toContain('this server has no WAITAOF');
      // It is asked again, and still nothing is written.
      await until(async () => /cmdstat_eval:calls=[2-9]/.test(await client.info('commandstats')));
      expect(await client.exists(STREAM)).toBe(0);
      expect(oracle.stats).toMatchObject({ delivered: 0, queued: 10 });
      return;
    }
    expect(oracle.lines[0]).toContain('set appendonly to yes');
    await client.config('SET', 'appendonly', 'yes');
    await oracle.delivered(10);
    await expectAllOnce(oracle, client);
  });
});
