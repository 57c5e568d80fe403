import { createDiagnostics, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import type { LogBatch } from './batch.js';
import type { LogHandler } from './engine.js';
import { type LogConsumerOptions, type ResolvedConsumerOptions, resolveConsumerOptions } from './options.js';
import { BatchExchange, BatchIterator } from './pull.js';
import { Session } from './session.js';
import { type ConsumerStats, newCounters } from './stats.js';

export interface ConsumerSurroundings {
  readonly diagnostics?: Diagnostics;
  readonly runtime?: Runtime;
}

/**
 * Reads the records of a stream as a member of a consumer group: every record goes to one member of the group, and comes
 * again, to this one or another, until somebody has acknowledged it. Connects when it is run, on two connections of its
 * own, and keeps the process alive until it is closed.
 *
 * At least once: a process that dies between the work and the acknowledgement leaves a record that is handled again.
 * `entry.key` is the same each time, so a sink that takes each key once has each record exactly once.
 *
 * @example
 * const consumer = new LogConsumer({ group: 'etl', batchSize: 200 });
 * process.once('SIGTERM', () => void consumer.close());
 * await consumer.run(async (batch) => {
 *   await sink.upsert(batch.entries.map(({ key, record }) => ({ key, text: String(record.body) })));
 * });
 *
 * @example Instead of a handler, a loop:
 * for await (const batch of consumer) {
 *   await batch.ack();
 * }
 */
export class LogConsumer implements AsyncIterable<LogBatch>, AsyncDisposable {
  /** The options in force, with every default. */
  readonly options: ResolvedConsumerOptions;
  readonly #around: Required<ConsumerSurroundings>;
  readonly #counters = newCounters();
  #session: Session | undefined;
  #exchange: BatchExchange | undefined;
  #loops = 0;
  #isClosed = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: LogConsumerOptions, around: ConsumerSurroundings = {}) {
    this.options = resolveConsumerOptions(options);
    const { diagnostics = createDiagnostics(), runtime = systemRuntime } = around;
    this.#around = { diagnostics, runtime };
  }

  /**
   * Hands batches to `handler` until the consumer is closed, and resolves then. Whatever Redis does meanwhile is waited
   * out. What the handler throws is never thrown here: see {@link LogHandler}.
   *
   * @throws RedisLogError `REDIS_LOG_MISUSED` when it runs or is closed already; `REDIS_LOG_MISSING_PEER`.
   */
  async run(handler: LogHandler): Promise<void> {
    if (this.#session !== undefined || this.#isClosed) {
      const state = this.#isClosed ? 'is closed' : 'runs already';
      throw new RedisLogError(
        'REDIS_LOG_MISUSED',
        `This consumer ${state}. Make a new LogConsumer for each run().`,
      );
    }
    const { diagnostics, runtime } = this.#around;
    const session = new Session({
      options: this.options,
      counters: this.#counters,
      diagnostics,
      runtime,
      handler,
    });
    this.#session = session;
    await session.run();
  }

  /**
   * Batches to be acknowledged by `batch.ack()`. Going on to the next batch ends the last: what was not acknowledged of
   * it is handed out again. Leaving the last loop closes the consumer. Several loops share the batches among them; give
   * as much `concurrency`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<LogBatch, undefined> {
    if (this.#exchange === undefined) {
      const exchange = new BatchExchange();
      const running = this.run(exchange.offer);
      this.#exchange = exchange;
      running.then(
        () => exchange.end(),
        (error: unknown) => exchange.fail(error),
      );
    }
    this.#loops++;
    return new BatchIterator(this.#exchange, async () => {
      if (--this.#loops === 0) await this.close();
    });
  }

  /**
   * Stops reading, lets handlers finish, and hands back to the group what they could not finish, all within `timeoutMs`
   * (default: the option `shutdownTimeoutMs`). Never rejects. Later calls join the first.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isClosed = true;
    this.#exchange?.end();
    await this.#session?.close(options.timeoutMs ?? this.options.shutdownTimeoutMs);
  }

  stats(): ConsumerStats {
    return { ...this.#counters, held: this.#session?.held ?? 0 };
  }

  /** This consumer's name in the group, unique in the world; `undefined` before it runs. */
  get name(): string | undefined {
    return this.#session?.consumer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
