import type { FilterParts } from './filter-parts.js';
import { LateRun } from './late-run.js';
import type { Bound } from './moment.js';
import type { QueryRun } from './query-run.js';
import type { LogEntry, LogQueryOptions, QueryProgress } from './types.js';

/** What a query comes to once its options are read. */
export interface QueryPlan {
  readonly streams: readonly string[];
  readonly from: Bound | undefined;
  readonly to: Bound | undefined;
  readonly limit: number;
  readonly maxScanned: number;
  readonly isReverse: boolean;
  readonly by: 'arrival' | 'timestamp';
  readonly maxLatenessMs: number;
  readonly filter: FilterParts;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: LogQueryOptions['onProgress'];
  readonly onMalformed: LogQueryOptions['onMalformed'];
}

const NOTHING_YET: QueryProgress = { scanned: 0, matched: 0, malformed: 0, at: 0 };

/** The records of a query, one after the other; to be iterated once. Leaving the loop ends the reading. */
export class LogQuery implements AsyncIterableIterator<LogEntry> {
  readonly #run: LateRun<QueryRun>;

  /** @internal */
  constructor(load: () => Promise<QueryRun>) {
    this.#run = new LateRun(load);
  }

  /** How far it has come. */
  get progress(): QueryProgress {
    return this.#run.loaded?.progress ?? NOTHING_YET;
  }

  /** Rejects with the signal's reason once it is aborted, and as {@link LogReader} says. */
  next(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.next();
  }

  return(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** All of them at once; give a `limit` where there may be many. */
  async toArray(): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for await (const entry of this) entries.push(entry);
    return entries;
  }
}
