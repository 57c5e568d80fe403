import type { FilterParts } from './filter-parts.js';
import { LateRun } from './late-run.js';
import type { TailRun } from './tail-run.js';
import type { LogEntry, LogTailOptions } from './types.js';

export interface TailPlan extends LogTailOptions {
  readonly streams: readonly string[];
  readonly filter: FilterParts;
}

/** The records of a tail, one after the other; to be iterated once. Nothing is read while nobody asks. */
export class LogTail implements AsyncIterableIterator<LogEntry> {
  readonly #run: LateRun<TailRun>;
  readonly #ended: () => void;

  /** @internal */
  constructor(load: () => Promise<TailRun>, ended: () => void) {
    this.#run = new LateRun(load);
    this.#ended = ended;
  }

  /** The last entry of each stream that was handed out or passed over: `from` of a tail that goes on here. */
  get position(): Record<string, string> {
    return this.#run.loaded?.position ?? {};
  }

  next(): Promise<IteratorResult<LogEntry, undefined>> {
    return this.#run.next();
  }

  /** Ends it, also while it waits for the next record. */
  return(): Promise<IteratorResult<LogEntry, undefined>> {
    this.#ended();
    return this.#run.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
