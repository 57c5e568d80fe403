import type { RangeReader } from '../redis/range-reader.js';
import { EntryFilter } from './entry-filter.js';
import type { QueryPlan } from './log-query.js';
import { Merge } from './merge.js';
import type { ResourceCache } from './resource-cache.js';
import { StreamCursor } from './stream-cursor.js';
import { MAX_SKEW_MS, TimestampOrder } from './timestamp-order.js';
import type { LogEntry, MalformedLogEntry, QueryProgress } from './types.js';

export interface QueryParts {
  readonly reader: RangeReader;
  readonly resources: ResourceCache;
}

/** The first page is small: often it is enough, and nobody knows yet how large entries are. */
const FIRST_PAGE = 100;

/** A query under way: what a LogQuery hands out is found here. */
export class QueryRun implements AsyncIterator<LogEntry, undefined> {
  readonly #parts: QueryParts;
  readonly #plan: QueryPlan;
  readonly #run: AsyncGenerator<LogEntry, undefined>;
  #merge: Merge | undefined;
  #matched = 0;
  #malformed = 0;
  #at = 0;

  constructor(parts: QueryParts, plan: QueryPlan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#run = this.#entries();
  }

  /** How far it has come. */
  get progress(): QueryProgress {
    const scanned = this.#merge?.scanned ?? 0;
    return { scanned, matched: this.#matched, malformed: this.#malformed, at: this.#at };
  }

  next(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.next();
  }

  return(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.return(undefined);
  }

  async *#entries(): AsyncGenerator<LogEntry, undefined> {
    const { isReverse, limit, signal, onProgress } = this.#plan;
    signal?.throwIfAborted();
    const filter = await this.#compile();
    const merge = new Merge(await this.#cursors(filter), isReverse);
    this.#merge = merge;
    await merge.open();
    const order = this.#order();
    let left = limit;
    for (;;) {
      const entry = order === undefined ? this.#take(merge, filter) : this.#takeInOrder(merge, filter, order);
      if (entry !== undefined) {
        this.#matched++;
        yield entry;
        signal?.throwIfAborted();
        if (--left <= 0) break;
        continue;
      }
      this.#at = msOf(merge.position) ?? this.#at;
      onProgress?.(this.progress);
      if (merge.isOver) return undefined;
      await merge.load();
    }
    onProgress?.(this.progress);
    return undefined;
  }

  /** Undefined where a page has to be loaded first. */
  #take(merge: Merge, filter: EntryFilter): LogEntry | undefined {
    for (;;) {
      const found = merge.take();
      if (found === undefined) return undefined;
      const entry = filter.decode(found.entry, found.stream);
      if (entry !== undefined) return entry;
    }
  }

  #takeInOrder(merge: Merge, filter: EntryFilter, order: TimestampOrder): LogEntry | undefined {
    for (;;) {
      const due = order.take(msOf(merge.position));
      if (due !== undefined) return due;
      const entry = this.#take(merge, filter);
      if (entry === undefined) return merge.isOver ? order.take(undefined) : undefined;
      order.add(entry);
    }
  }

  #order(): TimestampOrder | undefined {
    const { by, from, to, isReverse, maxLatenessMs } = this.#plan;
    if (by === 'arrival') return undefined;
    return new TimestampOrder({ from: from?.ms ?? 0, to: to?.ms ?? Infinity, isReverse, maxLatenessMs });
  }

  #compile(): Promise<EntryFilter> {
    const { filter, onMalformed } = this.#plan;
    return EntryFilter.compile({
      ...filter,
      resourceText: this.#parts.resources.text,
      onMalformed: (entry: MalformedLogEntry) => {
        this.#malformed++;
        onMalformed?.(entry);
      },
    });
  }

  async #cursors(filter: EntryFilter): Promise<StreamCursor[]> {
    const { streams, isReverse, signal } = this.#plan;
    const { start, end } = this.#bounds();
    const firstPage = this.#firstPage();
    const budget = { left: this.#plan.maxScanned };
    const cursors = streams.map(async (stream) => {
      // Without an end, a query would run after a busy producer forever.
      const last = end === '+' && !isReverse ? await this.#parts.reader.lastId(stream, signal) : end;
      const parts = {
        ...this.#parts,
        filter,
        stream,
        start,
        end: last ?? end,
        isReverse,
        firstPage,
        budget,
        signal,
      };
      return new StreamCursor(parts);
    });
    return Promise.all(cursors);
  }

  /** The ids between which everything wanted has arrived. */
  #bounds(): { start: string; end: string } {
    const { from, to, by, maxLatenessMs } = this.#plan;
    if (by === 'arrival') return { start: from?.id ?? '-', end: to?.id ?? '+' };
    return {
      start: from === undefined ? '-' : String(Math.max(0, from.ms - MAX_SKEW_MS)),
      end: to === undefined ? '+' : String(to.ms + maxLatenessMs),
    };
  }

  #firstPage(): number {
    const { limit, maxScanned, streams, filter, by } = this.#plan;
    const isAll = filter.node.type === 'all' && filter.where === undefined && by === 'arrival';
    // Of what may be looked at, each stream has its share at first.
    const share = Math.max(1, Math.floor(maxScanned / streams.length));
    return Math.min(isAll ? limit : FIRST_PAGE, FIRST_PAGE, share);
  }
}

function msOf(id: string | undefined): number | undefined {
  return id === undefined ? undefined : Number.parseInt(id, 10);
}
