import type { Template } from '../codec/template.js';

/** What a batch lies in. */
export interface BatchMemory {
  readonly bytes: Buffer;
  /** Where each entry ends. */
  readonly ends: Uint32Array;
  readonly ordinals: Float64Array;
  readonly templates: Template[];
}

/** What a pipeline holds on to: more is forgotten at once only after an outage. */
const MAX_FREE_BYTES = 4 * 1024 * 1024;
const MAX_FREE = 64;

/** Small sizes are rounded to these, large ones to an eighth: the next batch, a little larger or smaller, then fits too. */
const STEP_BYTES = 512;
const STEP_RECORDS = 16;

/**
 * Memory of batches that are kept no more, for the next ones. A batch lives for seconds, so V8 would move it to its old
 * generation, and find out only by a full collection, of the application's heap too, that it is gone: one for every
 * 64 MB that were logged.
 */
export class BatchMemoryPool {
  readonly #free: BatchMemory[] = [];
  #freeBytes = 0;

  /** Room for so many records and bytes, or somewhat more. */
  take(records: number, bytes: number): BatchMemory {
    const index = this.#free.findIndex((memory) => isFitting(memory, records, bytes));
    const [found] = index === -1 ? [] : this.#free.splice(index, 1);
    if (found === undefined) return newMemory(records, bytes);
    this.#freeBytes -= sizeOf(found);
    return found;
  }

  /** Nobody reads it any more. */
  give(memory: BatchMemory): void {
    memory.templates.length = 0;
    this.#free.push(memory);
    this.#freeBytes += sizeOf(memory);
    while (this.#freeBytes > MAX_FREE_BYTES || this.#free.length > MAX_FREE) {
      this.#freeBytes -= sizeOf(this.#free.shift());
    }
  }
}

/** Not much larger either: what is kept counts with all of its memory. */
function isFitting({ bytes: room, ends }: BatchMemory, records: number, bytes: number): boolean {
  const mostBytes = roundUp(bytes, stepOf(bytes)) + stepOf(bytes);
  const mostRecords = 2 * roundUp(records, STEP_RECORDS);
  return (
    room.length >= bytes && room.length <= mostBytes && ends.length >= records && ends.length <= mostRecords
  );
}

function newMemory(records: number, bytes: number): BatchMemory {
  const places = roundUp(records, STEP_RECORDS);
  return {
    bytes: Buffer.allocUnsafeSlow(roundUp(bytes, stepOf(bytes))),
    ends: new Uint32Array(places),
    ordinals: new Float64Array(places),
    templates: [],
  };
}

function sizeOf(memory: BatchMemory | undefined): number {
  if (memory === undefined) return 0;
  return memory.bytes.length + memory.ends.byteLength + memory.ordinals.byteLength;
}

/** An eighth of the power of two below. */
function stepOf(bytes: number): number {
  return Math.max(STEP_BYTES, 2 ** (Math.floor(Math.log2(bytes)) - 3));
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
