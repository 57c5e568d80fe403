import { randomBytes } from 'node:crypto';
import { createDiagnostics, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { type Runtime, systemRuntime, timeLimitOf } from '../pipeline/runtime.js';
import type { LogBatch } from './batch.js';
import type { LogHandler } from './engine.js';
import type { UndecodableHandler } from './intake.js';
import { type LogConsumerOptions, type ResolvedConsumerOptions, resolveConsumerOptions } from './options.js';
import { HandlerCalls } from './handler-calls.js';
import { BatchExchange, BatchIterator } from './pull.js';
import { Session, type SessionParts } from './session.js';
import { type ConsumerStats, newCounters } from './stats.js';
import { Turns } from './turns.js';

export interface ConsumerSurroundings {
  readonly diagnostics?: Diagnostics;
  readonly runtime?: Runtime;
  /** @internal For whom what cannot be decoded is nothing to be kept. */
  readonly undecodable?: UndecodableHandler;
}

/**
 * Reads the records of a stream as a member of a consumer group: every record goes to one member of the group, and comes
 * again, to this one or another, until somebody has acknowledged it. Connects when it is run, on two connections of its
 * own for each partition of the stream, and keeps the process alive until it is closed.
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
  readonly #around: Pick<SessionParts, 'diagnostics' | 'runtime' | 'undecodable'>;
  readonly #counters = newCounters();
  readonly #calls = new HandlerCalls();
  #sessions: readonly Session[] = [];
  #name: string | undefined;
  #exchange: BatchExchange | undefined;
  #loops = 0;
  #isClosed = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: LogConsumerOptions, around: ConsumerSurroundings = {}) {
    this.options = resolveConsumerOptions(options);
    const { diagnostics = createDiagnostics(), runtime = systemRuntime, undecodable } = around;
    this.#around = { diagnostics, runtime, undecodable };
  }

  /**
   * Hands batches to `handler` until the consumer is closed, and resolves then. Whatever Redis does meanwhile is waited
   * out. What the handler throws is never thrown here: see {@link LogHandler}.
   *
   * @throws RedisLogError `REDIS_LOG_MISUSED` when it runs or is closed already, or gets no function; `REDIS_LOG_MISSING_PEER`.
   */
  async run(handler: LogHandler): Promise<void> {
    if (typeof handler !== 'function') {
      throw new RedisLogError(
        'REDIS_LOG_MISUSED',
        'run() wants a handler, a function of a batch. For batches without a handler, loop over the consumer: for await (const batch of consumer).',
      );
    }
    if (this.#name !== undefined || this.#isClosed) {
      const state = this.#isClosed ? 'is closed' : 'runs already';
      throw new RedisLogError(
        'REDIS_LOG_MISUSED',
        `This consumer ${state}. Make a new LogConsumer for each run().`,
      );
    }
    const { streams, consumer: prefix } = this.options;
    const name = `${prefix}-${process.pid}-${randomBytes(6).toString('base64url')}`;
    this.#name = name;
    const marked = this.#calls.marking(handler);
    const one = streams.length === 1 ? marked : this.#inTurn(marked);
    this.#sessions = streams.map((stream) => this.#session(stream, name, one));
    try {
      await Promise.all(this.#sessions.map((session) => session.run()));
    } catch (error) {
      // What one of them cannot do, the others cannot either.
      await Promise.all(this.#sessions.map((session) => session.close(0)));
      throw error;
    }
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
   * (default: the option `shutdownTimeoutMs`). Never rejects. Later calls join the first. Called by a handler, it resolves
   * at once, since it cannot wait for its caller: the consumer closes when that has finished. A loop that has
   * acknowledged its batch may wait for it, too.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isClosed = true;
    this.#exchange?.end();
    const timeoutMs = timeLimitOf(options, this.options.shutdownTimeoutMs);
    const closed = Promise.all(this.#sessions.map((session) => session.close(timeoutMs)));
    if (!this.#calls.isInside) await closed;
  }

  stats(): ConsumerStats {
    return { ...this.#counters, held: this.#sessions.reduce((sum, { held }) => sum + held, 0) };
  }

  /** This consumer's name in the group, unique in the world; `undefined` before it runs. */
  get name(): string | undefined {
    return this.#name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #session(stream: string, consumer: string, handler: LogHandler): Session {
    return new Session({
      ...this.#around,
      options: this.options,
      stream,
      consumer,
      counters: this.#counters,
      handler,
    });
  }

  /** Partitions are read side by side, and handled no more at once than `concurrency` says. */
  #inTurn(handler: LogHandler): LogHandler {
    const turns = new Turns(this.options.concurrency);
    return async (batch) => {
      if (!(await turns.take(batch.signal))) return batch.ack([]);
      try {
        return await handler(batch);
      } finally {
        turns.give();
      }
    };
  }
}
