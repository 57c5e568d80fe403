import type { LogEntry } from './entry.js';

export interface BatchParts {
  readonly entries: readonly LogEntry[];
  readonly stream: string;
  readonly group: string;
  /** Aborted when the consumer is closed and the time for handlers is nearly up. */
  readonly signal: AbortSignal;
  acknowledge(entries: readonly LogEntry[]): Promise<void>;
  /** Told where ids were named that are not of this batch. */
  misnamed(): void;
}

/** Some records of a stream, for one call of a handler or one turn of a loop. */
export class LogBatch implements Iterable<LogEntry> {
  readonly entries: readonly LogEntry[];
  readonly stream: string;
  readonly group: string;
  /** Aborted shortly before what is not finished is handed back to the group, when the consumer closes. */
  readonly signal: AbortSignal;
  readonly #parts: BatchParts;
  readonly #ids: ReadonlySet<string>;
  readonly #open: Map<string, LogEntry>;
  #isByItem = false;

  /** @internal */
  constructor(parts: BatchParts) {
    const { entries, stream, group, signal } = parts;
    this.entries = entries;
    this.stream = stream;
    this.group = group;
    this.signal = signal;
    this.#parts = parts;
    this.#open = new Map(entries.map((entry) => [entry.id, entry]));
    this.#ids = new Set(this.#open.keys());
  }

  get size(): number {
    return this.entries.length;
  }

  [Symbol.iterator](): Iterator<LogEntry> {
    return this.entries[Symbol.iterator]();
  }

  /**
   * Acknowledges the record of this id, those of several ids, or all that are still open. What was never acknowledged by
   * the end of a handler that did this by ids (`ack([])` does it, too), or of a turn of the loop, is handed out again.
   * Ids that are not of this batch do nothing, and are warned of. Resolves when Redis has confirmed, however long that
   * takes; rejects when the consumer is closed before.
   */
  async ack(ids?: string | Iterable<string>): Promise<void> {
    if (ids !== undefined) this.#isByItem = true;
    await this.#parts.acknowledge(this.take(ids ?? [...this.#open.keys()]));
  }

  /** @internal Whether it is the id of a record of this batch, open or not. */
  has(id: unknown): boolean {
    return this.#ids.has(id as string);
  }

  /** @internal Some records of the batch acknowledged their own way, so the others are not meant by a plain return. */
  get isByItem(): boolean {
    return this.#isByItem;
  }

  /** @internal Records with no outcome yet. */
  get open(): LogEntry[] {
    return [...this.#open.values()];
  }

  /** @internal The open ones among these, which are not open any more. */
  take(ids: string | Iterable<string>): LogEntry[] {
    const taken: LogEntry[] = [];
    let isMisnamed = false;
    for (const id of typeof ids === 'string' ? [ids] : ids) {
      isMisnamed ||= !this.#ids.has(id);
      const entry = this.#open.get(id);
      if (entry === undefined) continue;
      this.#open.delete(id);
      taken.push(entry);
    }
    if (isMisnamed) this.#parts.misnamed();
    return taken;
  }
}
