import type { Template } from '../codec/template.js';

/** What a batch lies in. */
export interface BatchMemory {
  readonly bytes: Buffer;
  /** Where each entry ends. */
  readonly ends: Uint32Array;
  readonly ordinals: Float64Array;
  readonly templates: Template[];
}

/** As many as are forgotten at once, now and then. */
const MAX_FREE = 16;
/** What takes more is rare, and not worth holding on to. */
const MAX_BYTES = 1024 * 1024;

/** Sizes are rounded, so that the next batch, which has a few bytes or records more or less, fits too. */
const STEP_BYTES = 512;
const LARGE_STEP_BYTES = 16 * 1024;
const STEP_RECORDS = 16;

/**
 * Memory of batches that are kept no more, for the next ones. A batch lives for seconds, so V8 would move it to its old
 * generation, and find out only by a full collection, of the application's heap too, that it is gone: one for every
 * 64 MB that were logged.
 */
export class BatchMemoryPool {
  readonly #free: BatchMemory[] = [];

  /** Room for so many records and bytes, or somewhat more. */
  take(records: number, bytes: number): BatchMemory {
    const index = this.#free.findIndex((memory) => isFitting(memory, records, bytes));
    return (index === -1 ? undefined : this.#free.splice(index, 1)[0]) ?? newMemory(records, bytes);
  }

  /** Nobody reads it any more. */
  give(memory: BatchMemory): void {
    if (memory.bytes.length > MAX_BYTES) return;
    memory.templates.length = 0;
    if (this.#free.length >= MAX_FREE) this.#free.shift();
    this.#free.push(memory);
  }
}

/** Not more than twice as large either: what is kept counts with all of its memory. */
function isFitting(memory: BatchMemory, records: number, bytes: number): boolean {
  const room = memory.bytes.length;
  return room >= bytes && room <= 2 * roundUp(bytes, STEP_BYTES) && memory.ends.length >= records;
}

function newMemory(records: number, bytes: number): BatchMemory {
  const places = roundUp(records, STEP_RECORDS);
  return {
    bytes: Buffer.allocUnsafeSlow(roundUp(bytes, bytes > LARGE_STEP_BYTES ? LARGE_STEP_BYTES : STEP_BYTES)),
    ends: new Uint32Array(places),
    ordinals: new Float64Array(places),
    templates: [],
  };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
