import type { RespWriter } from '../codec/resp-writer.js';
import type { Template } from '../codec/template.js';

const FIRST_CHUNK_BYTES = 4 * 1024;
const LARGEST_CHUNK_BYTES = 128 * 1024;
/**
 * An emptied chunk up to this size is used again. New ones for every batch are megabytes a second outside the heap, and
 * V8 answers those with full collections: twice as many of them, measured with batches of 32.
 */
const SPARE_CHUNK_BYTES = 32 * 1024;
/** What an entry takes before any was seen. */
const FIRST_ENTRY_BYTES = 128;

/** Entries back to back in one buffer, with their positions in typed arrays: no object per record. */
class Chunk implements EntryRun {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly ordinals: Float64Array;
  readonly templates: Template[] = [];
  next: Chunk | undefined;
  previous: Chunk | undefined;
  head = 0;
  tail = 0;

  constructor(size: number, entries: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.starts = new Uint32Array(entries + 1);
    this.ordinals = new Float64Array(entries);
  }

  hasRoom(size: number): boolean {
    const used = this.starts[this.tail] as number;
    return this.tail < this.ordinals.length && used + size <= this.bytes.length;
  }

  clear(): void {
    this.head = 0;
    this.tail = 0;
    this.templates.length = 0;
    this.next = undefined;
    this.previous = undefined;
  }
}

/** Entries that lie one behind the other in one buffer, those from `head` to before `tail`: valid until the lane changes. */
export interface EntryRun {
  readonly bytes: Buffer;
  /** Where each entry begins; one more than there are entries, so that the next one's beginning is its end. */
  readonly starts: Uint32Array;
  readonly ordinals: Float64Array;
  readonly templates: readonly Template[];
  readonly head: number;
  readonly tail: number;
}

/** One entry, by reference: valid until the lane changes. */
export interface EntryView {
  template: Template;
  ordinal: number;
  bytes: Buffer;
  start: number;
  end: number;
}

/**
 * The queued entries of one stream and one class of severity, oldest first. Both ends can be removed in constant
 * time, so that a full queue costs no more than an empty one.
 */
export class Lane {
  size = 0;
  #first: Chunk | undefined;
  #last: Chunk | undefined;
  #spare: Chunk | undefined;
  #chunkBytes = FIRST_CHUNK_BYTES;
  #pushed = 0;
  #pushedBytes = 0;

  /** Queues the values in `values` as an entry of `template`, and returns its size in bytes. */
  push(template: Template, values: RespWriter, ordinal: number): number {
    const { idBytes } = template;
    const size = idBytes.length + values.length;
    const chunk = this.#last?.hasRoom(size) ? this.#last : this.#grow(size);
    const at = chunk.starts[chunk.tail] as number;
    // Some six bytes: a loop costs less than a call of copy().
    for (let i = 0; i < idBytes.length; i++) chunk.bytes[at + i] = idBytes[i] as number;
    values.bytes.copy(chunk.bytes, at + idBytes.length, 0, values.length);
    chunk.ordinals[chunk.tail] = ordinal;
    chunk.templates.push(template);
    chunk.tail++;
    chunk.starts[chunk.tail] = at + size;
    this.size++;
    this.#pushed++;
    this.#pushedBytes += size;
    return size;
  }

  /** The number that the oldest entry was given when it was queued; Infinity when there is none. */
  oldest(): number {
    const chunk = this.#first;
    return chunk === undefined ? Infinity : (chunk.ordinals[chunk.head] as number);
  }

  peek(): EntryView | undefined {
    return this.#first === undefined ? undefined : view(this.#first, this.#first.head);
  }

  peekNewest(): EntryView | undefined {
    return this.#last === undefined ? undefined : view(this.#last, this.#last.tail - 1);
  }

  /** The oldest entries, as far as they lie together. */
  run(): EntryRun | undefined {
    return this.#first;
  }

  /** Removes the oldest entries: no more than {@link run} has. */
  shift(count = 1): void {
    const chunk = this.#first;
    if (chunk === undefined) return;
    chunk.head += count;
    this.size -= count;
    if (chunk.head === chunk.tail) this.#remove(chunk);
  }

  pop(): void {
    const chunk = this.#last;
    if (chunk === undefined) return;
    chunk.tail--;
    chunk.templates.pop();
    this.size--;
    if (chunk.head === chunk.tail) this.#remove(chunk);
  }

  #grow(size: number): Chunk {
    const chunk = this.#takeSpare(size) ?? this.#makeChunk(size);
    chunk.previous = this.#last;
    if (this.#last === undefined) this.#first = chunk;
    else this.#last.next = chunk;
    this.#last = chunk;
    return chunk;
  }

  #takeSpare(size: number): Chunk | undefined {
    const spare = this.#spare;
    if (spare === undefined || size > spare.bytes.length) return undefined;
    this.#spare = undefined;
    spare.clear();
    return spare;
  }

  #makeChunk(size: number): Chunk {
    const bytes = Math.max(this.#chunkBytes, size);
    // A tenth more than fit by the average so far: neither the bytes nor the places run out long before the other.
    const average = this.#pushed === 0 ? FIRST_ENTRY_BYTES : this.#pushedBytes / this.#pushed;
    const chunk = new Chunk(bytes, Math.max(8, Math.ceil((bytes / average) * 1.1)));
    this.#chunkBytes = Math.min(this.#chunkBytes * 2, LARGEST_CHUNK_BYTES);
    return chunk;
  }

  #remove(chunk: Chunk): void {
    if (chunk.previous === undefined) this.#first = chunk.next;
    else chunk.previous.next = chunk.next;
    if (chunk.next === undefined) this.#last = chunk.previous;
    else chunk.next.previous = chunk.previous;
    if (this.#first === undefined) this.#chunkBytes = FIRST_CHUNK_BYTES;
    const size = chunk.bytes.length;
    if (size <= SPARE_CHUNK_BYTES && size >= (this.#spare?.bytes.length ?? 0)) this.#spare = chunk;
  }
}

function view(chunk: Chunk, index: number): EntryView {
  return {
    template: chunk.templates[index] as Template,
    ordinal: chunk.ordinals[index] as number,
    bytes: chunk.bytes,
    start: chunk.starts[index] as number,
    end: chunk.starts[index + 1] as number,
  };
}
