import { compareIds } from '../redis/entry-id.js';
import type { StreamEntry } from '../redis/range-reader.js';
import { Heap } from './heap.js';
import type { StreamCursor } from './stream-cursor.js';

export interface Found {
  readonly stream: string;
  readonly entry: StreamEntry;
}

/**
 * Several streams as one, in the order of ids. Streams are searched in step: one that holds nothing wanted is read no
 * further than the next record of the others, so finding the first records takes no longer than it has to.
 */
export class Merge {
  readonly #cursors: Heap<StreamCursor>;
  readonly #all: readonly StreamCursor[];

  constructor(cursors: readonly StreamCursor[], isReverse: boolean) {
    const sign = isReverse ? -1 : 1;
    const rank = new Map(cursors.map((cursor, index) => [cursor, index]));
    this.#all = cursors;
    this.#cursors = new Heap(
      (a, b) => sign * (compareIds(a.position, b.position) || (rank.get(a) ?? 0) - (rank.get(b) ?? 0)),
    );
  }

  /** Reads the first page of every stream. */
  async open(): Promise<void> {
    await Promise.all(this.#all.map((cursor) => cursor.load()));
    for (const cursor of this.#all) if (!cursor.isOver) this.#cursors.push(cursor);
  }

  get isOver(): boolean {
    return this.#cursors.size === 0;
  }

  get scanned(): number {
    let scanned = 0;
    for (const cursor of this.#all) scanned += cursor.scanned;
    return scanned;
  }

  /** All that comes later has this id or a later one; undefined when nothing comes any more. */
  get position(): string | undefined {
    return this.#cursors.top?.position;
  }

  /** The next entry; undefined where a page has to be loaded first, or all is over. */
  take(): Found | undefined {
    const cursor = this.#cursors.top;
    const entry = cursor?.isEmpty === false ? cursor.take() : undefined;
    if (cursor === undefined || entry === undefined) return undefined;
    this.#settle(cursor);
    return { stream: cursor.stream, entry };
  }

  /** Loads what `take` waits for. */
  async load(): Promise<void> {
    const cursor = this.#cursors.top;
    if (cursor === undefined) return;
    await cursor.load();
    this.#settle(cursor);
  }

  #settle(cursor: StreamCursor): void {
    if (cursor.isOver) this.#cursors.pop();
    else this.#cursors.topChanged();
  }
}
