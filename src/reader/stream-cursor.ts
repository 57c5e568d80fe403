import { FIRST_ID } from '../redis/entry-id.js';
import type { RangeReader, StreamEntry } from '../redis/range-reader.js';
import type { EntryFilter } from './entry-filter.js';
import type { ResourceCache } from './resource-cache.js';

export interface CursorParts {
  readonly reader: RangeReader;
  readonly resources: ResourceCache;
  readonly filter: EntryFilter;
  readonly stream: string;
  /** As XRANGE takes them. */
  readonly start: string;
  readonly end: string;
  readonly isReverse: boolean;
  /** How many entries the first page has. */
  readonly firstPage: number;
  /** How many entries may still be looked at, by all cursors of the query. */
  readonly budget: { left: number };
  readonly signal: AbortSignal | undefined;
}

/** A page blocks the server for about a millisecond, and holds about as much as the client can decode in 20. */
const MAX_PAGE = 1_000;
const MIN_PAGE = 10;
/** Entries with large bodies come in smaller pages. */
const PAGE_CHARACTERS = 1_000_000;
const GROWTH = 4;
/** Of every so many entries one is measured. */
const SAMPLE = 16;

interface Page {
  readonly entries: readonly StreamEntry[];
  readonly isLast: boolean;
}

/** Reads one stream, page by page, one page ahead, and keeps of each page what the filter lets pass. */
export class StreamCursor {
  readonly stream: string;
  /** Id of the entry that comes next; where none is at hand, how far the search has come. */
  position = FIRST_ID;
  scanned = 0;
  readonly #parts: CursorParts;
  #found: readonly StreamEntry[] = [];
  #next = 0;
  #size: number;
  #scannedTo: string | undefined;
  #ahead: Promise<Page> | undefined;
  #isLast = false;

  constructor(parts: CursorParts) {
    this.#parts = parts;
    this.stream = parts.stream;
    this.#size = parts.firstPage;
  }

  /** Whether a page has to be loaded before anything can be taken. */
  get isEmpty(): boolean {
    return this.#next >= this.#found.length;
  }

  /** Nothing is at hand, and nothing more will come. */
  get isOver(): boolean {
    return this.#isLast && this.isEmpty;
  }

  take(): StreamEntry | undefined {
    const entry = this.#found[this.#next++];
    this.#place();
    return entry;
  }

  /** Reads the next page. */
  async load(): Promise<void> {
    const { filter, resources, reader, stream, signal } = this.#parts;
    const isFirst = this.#scannedTo === undefined;
    const { entries, isLast } = await (this.#ahead ?? this.#read());
    this.#ahead = undefined;
    this.#isLast = isLast;
    this.#scannedTo = entries.at(-1)?.id ?? this.#scannedTo;
    this.#resize(entries);
    // Often the first page is all that is wanted; and what one cursor has ahead of it, another cannot look at.
    if (!isLast && !isFirst && this.#parts.budget.left === Infinity) this.#readAhead();
    await resources.provide(reader, stream, { entries, signal });
    this.scanned += entries.length;
    this.#found = entries.filter((entry) => filter.passes(entry));
    this.#next = 0;
    this.#place();
  }

  #place(): void {
    this.position = this.#found[this.#next]?.id ?? this.#scannedTo ?? this.position;
  }

  #readAhead(): void {
    this.#ahead = this.#read();
    // Whoever loads the page hears of it; when nobody does any more, nobody needs to.
    this.#ahead.catch(() => undefined);
  }

  async #read(): Promise<Page> {
    const { reader, stream, isReverse, signal, budget } = this.#parts;
    const count = Math.min(this.#size, budget.left);
    if (count === 0) return { entries: [], isLast: true };
    budget.left -= count;
    const after = this.#scannedTo === undefined ? undefined : `(${this.#scannedTo}`;
    const start = isReverse ? this.#parts.start : (after ?? this.#parts.start);
    const end = isReverse ? (after ?? this.#parts.end) : this.#parts.end;
    const entries = await reader.range({ stream, start, end, count, isReverse }, signal);
    budget.left += count - entries.length;
    return { entries, isLast: entries.length < count };
  }

  #resize(entries: readonly StreamEntry[]): void {
    let characters = 0;
    let measured = 0;
    for (let i = 0; i < entries.length; i += SAMPLE) {
      measured++;
      for (const text of entries[i]?.fields ?? []) characters += text.length;
    }
    const fitting = Math.floor((PAGE_CHARACTERS * measured) / Math.max(1, characters));
    this.#size = Math.max(MIN_PAGE, Math.min(MAX_PAGE, fitting, this.#size * GROWTH));
  }
}
