import type { LogRecord, LogStats, RedisLogWriterOptions } from 'nestjs-redis-log/core';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { createDiagnostics } from '../../../src/diagnostics.js';

/** Severities as an ordinary service has them: mostly INFO, now and then an error. */
const SEVERITIES = [9, 9, 5, 9, 13, 9, 9, 17, 9, 21] as const;

export interface Sent {
  readonly stats: LogStats;
  /** How many records were emitted for each stream. */
  readonly perStream: Readonly<Record<string, number>>;
  /** What was said on stderr. */
  readonly said: readonly string[];
}

export interface Traffic extends RedisLogWriterOptions {
  readonly records: number;
}

/** The traffic of a small service: `records` records of all severities, each with its number. Then it closes. */
export async function sendTraffic({ records, ...options }: Traffic): Promise<Sent> {
  const said: string[] = [];
  const perStream: Record<string, number> = {};
  const { stream } = options;
  const counted = (record: LogRecord): string => {
    const name = typeof stream === 'function' ? stream(record) : (stream ?? 'logs:shop');
    perStream[name] = (perStream[name] ?? 0) + 1;
    return name;
  };
  const diagnostics = createDiagnostics({ write: (line) => said.push(line) });
  const writer = new RedisLogWriter(
    { service: { name: 'shop' }, ...options, stream: counted },
    { diagnostics },
  );
  for (let n = 0; n < records; n++) {
    const severityNumber = SEVERITIES[n % SEVERITIES.length] ?? 9;
    writer.emit({ body: `Request ${n} served`, severityNumber, attributes: { n, ms: n / 7 } });
    // As requests come: some per turn of the event loop.
    if (n % 25 === 24) await new Promise(setImmediate);
  }
  await writer.close();
  return { stats: writer.stats(), perStream, said };
}

/** What the account of undisturbed traffic must be. */
export function allDelivered(records: number): LogStats {
  return {
    emitted: records,
    recovered: 0,
    delivered: records,
    queued: 0,
    spooled: 0,
    inFlight: 0,
    unconfirmed: 0,
    dropped: {},
    retried: 0,
    duplicatesSuppressed: 0,
    possibleDuplicates: 0,
    trimmedUnacknowledged: 0,
    delivery: 'exactly-once',
  };
}

/** The keys of one stream without the producer's id in the guard's name, which is another in each run. */
export function keysOf(stream: string): string[] {
  return [
    stream,
    ...['guard:<producer>', 'resources', 'resources:seen'].map((name) => `{${stream}}:${name}`),
  ];
}

/** All keys of a server, sorted, each guard's producer made anonymous. */
export async function allKeys(client: { keys(pattern: string): Promise<string[]> }): Promise<string[]> {
  const keys = await client.keys('*');
  return keys.map((key) => key.replace(/:guard:[\w-]{12}$/, ':guard:<producer>')).toSorted();
}
