import type { LogEntry } from './entry.js';

export interface BatchParts {
  readonly entries: readonly LogEntry[];
  readonly stream: string;
  readonly group: string;
  /** Aborted when the consumer is closed and the time for handlers is nearly up. */
  readonly signal: AbortSignal;
  acknowledge(entries: readonly LogEntry[]): Promise<void>;
}

/** Some records of a stream, for one call of a handler or one turn of a loop. */
export class LogBatch implements Iterable<LogEntry> {
  readonly entries: readonly LogEntry[];
  readonly stream: string;
  readonly group: string;
  /** Aborted shortly before what is not finished is handed back to the group, when the consumer closes. */
  readonly signal: AbortSignal;
  readonly #parts: BatchParts;
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
  }

  get size(): number {
    return this.entries.length;
  }

  [Symbol.iterator](): Iterator<LogEntry> {
    return this.entries[Symbol.iterator]();
  }

  /**
   * Acknowledges these records, or all that are still open. What was never acknowledged by the end of a handler that
   * did this by ids, or of a turn of the loop, is handed out again. Resolves when Redis has confirmed, however long that
   * takes; rejects when the consumer is closed before.
   */
  async ack(ids?: Iterable<string>): Promise<void> {
    if (ids !== undefined) this.#isByItem = true;
    await this.#parts.acknowledge(this.take(ids ?? [...this.#open.keys()]));
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
  take(ids: Iterable<string>): LogEntry[] {
    const taken: LogEntry[] = [];
    for (const id of ids) {
      const entry = this.#open.get(id);
      if (entry === undefined) continue;
      this.#open.delete(id);
      taken.push(entry);
    }
    return taken;
  }
}
