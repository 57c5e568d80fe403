import type { Diagnostics } from '../diagnostics.js';
import { isRedisLogError } from '../errors.js';
import { FIRST_ID, idBefore } from '../redis/entry-id.js';
import type { RangeReader, ReadAfter, StreamEntry, StreamInfo } from '../redis/range-reader.js';
import { EntryFilter } from './entry-filter.js';
import { GapWatch } from './gap-watch.js';
import type { TailPlan } from './log-tail.js';
import { toBound } from './moment.js';
import type { ResourceCache } from './resource-cache.js';
import { TailMerge, type TailPage } from './tail-merge.js';
import type { LogEntry, TailGap } from './types.js';

export interface TailParts {
  open(): RangeReader;
  readonly resources: ResourceCache;
  readonly diagnostics: Diagnostics;
  /** Unix time in milliseconds. */
  readonly clock: () => number;
  ended(): void;
}

/** Entries of each stream in one read: fewer where there are many streams. */
const MAX_PAGE = 500;
const MIN_PAGE = 10;
const ALL_PAGES = 2_000;
/** A blocked read ends at least so often, so that a dead link and a deleted stream are noticed. */
const BLOCK_MS = 2_000;
/** In a Cluster streams lie on several nodes, and none of them can wait for the others. */
const POLL_MS = 100;
/** Of so many rounds without anything new, one asks what became of the streams. */
const QUIET_ROUNDS = 20;

interface Round {
  readonly filter: EntryFilter;
  readonly signal: AbortSignal;
}

/** A tail under way: what a LogTail hands out is read here. */
export class TailRun implements AsyncIterator<LogEntry, undefined> {
  readonly #parts: TailParts;
  readonly #plan: TailPlan;
  readonly #ending = new AbortController();
  readonly #run: AsyncGenerator<LogEntry, undefined>;
  readonly #watches = new Map<string, GapWatch>();
  readonly #merge: TailMerge;
  #canInspect = true;
  #isPolling = false;
  #quietRounds = 0;

  constructor(parts: TailParts, plan: TailPlan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#merge = new TailMerge(plan.streams);
    this.#run = this.#entries();
  }

