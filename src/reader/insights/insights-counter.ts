import type { LogBatch } from '../../consumer/batch.js';
import { type ConsumerSurroundings, LogConsumer } from '../../consumer/log-consumer.js';
import type { ConsumerStats } from '../../consumer/stats.js';
import { createDiagnostics, type Diagnostics } from '../../diagnostics.js';
import { Backoff, type Runtime, systemRuntime } from '../../pipeline/runtime.js';
import { failureOf } from '../../redis/failure.js';
import { GroupLink } from '../../redis/group-link.js';
import { type CountResult, InsightsStore, MAX_SECTIONS } from '../../redis/insights-store.js';
import { abortable } from '../../redis/range-client.js';
import {
  type InsightsCounterOptions,
  type ResolvedCounterOptions,
  resolveCounterOptions,
} from './options.js';
import { inParts, tally } from './tally.js';

/** The consumer group of all counters of a stream. */
export const INSIGHTS_GROUP = 'redis-log-insights';

/** What a counter has done since it was made. */
export interface InsightsStats {
  /** Records counted. */
  readonly counted: number;
  /** Records that were not, being older than all that is kept, or from a clock far ahead of the server's. */
  readonly outOfTime: number;
  /** Records that were not, being of a service and level beyond the 64 that are counted at once. */
  readonly crowded: number;
  /** Entries that were not, being no records: what others have written into the stream. */
  readonly undecodable: number;
  /** Of the consumer that reads the stream for it. */
  readonly consumer: ConsumerStats;
}

/** How much is read and decoded in one go. */
const BATCH_SIZE = 500;
/** Of one call of the script, which holds the server up. Few batches have as many. */
const MAX_MESSAGES = 100;
/** How far the counts may lag behind a quiet stream. */
const MAX_WAIT_MS = 1_000;
/** Counting never gives a record up, so there are no dead letters. */
const MAX_DELIVERIES = 1_000_000;
const MAX_BACKOFF_MS = 5_000;
const FOREIGN_KEY = 'WRONGTYPE, one of the keys for it holds something else and must be removed';

/**
 * Counts the messages of a stream, for `LogInsights.common`: as a member of the consumer group `redis-log-insights`, so any
 * number of processes may run one, and share the work. Each record is counted once, however often it is delivered,
 * because counting and acknowledging it are one step. `RedisLogModule` runs one with the option `insights`.
 *
 * @example
 * const counter = new InsightsCounter({ stream: 'logs:orders' });
 * process.once('SIGTERM', () => void counter.close());
 * await counter.run();
 */
export class InsightsCounter implements AsyncDisposable {
  /** The options in force, with every default. */
  readonly options: ResolvedCounterOptions;
  readonly #runtime: Runtime;
  readonly #diagnostics: Diagnostics;
  readonly #consumer: LogConsumer;
  readonly #link: GroupLink;
  readonly #store: InsightsStore;
  readonly #counted = { counted: 0, outOfTime: 0, crowded: 0, undecodable: 0 };

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options?: InsightsCounterOptions, around: ConsumerSurroundings = {}) {
    this.options = resolveCounterOptions(options);
    this.#runtime = around.runtime ?? systemRuntime;
    this.#diagnostics = around.diagnostics ?? createDiagnostics();
    const { counting, ...shared } = this.options;
    const { connection, sendTimeoutMs } = shared;
    const own = { batchSize: BATCH_SIZE, maxWaitMs: MAX_WAIT_MS, maxDeliveries: MAX_DELIVERIES };
    const undecodable = (count: number): void => this.#skipped(count);
    this.#consumer = new LogConsumer(
      { ...shared, ...own, group: INSIGHTS_GROUP },
      { ...around, undecodable },
    );
    this.#link = new GroupLink({
      connection,
      connectionName: 'nestjs-redis-log-insights',
      runtime: this.#runtime,
      timeoutMs: sendTimeoutMs,
      // The consumer tells of connections.
      state: () => undefined,
    });
    this.#store = new InsightsStore(this.#link, INSIGHTS_GROUP, counting);
  }

  /**
   * Counts until it is closed, and resolves then. Whatever Redis does meanwhile is waited out.
   *
   * @throws RedisLogError `REDIS_LOG_MISUSED` when it runs or is closed already; `REDIS_LOG_MISSING_PEER`.
   */
  run(): Promise<void> {
    return this.#consumer.run((batch) => this.#handle(batch));
  }

  /** Finishes what it has read, within `timeoutMs` (default: the option `shutdownTimeoutMs`). Never rejects. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.#consumer.close(options);
    this.#link.close();
  }

  stats(): InsightsStats {
    return { ...this.#counted, consumer: this.#consumer.stats() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Tries until the batch is counted, since asking twice counts once; what a close cuts off is handed back. */
  async #handle(batch: LogBatch): Promise<void> {
    const { signal, stream } = batch;
    const parts = inParts(tally(batch, this.options.counting), MAX_MESSAGES);
    let next = 0;
    const backoff = new Backoff(this.#runtime.random, 50, MAX_BACKOFF_MS);
    while (!signal.aborted) {
      try {
        await abortable(this.#link.settled(), signal);
        for (let part = parts[next]; part !== undefined; part = parts[++next]) {
          this.#add(await abortable(this.#store.count(stream, part), signal));
        }
        return;
      } catch (error) {
        if (signal.aborted) break;
        this.#failed(error);
        await this.#pause(backoff.next(), signal);
      }
    }
    await batch.ack([]);
  }

  #skipped(count: number): void {
    this.#counted.undecodable += count;
    const { stream } = this.options;
    this.#diagnostics.warn(
      `insights:undecodable:${stream}`,
      `Stream ${stream} has entries that are no records of this package. They are not counted; stats().undecodable says how many there were.`,
    );
  }

  #add({ counted, outOfTime, crowded, otherBucketMs }: CountResult): void {
    this.#counted.counted += counted;
    this.#counted.outOfTime += outOfTime;
    this.#counted.crowded += crowded;
    const { stream, counting } = this.options;
    if (otherBucketMs !== undefined) {
      this.#diagnostics.warn(
        `insights:bucketMs:${stream}`,
        `Messages of stream ${stream} were counted in spans of ${otherBucketMs} ms (bucketMs), and are now in spans of ${counting.bucketMs} ms: counting has begun anew. Give all counters the same; while they differ, LogInsights.common() sees a part of the records.`,
      );
    }
    if (crowded === 0) return;
    this.#diagnostics.warn(
      `insights:crowded:${stream}`,
      `Messages of stream ${stream} are counted for ${MAX_SECTIONS} pairs of service and level; those of others are not. Give services streams of their own.`,
    );
  }

  #failed(error: unknown): void {
    const { kind, token, text } = failureOf(error);
    if (kind === 'retry') return;
    const { stream } = this.options;
    const what = token === 'WRONGTYPE' ? FOREIGN_KEY : text;
    this.#diagnostics.error(
      `insights:failed:${stream}`,
      `Messages of stream ${stream} cannot be counted: ${what}. It is tried again. docs/insights.md names the keys, and what the user must be allowed.`,
    );
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#runtime.after(ms, end);
      signal.addEventListener('abort', end);
    });
  }
}
