import type { RespWriter } from '../codec/resp-writer.js';
import type { Template } from '../codec/template.js';
import { SEVERITY_CLASSES } from '../record/severity.js';
import { Batch, type BatchLimits } from './batch.js';
import { BatchMemoryPool } from './batch-memory.js';
import { type EntryView, Lane } from './lane.js';

/** What waits in all queues of a pipeline together. */
export interface QueueTotals {
  records: number;
  bytes: number;
}

/** What waits for one stream: a lane for each class of severity, read as one in the order of arrival. */
export class StreamQueue {
  size = 0;
  bytes = 0;
  readonly #totals: QueueTotals;
  readonly #memory: BatchMemoryPool;
  readonly #lanes: readonly Lane[] = Array.from({ length: SEVERITY_CLASSES }, () => new Lane());

  /** `memory`: where batches take theirs from; all streams of a pipeline share one. */
  constructor(totals: QueueTotals, memory = new BatchMemoryPool()) {
    this.#totals = totals;
    this.#memory = memory;
  }

  push(
    entry: { readonly severity: number; readonly template: Template },
    values: RespWriter,
    ordinal: number,
  ): void {
    const bytes = this.#lane(entry.severity).push(entry.template, values, ordinal);
    this.size++;
    this.bytes += bytes;
    this.#totals.records++;
    this.#totals.bytes += bytes;
  }

  /** The number of the oldest entry of all lanes; Infinity when nothing waits. */
  oldest(): number {
    let oldest = Infinity;
    for (const lane of this.#lanes) oldest = Math.min(oldest, lane.oldest());
    return oldest;
  }

  oldestOf(severity: number): number {
    return this.#lane(severity).oldest();
  }

  sizeOf(severity: number): number {
    return this.#lane(severity).size;
  }

  /** Takes out the oldest or newest entry of one severity; the view is valid until the next push. */
  shed(severity: number, end: 'oldest' | 'newest'): EntryView | undefined {
    const lane = this.#lane(severity);
    const entry = end === 'oldest' ? lane.peek() : lane.peekNewest();
    if (entry === undefined) return undefined;
    if (end === 'oldest') lane.shift();
    else lane.pop();
    this.#removed(1, entry.end - entry.start);
    return entry;
  }

  /** The oldest entries, as many as the limits allow, at least one; `undefined` when nothing waits. */
  take(limits: BatchLimits): Batch | undefined {
    if (this.size === 0) return undefined;
    const records = Math.min(limits.maxRecords, this.size);
    // By the average, and a little more: what is allocated and not used costs a collection in the end.
    const bytes = Math.min(limits.maxBytes, Math.ceil((this.bytes / this.size) * records * 1.1));
    const batch = new Batch(records, Math.min(bytes, this.bytes), this.#memory);
    while (this.size > 0) {
      const lane = this.#oldestLane();
      const run = lane.run();
      if (run === undefined) break;
      const before = batch.byteLength;
      const count = batch.addRun(run, this.#oldestExcept(lane), limits);
      if (count === 0) break;
      lane.shift(count);
      this.#removed(count, batch.byteLength - before);
    }
    return batch;
  }

  #removed(count: number, bytes: number): void {
    this.size -= count;
    this.bytes -= bytes;
    this.#totals.records -= count;
    this.#totals.bytes -= bytes;
  }

  #oldestLane(): Lane {
    const oldest = this.oldest();
    return this.#lanes.find((lane) => lane.oldest() === oldest) as Lane;
  }

  #oldestExcept(one: Lane): number {
    let oldest = Infinity;
    for (const lane of this.#lanes) if (lane !== one) oldest = Math.min(oldest, lane.oldest());
    return oldest;
  }

  #lane(severity: number): Lane {
    return this.#lanes[severity] ?? (this.#lanes[2] as Lane);
  }
}
