import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Runtime, systemRuntime } from '../../src/pipeline/runtime.js';
import { IS_LONG_RUN, report } from '../support/long-run.js';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed, expectExactlyOnce } from '../support/oracle-expect.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { startRedisSentinels } from '../support/redis-sentinel.js';
import { startRedisServer } from '../support/redis-server.js';
import { startTcpProxy, TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** The load goes on for so long, in the middle of which the failover is. */
const LOAD_MS = IS_LONG_RUN ? 30_000 : 0;
const TIMEOUT_MS = IS_LONG_RUN ? 180_000 : 90_000;

async function untilLoadIsOver(startedAt: number): Promise<void> {
  await delay(Math.max(0, LOAD_MS - (performance.now() - startedAt)));
}

describe('A failover by Sentinel under load', () => {
  it('stores every record once and in order', { timeout: TIMEOUT_MS }, async () => {
    await using group = await startRedisSentinels();
    const connection = { sentinels: [...group.addresses], name: group.name };
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    const startedAt = performance.now();
    const load = startLoad(oracle, 3_000);
    await oracle.delivered(1_000);
    await delay(LOAD_MS / 3);
    await group.master.kill();
    await until(async () => (await group.masterPort()) === group.replica.port, { timeoutMs: 30_000 });
    const before = oracle.stats.delivered;
    await until(() => oracle.stats.delivered > before + 1_000, { timeoutMs: 20_000 });
    await untilLoadIsOver(startedAt);
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, group.replica.client());
    if (IS_LONG_RUN) report({ Sentinel: JSON.stringify(oracle.stats) });
    expect(oracle.lines.some((line) => line.includes('answers again'))).toBe(true);
  });
});

describe('A failover to a replica that lags', () => {
  it('gives it again what the old primary had acknowledged and lost: nothing is missing, twice, or out of order', async () => {
    await using old = await startRedisServer();
    await using replica = await startRedisServer();
    await using link = await startTcpProxy(old);
    await using front = await startTcpProxy(old);
    const copy = replica.client();
    await copy.replicaof(link.host, link.port);
    await until(async () => (await copy.info('replication')).includes('master_link_status:up'));
    await using oracle = new OracleWriter({ connection: front.url }, IMPATIENT);
    oracle.emit(1_000);
    await oracle.delivered(1_000);
    await until(async () => (await copy.xlen('logs:oracle')) === 1_000);
    await link.set({ blackHole: true });
    oracle.emit(2_000);
    await oracle.delivered(3_000);
    await old.kill();
    await front.close();
    await copy.replicaof('NO', 'ONE');
    expect(await copy.xlen('logs:oracle')).toBe(1_000);
    await using _redirected = await listenAt(front.port, replica.port);
    oracle.emit(1_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, copy);
    expect(oracle.stats.retried).toBeGreaterThanOrEqual(2_000);
  });

  it('counts as rolled back what was acknowledged and lost longer ago than it is kept', async () => {
    let told = 0;
    const count = (event: unknown): void => {
      if ((event as { reason?: string }).reason === 'rolled_back') told++;
    };
    subscribe('nestjs-redis-log:drop', count);
    onTestFinished(() => void unsubscribe('nestjs-redis-log:drop', count));
    await using old = await startRedisServer();
    await using front = await startTcpProxy(old);
    await using empty = await startRedisServer();
    const clock = new JumpingClock();
    await using oracle = new OracleWriter({ connection: front.url }, clock);
    oracle.emit(1_000);
    await oracle.delivered(1_000);
    clock.jump(10_000);
    oracle.emit(500);
    await oracle.delivered(1_500);
    await old.kill();
    await front.close();
    await using _redirected = await listenAt(front.port, empty.port);
    oracle.emit(500);
    await expectClosed(oracle);
    const { unique } = await expectExactlyOnce(oracle, empty.client());
    expect(oracle.stats).toMatchObject({ delivered: 1_000, dropped: { rolled_back: 1_000 } });
    expect(Math.min(...unique)).toBe(1_001);
    expect(oracle.lines.filter((line) => line.includes('rolled_back'))).toHaveLength(1);
    expect(told).toBe(1_000);
  });
});

/** Somebody else answers at a port from now on. */
async function listenAt(port: number, target: number): Promise<TcpProxy> {
  const proxy = new TcpProxy({ port: target }, port);
  await proxy.listen();
  return proxy;
}

/** The system's timers, and a clock that can be told that time has passed. */
class JumpingClock implements Runtime {
  #ahead = 0;
  readonly random = IMPATIENT.random;
  readonly after = systemRuntime.after;
  readonly now = (): number => systemRuntime.now() + this.#ahead;

  jump(ms: number): void {
    this.#ahead += ms;
  }
}

describe('A Cluster', () => {
  it('of three primaries takes every stream to its own node, exactly once', async () => {
    await using cluster = await startRedisCluster();
    const streams = ['logs:a', 'logs:b', 'logs:c', '{tagged}:logs'];
    const stream = (record: { readonly body?: unknown }): string =>
      streams[Number(String(record.body).split(' ')[1]) % streams.length] ?? 'logs:a';
    const connection = { cluster: cluster.startupNodes };
    await using oracle = new OracleWriter({ connection, stream });
    oracle.emit(2_000);
    await expectClosed(oracle);
    const client = cluster.client();
    const lengths = await Promise.all(streams.map((name) => client.xlen(name)));
    expect(lengths).toEqual([500, 500, 500, 500]);
    expect(await client.hlen('{logs:a}:resources')).toBe(1);
    expect(await client.hlen('{tagged}:logs:resources')).toBe(1);
    expect(oracle.lines).toEqual([]);
  });

  it(
    'that loses the primary of the stream under load stores every record once and in order',
    { timeout: TIMEOUT_MS },
    async () => {
      await using cluster = await startRedisCluster({ replicas: 1 });
      await using oracle = new OracleWriter({ connection: { cluster: cluster.startupNodes } }, IMPATIENT);
      const startedAt = performance.now();
      const load = startLoad(oracle, 3_000);
      await oracle.delivered(1_000);
      await delay(LOAD_MS / 3);
      const owner = await ownerOf(cluster, 'logs:oracle');
      await owner.kill();
      const { delivered } = oracle.stats;
      await until(() => oracle.stats.delivered > delivered + 2_000, { timeoutMs: 40_000 });
      await untilLoadIsOver(startedAt);
      load.stop();
      await expectClosed(oracle, 30_000);
      await expectAllOnce(oracle, cluster.client());
      if (IS_LONG_RUN) report({ Cluster: JSON.stringify(oracle.stats) });
      expect(oracle.stats.retried).toBeGreaterThan(0);
    },
  );
});

async function ownerOf(cluster: RedisCluster, key: string): Promise<RedisCluster['nodes'][number]> {
  for (const node of cluster.masters) {
    const keys = await node.client().keys(key);
    if (keys.length > 0) return node;
  }
  throw new Error(`No primary has ${key}.`);
}
