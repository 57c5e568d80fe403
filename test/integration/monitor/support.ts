import type { Cluster, Redis } from 'ioredis';
import {
  type GroupSample,
  type MonitorSample,
  StreamMonitor,
  type StreamMonitorOptions,
  type MonitorSurroundings,
  type StreamSample,
} from 'nestjs-redis-log/monitor';
import type { Runtime } from '../../../src/pipeline/runtime.js';
import { createDiagnostics } from '../../../src/diagnostics.js';

export const STREAM = 'logs:shop';
export const GROUP = 'etl';

/** Time that a test moves on; timers are real, since Redis answers in real time. */
export class TestClock implements Runtime {
  nowMs = 1_000_000;
  readonly random = Math.random;
  readonly now = (): number => this.nowMs;
  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** A monitor of one stream that takes samples when it is asked. */
export function watching(
  connection: StreamMonitorOptions['connection'],
  options: StreamMonitorOptions = {},
  around: MonitorSurroundings = {},
): StreamMonitor {
  const diagnostics = createDiagnostics({ write: () => {} });
  const given = { streams: STREAM, metrics: false, ...(connection === undefined ? {} : { connection }) };
  return new StreamMonitor({ ...given, ...options }, { diagnostics, ...around });
}

export async function add(client: Redis, count: number, stream = STREAM): Promise<string[]> {
  const pipeline = client.pipeline();
  for (let index = 0; index < count; index++) pipeline.xadd(stream, '*', 'body', `record ${index}`);
  const results = (await pipeline.exec()) ?? [];
  return results.map(([, id]) => String(id));
}

/** Writes what a counter would have counted: 4 or 5 errors of 20 records now, and 1 of 20 in each 5 minutes before. */
export async function addCounts(client: Redis | Cluster, stream = STREAM): Promise<void> {
  const bucketMs = 300_000;
  const now = Date.now();
  const base = `{${stream}}:insights`;
  await client.hset(base, { bucketMs, keptBuckets: 288, since: now - 7_200_000, until: now });
  await client.zadd(`${base}:sections`, now, 'info:orders', now, 'error:orders');
  const current = Math.floor(now / bucketMs) * bucketMs;
  for (let start = current - 14 * bucketMs; start <= current; start += bucketMs) {
    const errors = start < current ? 1 : 5;
    await client.zadd(`${base}:counts:${bucketMs}:${start}:error:orders`, errors, 'declined');
    await client.zadd(`${base}:counts:${bucketMs}:${start}:info:orders`, 20 - errors, 'paid');
  }
  await client.hset(`${base}:errors:${bucketMs}:${current}:error:orders`, 'declined', 1);
  const known = { template: 'Card declined', sample: 'Card declined', entryId: '1-0' };
  await client.hset(`${base}:messages`, 'declined', `1 ${now} ${JSON.stringify(known)}`);
}

/** Who reads: a consumer of the usual group, or of another one. */
type Who = string | { readonly consumer: string; readonly group: string };

export async function read(client: Redis, count: number, who: Who = 'c1'): Promise<string[]> {
  const { consumer, group } = typeof who === 'string' ? { consumer: who, group: GROUP } : who;
  const reply = await client.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', STREAM, '>');
  const [stream] = (reply ?? []) as [string, [string, string[]][]][];
  return stream?.[1].map(([id]) => id) ?? [];
}

export function streamOf(sample: MonitorSample): StreamSample {
  const [stream] = sample.streams;
  if (stream === undefined) throw new Error('No stream was sampled.');
  return stream;
}

export function groupOf(sample: MonitorSample, group = GROUP): GroupSample {
  const found = streamOf(sample).groups.find((each) => each.group === group);
  if (found === undefined) throw new Error(`The group ${group} was not sampled.`);
  return found;
}

/** What the lag of a group is: the entries after the last one that was delivered, counted. */
export async function countedLag(client: Redis, group = GROUP): Promise<number> {
  const groups = (await client.xinfo('GROUPS', STREAM)) as unknown[][];
  const fields = groups.map((flat) => new Map(pairs(flat))).find((each) => each.get('name') === group);
  return (await client.xrange(STREAM, `(${String(fields?.get('last-delivered-id'))}`, '+')).length;
}

export function pairs(flat: readonly unknown[]): [string, unknown][] {
  return flat.flatMap((name, index) =>
    index % 2 === 0 ? [[String(name), flat[index + 1]] as [string, unknown]] : [],
  );
}
