import type { Cluster, Redis } from 'ioredis';
import { RedisLogWriter, decodeLogRecord } from 'nestjs-redis-log/core';
import { type InsightsCounterOptions, LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { startCounting, STREAM, table, whenCounted } from '../../integration/insights/support.js';
import { countOffline, httpLines } from '../../integration/insights/traffic.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import type { RedisProcess } from '../../support/redis-process.js';
import { startRedisSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';

type Connection = NonNullable<InsightsCounterOptions['connection']>;

const GROUP = 'redis-log-insights';
/** Records that the old primary has and counts, and that the new one has never seen. */
const FORGOTTEN = 1_000;
const PER_SECOND = 2_000;

interface Servers {
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
}

/**
 * Cuts the replica off, lets the primary store and count more, and kills it. The replica was stopped before its link was
 * cut, so it has nothing of that.
 */
async function failOverWithLoss({ primary, replica }: Servers): Promise<void> {
  const client = primary.client();
  await using insights = new LogInsights({ connection: primary.url, stream: STREAM });
  const counted = async (): Promise<number> => (await insights.common(undefined, undefined, '1h')).total;
  await replica.pause();
  await client.call('CLIENT', 'KILL', 'TYPE', 'replica');
  const [stored, known] = [await client.xlen(STREAM), await counted()];
  await until(async () => (await client.xlen(STREAM)) >= stored + FORGOTTEN, { what: 'more records' });
  await until(async () => (await counted()) >= known + FORGOTTEN, { what: 'them to be counted' });
  await primary.kill();
  await replica.resume();
}

/** Writes until it is told to stop; resolves with the number of records, all of which are stored then. */
function startWriting(connection: Connection): { stop(): Promise<number>; readonly writer: RedisLogWriter } {
  const options = { connection, stream: STREAM, service: { name: 'orders' } };
  const diagnostics = createDiagnostics({ write: () => undefined });
  const writer = new RedisLogWriter(options, { diagnostics });
  const lines = httpLines(1_000_000);
  const startedAt = performance.now();
  let emitted = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * PER_SECOND;
    for (; emitted < due; emitted++) writer.emit({ body: lines.next().value ?? '', severityNumber: 9 });
  }, 5);
  const stop = async (): Promise<number> => {
    clearInterval(timer);
    expect(await writer.close({ timeoutMs: 20_000 })).toMatchObject({ delivered: emitted, timedOut: false });
    return emitted;
  };
  return { stop, writer };
}

async function bodiesOf(client: Redis | Cluster): Promise<string[]> {
  const entries = (await client.xrange(STREAM, '-', '+')) as [string, string[]][];
  return entries.map(([, fields]) => {
    const decoded = decodeLogRecord(fields);
    return decoded.status === 'ok' ? String(decoded.record.body) : decoded.reason;
  });
}

/** Writes and counts before, during and after the failover, and holds the counts against the stream that is left. */
async function expectExactCounts(
  connection: Connection,
  failOver: () => Promise<void>,
  client: Redis | Cluster,
): Promise<void> {
  await using first = startCounting({ connection, minIdleMs: 1_000 });
  await using second = startCounting({ connection, minIdleMs: 1_000 });
  const counted = (): number => first.counter.stats().counted + second.counter.stats().counted;
  const { stop, writer } = startWriting(connection);
  await until(() => counted() > FORGOTTEN, { timeoutMs: 20_000 });
  await failOver();
  const { delivered } = writer.stats();
  await until(() => writer.stats().delivered > delivered + FORGOTTEN, { timeoutMs: 40_000 });
  const emitted = await stop();
  await using insights = new LogInsights({ connection, stream: STREAM });
  await whenCounted(insights, emitted, 40_000);
  await until(async () => Number((await client.xpending(STREAM, GROUP))[0]) === 0, { timeoutMs: 20_000 });
  const bodies = await bodiesOf(client);
  expect(bodies).toHaveLength(emitted);
  const common = await insights.common('orders', 'info', '1h', { limit: 100 });
  expect(common.total).toBe(emitted);
  expect(new Map(table(common))).toEqual(new Map(countOffline(bodies)));
  // The failover was felt: records were sent, and counts made, a second time.
  expect(writer.stats().retried).toBeGreaterThanOrEqual(FORGOTTEN);
  expect(counted()).toBeGreaterThanOrEqual(emitted + FORGOTTEN / 2);
}

describe('Messages that are counted while their primary is killed', () => {
  it('are as many as the promoted replica has, though it lacks records and counts (Sentinel)', async () => {
    await using group = await startRedisSentinels();
    const connection = { sentinels: [...group.addresses], name: group.name };
    const failOver = (): Promise<void> => failOverWithLoss({ primary: group.master, replica: group.replica });
    await expectExactCounts(connection, failOver, group.replica.client());
  });

  it('are as many as the promoted replica has, though it lacks records and counts (Cluster)', async () => {
    await using cluster = await startRedisCluster({ replicas: 1 });
    const client = cluster.client();
    const connection = { cluster: cluster.startupNodes };
    const failOver = async (): Promise<void> => {
      const keys = await Promise.all(cluster.masters.map((node) => node.client().keys(STREAM)));
      const at = keys.findIndex((found) => found.length > 0);
      const [primary, replica] = [cluster.masters[at], cluster.replicas[at]];
      if (primary === undefined || replica === undefined) throw new Error('No primary has the stream.');
      await failOverWithLoss({ primary, replica });
    };
    await expectExactCounts(connection, failOver, client);
  });
});
