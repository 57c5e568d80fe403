import { createDiagnostics, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { withPartitions } from '../options/partition-names.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import { filterParts } from './filter-parts.js';
import { LogQuery, type QueryPlan } from './log-query.js';
import { LogTail } from './log-tail.js';
import { type Bound, type Moment, toBound } from './moment.js';
import {
  checkOptions,
  CONTEXT_OPTIONS,
  type LogReaderOptions,
  QUERY_OPTIONS,
  resolveReaderOptions,
  TAIL_OPTIONS,
} from './options.js';
import type { ReaderEngine, ReaderParts } from './reader-engine.js';
import type { LogContextOptions, LogEntry, LogQueryOptions, LogTailOptions } from './types.js';

/** Time and the way to stderr, for tests. */
export interface ReaderSurroundings {
  readonly runtime?: Runtime;
  readonly diagnostics?: Diagnostics;
  /** Unix time in milliseconds, for moments such as `15m`. Default `Date.now`. */
  readonly clock?: () => number;
}

const DEFAULT_NEIGHBOURS = 20;
const MAX_LATENESS_MS = 60_000;
const CONTEXT_WITHIN_MS = 900_000;

/**
 * Finds records in one stream or several. The first call connects; `close()`, or `await using`, ends it. Reading never
 * changes anything in Redis, and never asks for more than a page at a time.
 *
 * What is read rejects with a RedisLogError: `REDIS_LOG_UNAVAILABLE` where Redis did not answer within
 * `requestTimeoutMs`, `REDIS_LOG_REFUSED` where it will not answer (no permission, or the key is no stream),
 * `REDIS_LOG_CLOSED` after `close()`.
 *
 * @example
 * await using reader = new LogReader({ stream: 'logs:orders' });
 * for await (const { record } of reader.query({ from: '15m', where: 'level>=warn http.route:/orders/*' })) {
 *   console.log(record.body);
 * }
 */
export class LogReader implements AsyncDisposable {
  readonly #parts: ReaderParts;
  readonly #tails = new Set<LogTail>();
  #engine: Promise<ReaderEngine> | undefined;
  #isClosed = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options?: LogReaderOptions, around: ReaderSurroundings = {}) {
    const { runtime = systemRuntime, diagnostics = createDiagnostics(), clock = Date.now } = around;
    this.#parts = { options: resolveReaderOptions(options), runtime, diagnostics, clock };
  }

  /** The streams that are read where a call names no others; of a stream in partitions, these. */
  get streams(): readonly string[] {
    return this.#parts.options.streams;
  }

  /** The same, for a call that names none. */
  protected get defaultStreams(): readonly string[] {
    return this.streams;
  }

  /**
   * The records that match, as an async iterable. Of a range of arrival time only that range is read.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, `REDIS_LOG_QUERY_SYNTAX`
   */
  query(options: LogQueryOptions = {}): LogQuery {
    checkOptions(QUERY_OPTIONS, options);
    this.#refuseClosed();
    const plan = this.#plan(options);
    return new LogQuery(() => this.#load((engine) => engine.query(plan)));
  }

  /**
   * The records that match, as they arrive, over a connection of its own; goes on through lost connections. It is read
   * only as fast as it is iterated. The signal, `break` and `close()` end it without an error.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, `REDIS_LOG_QUERY_SYNTAX`
   */
  tail(options: LogTailOptions = {}): LogTail {
    checkOptions(TAIL_OPTIONS, options);
    this.#refuseClosed();
    const plan = { ...options, streams: this.#streamsOf(options), filter: filterParts(options) };
    const ended = (): unknown => this.#tails.delete(tail);
    const tail: LogTail = new LogTail(() => this.#load((engine) => engine.tail(plan, ended)), ended);
    this.#tails.add(tail);
    return tail;
  }

  /**
   * An entry with its neighbours, in the order of arrival: at most `before` older ones and `after` newer ones, each 20 by
   * default. It is missing itself when it is stored no more.
   *
   * @example
   * await reader.context('1790000000000-0', 5, 5);
   * await reader.context('1790000000000-0', { before: 5, after: 5, same: 'trace' });
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`
   */
  async context(
    id: string,
    before: number | LogContextOptions = {},
    after: number = DEFAULT_NEIGHBOURS,
  ): Promise<LogEntry[]> {
    const options = typeof before === 'number' ? { before, after } : { ...before };
    checkOptions(CONTEXT_OPTIONS, { id, ...options });
    const { readContext } = await import('./context.js');
    return readContext(this, {
      id,
      before: DEFAULT_NEIGHBOURS,
      after,
      withinMs: CONTEXT_WITHIN_MS,
      ...options,
      streams: this.#streamsOf(options),
    });
  }

  /** Ends every connection at once; what is being read rejects with `REDIS_LOG_CLOSED`, and tails end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#engine)?.close();
    await Promise.all(Array.from(this.#tails, (tail) => tail.return()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new RedisLogError('REDIS_LOG_CLOSED', 'The reader is closed. Make a new one.');
  }

  /** What reads is loaded by whoever reads first. */
  async #load<T>(make: (engine: ReaderEngine) => T): Promise<T> {
    this.#engine ??= import('./reader-engine.js').then(({ ReaderEngine: Engine }) => new Engine(this.#parts));
    const engine = await this.#engine;
    this.#refuseClosed();
    return make(engine);
  }

  #plan(options: LogQueryOptions): QueryPlan {
    const { limit = Infinity, maxScanned = Infinity, order, by = 'arrival' } = options;
    return {
      streams: this.#streamsOf(options),
      from: this.#bound(options.from),
      to: this.#bound(options.to),
      limit,
      maxScanned,
      isReverse: order === 'desc',
      by,
      maxLatenessMs: options.maxLatenessMs ?? MAX_LATENESS_MS,
      filter: filterParts(options),
      signal: options.signal,
      onProgress: options.onProgress,
      onMalformed: options.onMalformed,
    };
  }

  #streamsOf({ streams }: LogQueryOptions | LogTailOptions | LogContextOptions): readonly string[] {
    return streams === undefined
      ? this.defaultStreams
      : withPartitions(streams, this.#parts.options.partitions);
  }

  #bound(moment: Moment | undefined): Bound | undefined {
    return moment === undefined ? undefined : toBound(moment, this.#parts.clock());
  }
}
