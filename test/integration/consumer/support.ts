import type { Redis } from 'ioredis';
import {
  type ConsumerStats,
  LogConsumer,
  type LogConsumerOptions,
  type LogHandler,
} from 'nestjs-redis-log/consumer';
import { type LogInput, RedisLogWriter, type RedisLogWriterOptions } from 'nestjs-redis-log/core';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { until } from '../../support/until.js';

export const STREAM = 'logs:shop';

/** Writes records with these bodies, as an application does. */
export async function write(
  options: RedisLogWriterOptions,
  bodies: readonly string[],
  more: Omit<LogInput, 'body'> = {},
): Promise<void> {
  await using writer = new RedisLogWriter({ stream: STREAM, service: { name: 'shop' }, ...options });
  for (const body of bodies) writer.emit({ body, ...more });
  const { delivered } = await writer.flush();
  if (delivered !== bodies.length) throw new Error(`Only ${delivered} of ${bodies.length} were written.`);
}

export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `record ${from + at}`);
}

/** A consumer at work, and what it has said and handled. */
export interface Running extends AsyncDisposable {
  readonly consumer: LogConsumer;
  readonly lines: string[];
  /** Bodies that the handler was done with, in order. */
  readonly handled: string[];
  readonly stats: ConsumerStats;
  /** Resolves when the stats look so. */
  reaches(wanted: Partial<ConsumerStats>, timeoutMs?: number): Promise<void>;
}

/** Short times, so that tests need not wait. */
const QUICK = {
  stream: STREAM,
  group: 'etl',
  maxWaitMs: 5,
  minIdleMs: 1_000,
  heartbeatMs: 500,
  retry: { minDelayMs: 5, maxDelayMs: 20 },
} as const;

/** Starts a consumer. Its handler notes the bodies after `work` has resolved. */
export function consume(options: Partial<LogConsumerOptions>, work: LogHandler = () => undefined): Running {
  const lines: string[] = [];
  const handled: string[] = [];
  const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
  const consumer = new LogConsumer({ ...QUICK, ...options }, { diagnostics });
  const running = consumer.run(async (batch) => {
    const result = await work(batch);
    const isDone = (id: string): boolean => !Array.isArray(result) || result.includes(id);
    for (const { id, record } of batch) if (isDone(id)) handled.push(String(record.body));
    return result;
  });
  return {
    consumer,
    lines,
    handled,
    get stats() {
      return consumer.stats();
    },
    reaches: async (wanted, timeoutMs = 10_000) => {
      const looksSo = (): boolean =>
        Object.entries(wanted).every(
          ([key, value]) => consumer.stats()[key as keyof ConsumerStats] === value,
        );
      await until(looksSo, { timeoutMs, what: `${JSON.stringify(wanted)}` }).catch((cause: unknown) => {
        throw new Error(`Instead of ${JSON.stringify(wanted)}: ${JSON.stringify(consumer.stats())}`, {
          cause,
        });
      });
    },
    [Symbol.asyncDispose]: async () => {
      await consumer.close();
      await running;
    },
  };
}

/** A promise, and the function that resolves it. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** How many entries the group holds, of whomever. */
export async function pending(client: Redis, group = 'etl', stream = STREAM): Promise<number> {
  const [count] = (await client.xpending(stream, group)) as unknown[];
  return Number(count);
}

/** The names of the group's consumers. */
export async function members(client: Redis, group = 'etl', stream = STREAM): Promise<string[]> {
  const all = (await client.xinfo('CONSUMERS', stream, group)) as unknown[][];
  return all.map((pairs) => String(pairs[pairs.indexOf('name') + 1]));
}

/** Fields of each dead letter, as names and values. */
export async function deadLetters(client: Redis, stream = STREAM): Promise<Record<string, string>[]> {
  const entries = await client.xrange(`{${stream}}:dlq`, '-', '+');
  return entries.map(([, fields]) => {
    const pairs: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) pairs[fields[i] ?? ''] = fields[i + 1] ?? '';
    return pairs;
  });
}
