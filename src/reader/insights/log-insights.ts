import { defined } from '../../options/schema.js';
import { type Runtime, systemRuntime } from '../../pipeline/runtime.js';
import type { InsightsReader } from '../../redis/insights-reader.js';
import { LogReader, type ReaderSurroundings } from '../log-reader.js';
import { checkOptions, type LogReaderOptions, resolveReaderOptions } from '../options.js';
import type { QueryNode } from '../query-language/ast.js';
import { COMMON_OPTIONS, RECENT_OPTIONS } from './options.js';
import { levelNamed } from './level-named.js';
import type { CommonMessages, CommonOptions, RecentMessages, RecentOptions } from './types.js';
import { sectionService } from './section.js';
import { type InsightsWindow, orderedSpan } from './window.js';

/** Options of {@link LogInsights}: those of a reader. Several streams are counted as one. */
export type LogInsightsOptions = LogReaderOptions;

const RECENT_LIMIT = 100;
const MAX_SCANNED = 100_000;
const COMMON_LIMIT = 20;
const COMMON_WINDOW = '1h';

/**
 * What a stream says: its recent messages, and its most frequent ones. Changes nothing in Redis; the first call connects.
 * Level and service are told apart exactly: `error` is 17 to 20, without `fatal`. Either may be `undefined`: all of them.
 *
 * Rejects as {@link LogReader} does.
 *
 * @example
 * await using insights = new LogInsights({ stream: 'logs:orders' });
 * const { messages } = await insights.common('orders', 'error', '1h', { limit: 10 });
 * for (const { count, template, isNew } of messages) console.log(count, template, isNew ? 'NEW' : '');
 */
export class LogInsights implements AsyncDisposable {
  readonly #logs: LogReader;
  readonly #clock: () => number;
  readonly #openCounts: () => Promise<InsightsReader>;
  #counts: Promise<InsightsReader> | undefined;
  #isClosed = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: LogInsightsOptions = {}, around: ReaderSurroundings = {}) {
    const { connection, requestTimeoutMs } = resolveReaderOptions(options);
    const runtime: Runtime = around.runtime ?? systemRuntime;
    this.#logs = new LogReader(options, around);
    this.#clock = around.clock ?? Date.now;
    const connectionName = 'nestjs-redis-log-insights';
    this.#openCounts = async () => {
      const [{ InsightsReader: Reader }, { RangeClient }] = await Promise.all([
        import('../../redis/insights-reader.js'),
        import('../../redis/range-client.js'),
      ]);
      return new Reader(new RangeClient({ connection, connectionName, requestTimeoutMs, runtime }));
    };
  }

  /** The streams that it looks at; of a stream in partitions, these. */
  get streams(): readonly string[] {
    return this.#logs.streams;
  }

  /**
   * The last records of a service and level, the newest first, from the stream itself: nothing needs to have been counted.
   * It reads back from the end of the stream until it has found enough, or has looked at `maxScanned` entries.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`
   */
  async recent(
    service: string | undefined,
    level: string | number | undefined,
    options: RecentOptions = {},
  ): Promise<RecentMessages> {
    checkOptions(RECENT_OPTIONS, { ...options, service, level });
    const { limit = RECENT_LIMIT, maxScanned = MAX_SCANNED, signal } = options;
    const where = sectionQuery(service, level);
    const query = this.#logs.query({ where, order: 'desc', limit, maxScanned, ...defined({ signal }) });
    const entries = await query.toArray();
    const { scanned } = query.progress;
    return { entries, scanned, isComplete: entries.length === limit || scanned < maxScanned };
  }

  /**
   * The most frequent messages of a service and level in a time. Messages that differ only in numbers, ids and quoted parts
   * are one. Told is what an `InsightsCounter` has counted; where none has run, `countedSince` is undefined. The window is
   * the last hour, unless another one is given.
   *
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`
   */
  async common(
    service: string | undefined,
    level: string | number | undefined,
    ...[window = COMMON_WINDOW, options = {}]: [window?: InsightsWindow, options?: CommonOptions]
  ): Promise<CommonMessages> {
    checkOptions(COMMON_OPTIONS, { ...options, service, level, window });
    const now = this.#clock();
    const span = orderedSpan(window, now);
    this.#counts ??= this.#openCounts();
    const [{ readCommon }, counts] = await Promise.all([import('./common.js'), this.#counts]);
    if (this.#isClosed) counts.close();
    return readCommon(counts, {
      streams: this.streams,
      section: {
        ...(service === undefined ? {} : { service: sectionService(service) }),
        ...(level === undefined ? {} : { level: levelNamed(level) ?? 'info' }),
      },
      span,
      limit: options.limit ?? COMMON_LIMIT,
      now,
    });
  }

  /** Ends its connections at once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#counts)?.close();
    await this.#logs.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function sectionQuery(service: string | undefined, level: string | number | undefined): QueryNode {
  const nodes: QueryNode[] = [];
  const match = (field: string, operator: ':' | '=', text: string): QueryNode => {
    return { type: 'match', field, operator, value: { kind: 'phrase', text }, position: 0 };
  };
  if (service !== undefined) nodes.push(match('service', '=', service));
  if (level !== undefined) nodes.push(match('level', ':', levelNamed(level) ?? 'info'));
  return nodes.length === 0 ? { type: 'all' } : { type: 'and', nodes };
}