  /** See `LogTail.position`. */
  get position(): Record<string, string> {
    const known = [...this.#watches].map(([stream, watch]) => [
      stream,
      this.#merge.positionOf(stream) ?? watch.cursor,
    ]);
    return Object.fromEntries(known) as Record<string, string>;
  }

  next(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.next();
  }

  /** Ends it, also while it waits for the next record. */
  return(): Promise<IteratorResult<LogEntry, undefined>> {
    this.#ending.abort();
    this.#parts.ended();
    return this.#run.return(undefined);
  }

  async *#entries(): AsyncGenerator<LogEntry, undefined> {
    const { signal: given } = this.#plan;
    const own = this.#ending.signal;
    const signal = given === undefined ? own : AbortSignal.any([given, own]);
    const reader = this.#parts.open();
    try {
      const filter = await this.#compile();
      await this.#begin(reader, signal);
      while (!signal.aborted) {
        await this.#patiently(signal, () => this.#round(reader, { filter, signal }));
        for (let found = this.#merge.take(); found !== undefined; found = this.#merge.take()) {
          const entry = filter.decode(found.entry, found.stream);
          if (entry !== undefined) yield entry;
          if (signal.aborted) return undefined;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      reader.close();
      this.#parts.ended();
    }
    return undefined;
  }

  #compile(): Promise<EntryFilter> {
    const { filter, onMalformed } = this.#plan;
    return EntryFilter.compile({
      ...filter,
      resourceText: this.#parts.resources.text,
      onMalformed: (entry) => onMalformed?.(entry),
    });
  }

  /** A tail waits for Redis as long as it takes. */
  async #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (!isRedisLogError(error) || error.code !== 'REDIS_LOG_UNAVAILABLE') throw error;
        this.#parts.diagnostics.warn('tail', error.message);
      }
    }
  }

  async #begin(reader: RangeReader, signal: AbortSignal): Promise<void> {
    for (const stream of this.#plan.streams) {
      const info = await this.#patiently(signal, () => this.#inspect(reader, stream, signal));
      const start = this.#start(stream) ?? (await this.#newest(reader, stream, { info, signal }));
      this.#watches.set(stream, new GapWatch(start, info));
    }
  }

  /** The id after which to begin; undefined: after the newest entry. */
  #start(stream: string): string | undefined {
    const { from = 'now' } = this.#plan;
    const start = typeof from === 'object' && !(from instanceof Date) ? (from[stream] ?? 'now') : from;
    if (start === 'now') return undefined;
    if (start === 'start') return FIRST_ID;
    const bound = toBound(start, this.#parts.clock());
    if (bound === undefined) return undefined;
    // An id has been seen; what arrived at a moment has not.
    const isSeen = typeof start === 'string' && start.includes('-') && bound.id === start.trim();
    return isSeen ? bound.id : idBefore(bound.id);
  }

  async #newest(
    reader: RangeReader,
    stream: string,
    { info, signal }: { info: StreamInfo | undefined; signal: AbortSignal },
  ): Promise<string> {
    if (info !== undefined) return info.lastId;
    return (await this.#patiently(signal, () => reader.lastId(stream, signal))) ?? FIRST_ID;
  }

  /** One read of every stream of which not too much is held already. */
  async #round(reader: RangeReader, { filter, signal }: Round): Promise<void> {
    await reader.connected(this.#plan.streams.join(', '), signal);
    const isSpread = reader.isCluster && this.#plan.streams.length > 1;
    if (this.#isPolling) await reader.pause(POLL_MS, signal);
    const due = this.#plan.streams.filter((stream) => this.#merge.isDue(stream, isSpread));
    const after = due.map((stream): [string, string] => [stream, this.#watch(stream).cursor]);
    const count = Math.max(MIN_PAGE, Math.min(MAX_PAGE, Math.floor(ALL_PAGES / due.length)));
    const read = { after, count, blockMs: this.#merge.isEmpty ? BLOCK_MS : 0 };
    const entries = isSpread ? await readApart(reader, read, signal) : await reader.readAfter(read, signal);
    this.#isPolling = isSpread && !entries.some((page) => page.length === count);
    const isQuiet = entries.every((page) => page.length === 0);
    this.#quietRounds = isQuiet ? this.#quietRounds + 1 : 0;
    const isTimeToLook = isQuiet && (!isSpread || this.#quietRounds % QUIET_ROUNDS === 0);
    const pages = due.map(async (stream, index): Promise<TailPage> => {
      const page = entries[index] ?? [];
      if (page.length > 0 || isTimeToLook) await this.#look(reader, stream, { page, signal });
      await this.#parts.resources.provide(reader, stream, { entries: page, signal });
      const wanted = page.filter((entry) => filter.passes(entry));
      const last = page.at(-1)?.id;
      return {
        stream,
        after: after[index]?.[1] ?? FIRST_ID,
        entries: wanted,
        last,
        isFull: page.length === count,
      };
    });
    this.#merge.add(await Promise.all(pages), isSpread);
  }

  async #look(
    reader: RangeReader,
    stream: string,
    { page, signal }: { page: readonly StreamEntry[]; signal: AbortSignal },
  ): Promise<void> {
    const watch = this.#watch(stream);
    const after = watch.cursor;
    const info = await this.#inspect(reader, stream, signal);
    const ids = page.map((entry) => entry.id);
    if (!this.#canInspect) {
      watch.cursor = ids.at(-1) ?? after;
      return;
    }
    const found = watch.read(ids, info);
    if (found !== undefined) this.#tell({ stream, after, ...found });
  }

  /** Whoever may read may perhaps not ask about the stream; then gaps cannot be seen, and the tail goes on. */
  async #inspect(reader: RangeReader, stream: string, signal: AbortSignal): Promise<StreamInfo | undefined> {
    if (!this.#canInspect) return undefined;
    try {
      return await reader.info(stream, signal);
    } catch (error) {
      if (!isRedisLogError(error) || error.code !== 'REDIS_LOG_REFUSED') throw error;
      this.#canInspect = false;
      this.#parts.diagnostics.warn('tail', `${error.message}. So records trimmed unseen cannot be told of.`);
      return undefined;
    }
  }

  #tell(gap: TailGap): void {
    const { onGap } = this.#plan;
    if (onGap !== undefined) return onGap(gap);
    const many = gap.missed === undefined ? 'Entries' : `${gap.missed} entries`;
    const text = `${many} of ${gap.stream} after ${gap.after} may be gone unseen (${gap.reason}).`;
    this.#parts.diagnostics.warn('tail', text);
  }

  #watch(stream: string): GapWatch {
    const known = this.#watches.get(stream);
    if (known !== undefined) return known;
    const made = new GapWatch(FIRST_ID, undefined);
    this.#watches.set(stream, made);
    return made;
  }
}

/** Streams of a Cluster: each from its own node, none waiting. */
function readApart(
  reader: RangeReader,
  { after, count }: ReadAfter,
  signal: AbortSignal,
): Promise<StreamEntry[][]> {
  const reads = after.map(async (each) => {
    const [page = []] = await reader.readAfter({ after: [each], count, blockMs: 0 }, signal);
    return page;
  });
  return Promise.all(reads);
}
