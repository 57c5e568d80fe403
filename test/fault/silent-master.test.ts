import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/core.js';
import { fasterRuntime } from '../support/faster-runtime.js';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectClosed } from '../support/oracle-expect.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { until } from '../support/until.js';

const MASTERS = 3;

/** A stream for each master; the slots are shared evenly. */
async function streamPerMaster(cluster: RedisCluster): Promise<string[]> {
  const streams: string[] = [];
  for (let n = 0; streams.filter(Boolean).length < MASTERS; n++) {
    const slot = Number(await cluster.client().cluster('KEYSLOT', `logs:${n}`));
    streams[Math.floor((slot * MASTERS) / 16_384)] ??= `logs:${n}`;
  }
  return streams;
}

async function numbersIn(cluster: RedisCluster, stream: string): Promise<number[]> {
  const entries = await cluster.client().xrange(stream, '-', '+');
  return entries.map(([, fields]) => Number(fields[fields.indexOf('n') + 1]));
}

describe('A Cluster of three masters of which one says nothing', () => {
  it.each([
    ['is stopped and goes on later', 'exactly-once'],
    ['is killed and started again', 'at-least-once'],
  ] as const)(
    'because it %s: streams on the others are written without a break, and none loses or repeats a record (%s)',
    async (how, delivery) => {
      const config = ['cluster-require-full-coverage no', 'appendonly yes', 'appendfsync always'];
      await using cluster = await startRedisCluster({ config });
      const streams = await streamPerMaster(cluster);
      const stream = ({ attributes }: LogRecord): string => streams[Number(attributes['n']) % MASTERS] ?? '';
      const connection = { cluster: cluster.startupNodes };
      const options = { connection, stream, delivery, sendTimeoutMs: 500 } as const;
      await using oracle = new OracleWriter(options, IMPATIENT);
      const load = startLoad(oracle, 1_500);
      await oracle.delivered(900);
      const silent = cluster.masters[0];
      if (how.includes('stopped')) await silent?.pause();
      else await silent?.kill();
      await until(() => oracle.lines.some((line) => line.includes('does not answer')), { timeoutMs: 10_000 });
      const { delivered } = oracle.stats;
      const since = performance.now();
      // Two thirds of what is logged; several timeouts of the silent one pass meanwhile.
      await oracle.delivered(delivered + 3_000);
      expect(performance.now() - since).toBeLessThan(6_000);
      if (how.includes('stopped')) await silent?.resume();
      else await silent?.restart();
      load.stop();
      await cluster.ready();
      await expectClosed(oracle, 30_000);
      expect(oracle.lines.filter((line) => line.includes('is not usable'))).toEqual([]);
      const stored = await Promise.all(streams.map((name) => numbersIn(cluster, name)));
      const numbers = stored.flat();
      expect(new Set(numbers).size).toBe(oracle.emitted);
      if (delivery === 'at-least-once') {
        expect(numbers.length - oracle.emitted).toBeLessThanOrEqual(oracle.stats.possibleDuplicates);
        return;
      }
      expect(numbers).toHaveLength(oracle.emitted);
      for (const each of stored) expect(each).toEqual(each.toSorted((a, b) => a - b));
      expect(oracle.stats).toMatchObject({ delivered: oracle.emitted, dropped: {}, possibleDuplicates: 0 });
    },
  );

  it('while nothing is logged: its link alone is given up, and made again when a record needs it', async () => {
    await using cluster = await startRedisCluster({ config: ['cluster-require-full-coverage no'] });
    const streams = await streamPerMaster(cluster);
    const stream = ({ attributes }: LogRecord): string => streams[Number(attributes['n']) % MASTERS] ?? '';
    const options = { connection: { cluster: cluster.startupNodes }, stream };
    await using oracle = new OracleWriter(options, fasterRuntime(20));
    oracle.emit(30);
    await oracle.delivered(30);
    const [silent, other] = cluster.masters;
    const clients = async (): Promise<string> => String(await other?.client().client('LIST'));
    const link = /id=(\d+) .*name=nestjs-redis-log /;
    const before = link.exec(await clients())?.[1];
    const pings = async (): Promise<number> => {
      const stats = await other?.client().info('commandstats');
      return Number(/cmdstat_ping:calls=(\d+)/.exec(stats ?? '')?.[1] ?? 0);
    };
    // What was acknowledged last has been asked for, and the connection is idle.
    const first = await pings();
    await until(async () => (await pings()) >= first + 2, { timeoutMs: 15_000 });
    await silent?.pause();
    const asked = await pings();
    // Each question to the silent one has a deadline, after which the next round begins.
    await until(async () => (await pings()) >= asked + 3, { timeoutMs: 15_000 });
    expect(oracle.lines).toEqual([]);
    expect(before).toBeDefined();
    expect(link.exec(await clients())?.[1]).toBe(before);
    await silent?.resume();
    await cluster.ready();
    oracle.emit(30);
    await expectClosed(oracle);
    const stored = await Promise.all(streams.map((name) => numbersIn(cluster, name)));
    expect(stored.flat()).toHaveLength(60);
  });
});
