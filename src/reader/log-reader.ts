import { createDiagnostics, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import { RangeReader } from '../redis/range-reader.js';
import { readContext } from './context.js';
import { filterParts } from './entry-filter.js';
import { LogQuery, type QueryPlan } from './log-query.js';
import { LogTail } from './log-tail.js';
import { type Bound, type Moment, toBound } from './moment.js';
import {
  checkOptions,
  CONTEXT_OPTIONS,
  type LogReaderOptions,
  QUERY_OPTIONS,
  type ResolvedReaderOptions,
  resolveReaderOptions,
  TAIL_OPTIONS,
} from './options.js';
import { ResourceCache } from './resource-cache.js';
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
  readonly #options: ResolvedReaderOptions;
  readonly #runtime: Runtime;
  readonly #diagnostics: Diagnostics;
  readonly #clock: () => number;
  readonly #resources: ResourceCache;
  readonly #tails = new Set<LogTail>();
  #reader: RangeReader | undefined;
  #isClosed = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options?: LogReaderOptions, around: ReaderSurroundings = {}) {
    this.#options = resolveReaderOptions(options);
    this.#runtime = around.runtime ?? systemRuntime;
    this.#diagnostics = around.diagnostics ?? createDiagnostics();
    this.#clock = around.clock ?? Date.now;
    this.#resources = new ResourceCache(() => this.#runtime.now());
  }

  /** The streams that are read where a call names no others. */
  get streams(): readonly string[] {
    return this.#options.streams;
  }

  /**
   * The records that match, as an async iterable. Of a range of arrival time only that range is read.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, `REDIS_LOG_QUERY_SYNTAX`
   */
  query(options: LogQueryOptions = {}): LogQuery {
    checkOptions(QUERY_OPTIONS, options);
    return new LogQuery({ reader: this.#open(), resources: this.#resources }, this.#plan(options));
  }

  /**
   * The records that match, as they arrive, over a connection of its own; goes on through lost connections. It is read
   * only as fast as it is iterated. The signal, `break` and `close()` end it without an error.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, `REDIS_LOG_QUERY_SYNTAX`
   */
  tail(options: LogTailOptions = {}): LogTail {
    checkOptions(TAIL_OPTIONS, options);
    this.#open();
    const tail: LogTail = new LogTail(
      {
        open: () => this.#connect('tail'),
        resources: this.#resources,
        diagnostics: this.#diagnostics,
        clock: this.#clock,
        ended: () => this.#tails.delete(tail),
      },
      { ...options, streams: options.streams ?? this.streams, filter: filterParts(options) },
    );
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
    const options = typeof before === 'number' ? { before, after } : before;
    checkOptions(CONTEXT_OPTIONS, { id, ...options });
    return readContext(this, {
      id,
      before: DEFAULT_NEIGHBOURS,
      after,
      withinMs: CONTEXT_WITHIN_MS,
      ...options,
    });
  }

  /** Ends every connection at once; what is being read rejects with `REDIS_LOG_CLOSED`, and tails end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reader?.close();
    await Promise.all(Array.from(this.#tails, (tail) => tail.return()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): RangeReader {
    if (this.#isClosed) {
      throw new RedisLogError('REDIS_LOG_CLOSED', 'The reader is closed. Make a new one.');
    }
    this.#reader ??= this.#connect('reader');
    return this.#reader;
  }

  #connect(purpose: string): RangeReader {
    const { connection, requestTimeoutMs } = this.#options;
    const connectionName = `nestjs-redis-log-${purpose}`;
    return new RangeReader({ connection, connectionName, requestTimeoutMs, runtime: this.#runtime });
  }

  #plan(options: LogQueryOptions): QueryPlan {
    const { streams = this.streams, limit = Infinity, order, by = 'arrival' } = options;
    return {
      streams,
      from: this.#bound(options.from),
      to: this.#bound(options.to),
      limit,
      isReverse: order === 'desc',
      by,
      maxLatenessMs: options.maxLatenessMs ?? MAX_LATENESS_MS,
      filter: filterParts(options),
      signal: options.signal,
      onProgress: options.onProgress,
      onMalformed: options.onMalformed,
    };
  }

  #bound(moment: Moment | undefined): Bound | undefined {
    return moment === undefined ? undefined : toBound(moment, this.#clock());
  }
}
