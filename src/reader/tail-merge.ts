import { compareIds, FIRST_ID } from '../redis/entry-id.js';
import type { StreamEntry } from '../redis/range-reader.js';
import type { Found } from './merge.js';

/** What one read brought of one stream. */
export interface TailPage {
  readonly stream: string;
  /** The id after which it was read. */
  readonly after: string;
  /** Those that are wanted. */
  readonly entries: readonly StreamEntry[];
  /** Id of the last entry that was read, wanted or not. */
  readonly last: string | undefined;
  /** There may be more already. */
  readonly isFull: boolean;
}

/**
 * Puts what several streams bring into one order. One read sees all streams at one moment, so all it brings can be
 * handed out, but what lies behind the end of a page that was full: there, other streams are ahead. Of a Cluster, whose
 * nodes are read one by one, a read is held until the next one has shown what came in between.
 */
export class TailMerge {
  readonly #rank: ReadonlyMap<string, number>;
  readonly #handedOut = new Map<string, string>();
  readonly #held = new Map<string, number>();
  /** Of streams that may have more than was read: how far they were. */
  readonly #readTo = new Map<string, string>();
  #waiting: Found[] = [];
  #ready: Found[] = [];
  #next = 0;
  #newest: string | undefined;

  constructor(streams: readonly string[]) {
    this.#rank = new Map(streams.map((stream, index) => [stream, index]));
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#next >= this.#ready.length;
  }

  /** Whether a stream is to be read now: what is held of it is bounded. */
  isDue(stream: string, isSpread: boolean): boolean {
    return !this.#holds(stream) || (isSpread && !this.#readTo.has(stream));
  }

  /** Id of the last entry that was handed out, while others wait; else undefined: all that was read is. */
  positionOf(stream: string): string | undefined {
    return this.#holds(stream) ? this.#handedOut.get(stream) : undefined;
  }

  /** Takes one read. `isSpread`: its pages come from several nodes. */
  add(pages: readonly TailPage[], isSpread: boolean): void {
    const before = this.#newest;
    let isQuiet = true;
    for (const page of pages) {
      if (page.last !== undefined) isQuiet = false;
      this.#addPage(page);
    }
    const horizons = [...this.#readTo.values()];
    if (isSpread && !isQuiet) horizons.push(before ?? FIRST_ID);
    this.#release(horizons.sort(compareIds)[0]);
  }

  #addPage({ stream, after, entries, last, isFull }: TailPage): void {
    if (entries.length > 0 && !this.#holds(stream)) this.#handedOut.set(stream, after);
    for (const entry of entries) this.#waiting.push({ stream, entry });
    this.#held.set(stream, (this.#held.get(stream) ?? 0) + entries.length);
    if (isFull && last !== undefined) this.#readTo.set(stream, last);
    else this.#readTo.delete(stream);
    if (last === undefined) return;
    if (this.#newest === undefined || compareIds(last, this.#newest) > 0) this.#newest = last;
  }

  #holds(stream: string): boolean {
    return (this.#held.get(stream) ?? 0) > 0;
  }

  take(): Found | undefined {
    const found = this.#ready[this.#next];
    if (found === undefined) return undefined;
    this.#next++;
    this.#handedOut.set(found.stream, found.entry.id);
    this.#held.set(found.stream, (this.#held.get(found.stream) ?? 1) - 1);
    return found;
  }

  /** Everything up to the horizon; all of it where there is none. */
  #release(horizon: string | undefined): void {
    const rank = this.#rank;
    this.#waiting.sort(
      (a, b) => compareIds(a.entry.id, b.entry.id) || (rank.get(a.stream) ?? 0) - (rank.get(b.stream) ?? 0),
    );
    const above =
      horizon === undefined ? -1 : this.#waiting.findIndex(({ entry }) => compareIds(entry.id, horizon) > 0);
    const end = above < 0 ? this.#waiting.length : above;
    this.#ready = this.#waiting.slice(0, end);
    this.#waiting = this.#waiting.slice(end);
    this.#next = 0;
  }
}
