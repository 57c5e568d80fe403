import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { FlushResult } from '../../../src/core.js';
import type { RedisSentinels } from '../../support/redis-sentinel.js';
import { type Audit, droppedOf, OracleWriter } from '../../support/oracle.js';

/** What `close()` has said of its records, and the writer, whose account is still there. */
export interface Closed {
  readonly oracle: OracleWriter;
  readonly said: FlushResult;
}

export interface Kind {
  readonly acknowledge: 'written' | 'replicated';
  readonly delivery: 'exactly-once' | 'at-least-once';
  readonly spool?: { readonly directory: string };
  /** ioredis listens to the Sentinels, and ends the connection when they name another primary. */
  readonly failoverDetector?: true;
}

let streams = 0;

/** A writer with a stream of its own. */
export function openWriter(group: RedisSentinels, kind: Kind): OracleWriter {
  const { failoverDetector = false, ...options } = kind;
  return new OracleWriter({
    connection: { sentinels: [...group.addresses], name: group.name, failoverDetector },
    stream: `logs:${++streams}`,
    sendTimeoutMs: 2_000,
    ...options,
    // So that what is delivered comes before what is not, also without the guard.
    ...(kind.delivery === 'at-least-once' && { batch: { maxInFlight: 1 } }),
  });
}

export async function close(oracle: OracleWriter, timeoutMs: number): Promise<Closed> {
  return { oracle, said: await oracle.writer.close({ timeoutMs }) };
}

/** Until it is told to stop: opens a writer, logs for a moment, closes it, and goes on with the next one. */
export async function keepWriting(group: RedisSentinels, kind: Kind, stop: AbortSignal): Promise<Closed[]> {
  const closed: Closed[] = [];
  while (!stop.aborted) {
    const oracle = openWriter(group, kind);
    for (let turn = closed.length % 7; turn >= 0; turn--) {
      oracle.emit(10);
      await delay(closed.length % 5);
    }
    // Some give up at once, which leaves them records without an outcome.
    closed.push(await close(oracle, closed.length % 3 === 0 ? 100 : 1_500));
  }
  return closed;
}

/** How what a writer said differs from what is stored. */
export interface Verdict {
  /** Called delivered, and not there. */
  readonly lost: number;
  readonly delivered: number;
  readonly unconfirmed: number;
  readonly dropped: number;
  readonly stored: Audit;
  /** Neither called delivered nor possibly stored, and there. */
  readonly unannounced: number;
}

export async function judge({ oracle, said }: Closed, primary: Redis): Promise<Verdict> {
  const stored = await oracle.audit(primary);
  const { delivered, unconfirmed, spooled, pending } = said;
  const dropped = droppedOf(oracle.stats);
  if (pending !== 0 || delivered + unconfirmed + spooled + dropped !== oracle.emitted) {
    throw new Error(`${oracle.emitted} records were emitted, and close() said: ${JSON.stringify(said)}`);
  }
  // Records leave in the order of their numbers, so those that are delivered are the first ones.
  let lost = 0;
  for (let n = 1; n <= delivered; n++) if (!stored.unique.has(n)) lost++;
  const unannounced = Math.max(0, stored.unique.size - delivered - unconfirmed - spooled);
  return { lost, delivered, unconfirmed, dropped, stored, unannounced };
}
