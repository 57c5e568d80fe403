import { describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter } from '../../support/oracle.js';
import { expectClosed } from '../../support/oracle-expect.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy, TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

async function startReplica(of: RedisServer): Promise<RedisServer> {
  const replica = await startRedisServer({ config: [`replicaof ${of.host} ${of.port}`] });
  await until(async () => (await replica.client().info('replication')).includes('master_link_status:up'));
  return replica;
}

describe.each(['exactly-once', 'at-least-once'] as const)('acknowledge: replicated, %s', (delivery) => {
  it('takes no yes of a new primary for records that only the old one has', async () => {
    await using old = await startRedisServer();
    await using lagging = await startReplica(old);
    await using next = await startRedisServer();
    await using _inStep = await startReplica(next);
    await using front = await startTcpProxy(old);
    const options = {
      connection: front.url,
      acknowledge: 'replicated',
      delivery,
      sendTimeoutMs: 1_000,
    } as const;
    await using oracle = new OracleWriter(options, IMPATIENT);
    oracle.emit(10);
    await oracle.delivered(10);
    await lagging.pause();
    oracle.emit(10);
    // The old primary has said no, and is about to be asked again: then its place is taken.
    await until(() => oracle.lines.some((line) => line.includes('no replica has confirmed')));
    expect(await old.client().xlen('logs:oracle')).toBe(20);
    await front.close();
    await using redirected = new TcpProxy({ port: next.port }, front.port);
    await redirected.listen();
    await expectClosed(oracle);
    const { unique, duplicates } = await oracle.audit(next.client());
    const missing = Array.from({ length: 10 }, (_, at) => at + 11).filter((n) => !unique.has(n));
    expect({ missing, duplicates }).toEqual({ missing: [], duplicates: 0 });
    expect(oracle.stats.retried).toBeGreaterThanOrEqual(10);
    // The new connection is not given up for what became of the old one.
    expect(redirected.counts.connections).toBe(1);
    await lagging.resume();
  });
});
