import { SEVERITY_CLASSES } from '../record/severity.js';
import { BatchMemoryPool } from './batch-memory.js';
import type { EntryView } from './lane.js';
import { type QueueTotals, StreamQueue } from './stream-queue.js';

export interface QueueLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly overflow: 'drop-oldest' | 'drop-newest';
}

/**
 * The queues of all streams under one bound. When it is full the least severe record goes, so that an ERROR is dropped
 * only when nothing but errors waits. What that costs depends on the number of streams, not on how much is queued.
 */
export class BoundedQueue {
  readonly totals: QueueTotals = { records: 0, bytes: 0 };
  /** What was taken to be written to disk, and is not there yet: it counts within the bound, and cannot be dropped. */
  readonly staged: QueueTotals = { records: 0, bytes: 0 };
  readonly #limits: QueueLimits;
  readonly #memory = new BatchMemoryPool();
  readonly #queues: StreamQueue[] = [];
  readonly #shed: (queue: StreamQueue, entry: EntryView) => void;

  /** `shed` is called with every queued record that had to go. */
  constructor(limits: QueueLimits, shed: (queue: StreamQueue, entry: EntryView) => void) {
    this.#limits = limits;
    this.#shed = shed;
  }

  openStream(): StreamQueue {
    const queue = new StreamQueue(this.totals, this.#memory);
    this.#queues.push(queue);
    return queue;
  }

  /** Makes room for a record of `size` bytes; false when it must go itself. */
  makeRoom(severity: number, size: number): boolean {
    const { maxRecords, maxBytes } = this.#limits;
    const { totals, staged } = this;
    while (totals.records + staged.records >= maxRecords || totals.bytes + staged.bytes + size > maxBytes) {
      if (!this.#shedLessThan(severity)) return false;
    }
    return true;
  }

  #shedLessThan(severity: number): boolean {
    const newest = this.#limits.overflow === 'drop-newest';
    const least = this.#leastSevere();
    if (least > severity || (least === severity && newest)) return false;
    const queue = newest ? this.#longest(least) : this.#oldest(least);
    const entry = queue?.shed(least, newest ? 'newest' : 'oldest');
    if (queue === undefined || entry === undefined) return false;
    this.#shed(queue, entry);
    return true;
  }

  #leastSevere(): number {
    let least = SEVERITY_CLASSES;
    for (const queue of this.#queues) {
      for (let severity = 0; severity < least; severity++) {
        if (queue.sizeOf(severity) > 0) least = severity;
      }
    }
    return least;
  }

  #oldest(severity: number): StreamQueue | undefined {
    let found: StreamQueue | undefined;
    for (const queue of this.#queues) {
      if (queue.oldestOf(severity) < (found?.oldestOf(severity) ?? Infinity)) found = queue;
    }
    return found;
  }

  #longest(severity: number): StreamQueue | undefined {
    let found: StreamQueue | undefined;
    for (const queue of this.#queues) {
      if (queue.sizeOf(severity) > (found?.sizeOf(severity) ?? 0)) found = queue;
    }
    return found;
  }
}
