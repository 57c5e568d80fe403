import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed } from '../support/oracle-expect.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { until } from '../support/until.js';

const STREAM = 'logs:oracle';
/** Keys of the stream: itself, its guard, and two of resources. */
const KEYS = 4;

interface Owner {
  readonly slot: number;
  readonly source: Redis;
  /** Another master. */
  readonly target: Redis;
  readonly masters: readonly Redis[];
}

async function ownerOf(cluster: RedisCluster): Promise<Owner> {
  const masters = cluster.masters.map((master) => master.client());
  const holds = await Promise.all(masters.map((master) => master.keys('*')));
  const at = holds.findIndex((keys) => keys.length > 0);
  const [source, target] = [masters[at], masters[(at + 1) % masters.length]];
  if (source === undefined || target === undefined) throw new Error('No master holds the stream.');
  return { slot: await source.cluster('KEYSLOT', STREAM), source, target, masters };
}

/** Moves the slot as redis-cli does, key by key, so that for a while the keys of one script lie on two nodes. */
async function moveSlot(
  { slot, source, target, masters }: Owner,
  between: () => Promise<void>,
): Promise<void> {
  const [from, to] = [await source.cluster('MYID'), await target.cluster('MYID')];
  await target.cluster('SETSLOT', slot, 'IMPORTING', from);
  await source.cluster('SETSLOT', slot, 'MIGRATING', to);
  const { host = '', port = 0 } = target.options;
  let moved = 0;
  for (;;) {
    const [key] = await source.cluster('GETKEYSINSLOT', slot, 1);
    if (key === undefined) break;
    await source.migrate(host, port, key, 0, 5_000);
    moved++;
    await between();
  }
  expect(moved).toBeGreaterThanOrEqual(KEYS);
  for (const node of [target, source, ...masters]) await node.cluster('SETSLOT', slot, 'NODE', to);
}

/** Resolves when so many more records have been logged. */
async function untilEmitted(oracle: OracleWriter, count: number): Promise<void> {
  const enough = oracle.emitted + count;
  await until(() => oracle.emitted >= enough);
}

describe('A Cluster under load', () => {
  it('whose slot moves to another master, and to a third, stores every record once and in order', async () => {
    await using cluster = await startRedisCluster();
    await using oracle = new OracleWriter({ connection: { cluster: cluster.startupNodes } }, IMPATIENT);
    const load = startLoad(oracle, 2_000);
    await oracle.delivered(500);
    for (let move = 0; move < 2; move++) {
      const owner = await ownerOf(cluster);
      const tries = oracle.stats.retried;
      await moveSlot(owner, () => untilEmitted(oracle, 200));
      await oracle.delivered(oracle.emitted + 500);
      expect(oracle.stats.retried).toBeGreaterThan(tries);
      expect(await owner.target.exists(STREAM)).toBe(1);
    }
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, cluster.client());
  });

  it('that is down for a while, because nobody serves a slot, gets all records when somebody does', async () => {
    await using cluster = await startRedisCluster();
    await using oracle = new OracleWriter({ connection: { cluster: cluster.startupNodes } }, IMPATIENT);
    const load = startLoad(oracle, 2_000);
    await oracle.delivered(500);
    const { slot, source } = await ownerOf(cluster);
    // Another slot than the stream's: with full coverage, the default, a node that misses one takes nothing at all.
    const other = (slot + 1) % 16_384;
    await source.cluster('DELSLOTS', other);
    await untilEmitted(oracle, 2_000);
    expect(oracle.stats.queued + oracle.stats.inFlight).toBeGreaterThan(1_000);
    expect(oracle.lines.some((line) => line.includes('CLUSTERDOWN'))).toBe(true);
    await source.cluster('ADDSLOTS', other);
    await cluster.ready();
    await oracle.delivered(oracle.emitted + 500);
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, cluster.client());
  });
});
