import { describe, expect, it } from 'vitest';
import { fasterRuntime } from '../support/faster-runtime.js';
import { OracleWriter } from '../support/oracle.js';
import { expectAllOnce, expectClosed } from '../support/oracle-expect.js';
import { startRedisSentinels } from '../support/redis-sentinel.js';
import { startRedisServer } from '../support/redis-server.js';
import { resp, startScriptedRespServer } from '../support/scripted-resp-server.js';
import { onlyInLongRuns } from '../support/long-run.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** The five seconds that batches are kept take half a second. */
const FASTER = 10;
/** The time that Sentinel takes is its own. */

describe('A primary that is demoted while nothing is logged', () => {
  it('and leaves the connection up: what it had acknowledged and lost goes to the new one, unasked', async () => {
    await using old = await startRedisServer();
    await using replica = await startRedisServer();
    await using link = await startTcpProxy(old);
    const copy = replica.client();
    await copy.replicaof(link.host, link.port);
    await until(async () => (await copy.info('replication')).includes('master_link_status:up'));
    // A Sentinel of its own: the real one ends all connections of the primary that it demotes.
    let primary = old.port;
    await using sentinel = await startScriptedRespServer(({ name, args }) => {
      if (name !== 'SENTINEL') return undefined;
      const isAsked = args[0]?.toLowerCase() === 'get-master-addr-by-name';
      return resp.value(isAsked ? ['127.0.0.1', String(primary)] : []);
    });
    const connection = { sentinels: [{ host: sentinel.host, port: sentinel.port }], name: 'logs' };
    await using oracle = new OracleWriter({ connection }, fasterRuntime(FASTER));
    oracle.emit(500);
    await oracle.delivered(500);
    await until(async () => (await copy.xlen('logs:oracle')) === 500);
    await link.set({ blackHole: true });
    oracle.emit(700);
    await oracle.delivered(1_200);
    await copy.replicaof('NO', 'ONE');
    primary = replica.port;
    await old.client().replicaof('127.0.0.1', replica.port);
    expect(await copy.xlen('logs:oracle')).toBe(500);
    // Nothing is logged, and nobody ends the connection.
    await until(async () => (await copy.xlen('logs:oracle')) === 1_200, { timeoutMs: 10_000 });
    expect(oracle.lines.join('\n')).toContain('READONLY');
    await oracle.delivered(1_200);
    expect(oracle.stats.retried).toBeGreaterThanOrEqual(700);
    await expectClosed(oracle);
    await expectAllOnce(oracle, copy);
  });

  it('by a real Sentinel: all are there, and what follows goes to the new primary', async (context) => {
    onlyInLongRuns(context);
    await using group = await startRedisSentinels();
    const connection = { sentinels: [...group.addresses], name: group.name };
    await using oracle = new OracleWriter({ connection });
    oracle.emit(500);
    await oracle.delivered(500);
    const [first] = group.sentinels;
    await until(async () => (await first?.client().call('SENTINEL', 'FAILOVER', group.name)) === 'OK', {
      timeoutMs: 20_000,
    });
    // Sentinel leaves the old primary as it is for some seconds after it has named the new one.
    const old = group.master.client();
    await until(async () => (await old.info('replication')).includes('role:slave'), { timeoutMs: 40_000 });
    await until(() => oracle.lines.some((line) => line.includes('answers again')), { timeoutMs: 20_000 });
    oracle.emit(10);
    await oracle.delivered(510);
    await expectClosed(oracle);
    await expectAllOnce(oracle, group.replica.client());
  });
});

describe('A writer that has fallen silent', () => {
  it('asks Redis once more, and then leaves it alone', async () => {
    await using server = await startRedisServer();
    const client = server.client();
    await using oracle = new OracleWriter({ connection: server.url }, fasterRuntime(FASTER));
    oracle.emit(100);
    await oracle.delivered(100);
    const calls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
    const before = await calls();
    await until(async () => (await calls()) > before, { timeoutMs: 5_000 });
    const asked = await calls();
    // Pings come every ten seconds of silence: three of them are half a minute.
    const pings = async (): Promise<number> =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
    const pinged = await pings();
    await until(async () => (await pings()) >= pinged + 3, { timeoutMs: 15_000 });
    expect(await calls()).toBe(asked);
    expect(asked).toBe(before + 1);
  });
});
