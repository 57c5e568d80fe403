import type { Template } from '../codec/template.js';
import type { EntryView } from './lane.js';

/** A batch's copy on disk. */
export interface SpoolTicket {
  /** So many of its records need it no more. With the last one it can go. */
  settle(count: number): void;
}

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/**
 * Redis refuses a command of more than 1,048,576 arguments (its `multi bulk length` check); half of that leaves
 * room for the arguments of the script itself.
 */
const MAX_VALUES = 500_000;

/**
 * Large batches keep room in front of their entries, so that the head of the request goes there and nothing is copied
 * once more. It is enough for about ten call sites; where it is not, the batch is copied after all.
 */
const HEADROOM_BYTES = 4 * 1024;
const LARGE_BYTES = 16 * 1024;

/**
 * Records that go to Redis in one write: their encoded entries, back to back. A batch knows nothing of sequence
 * numbers but its first one, because numbers in it are consecutive; so it can be renumbered and cut for nothing.
 */
export class Batch {
  /** Number of the first record; 0 until the batch is numbered. */
  first = 0;
  /** True once any request with it went out: from then on it may be stored. */
  wasSent = false;
  /** Its copy on disk, if there is one; the parts of a batch that was cut share it. */
  ticket: SpoolTicket | undefined;
  count = 0;
  /** Values of all entries, without their template ids. */
  values = 0;
  oldestOrdinal = Infinity;
  readonly templates: Template[] = [];
  #bytes: Buffer;
  /** Where the entries begin. */
  readonly #base: number;
  /** Where each entry ends. */
  #ends: Uint32Array;
  #ordinals: Float64Array;
  #entryTemplates: Template[] = [];

  /** Room for so many records, and at first for so many bytes. */
  constructor(records: number, bytes: number) {
    this.#base = bytes > LARGE_BYTES ? HEADROOM_BYTES : 0;
    this.#bytes = Buffer.allocUnsafe(this.#base + Math.max(64, bytes));
    this.#ends = new Uint32Array(records);
    this.#ordinals = new Float64Array(records);
  }

  /** Number of the last record. */
  get last(): number {
    return this.first + this.count - 1;
  }

  get byteLength(): number {
    return this.#end - this.#base;
  }

  /** What it costs to keep: the buffer, not only the used part of it. */
  get heldBytes(): number {
    return this.#bytes.length + this.#ends.byteLength + this.#ordinals.byteLength + this.count * 8;
  }

  /** The entries, each a template id and its values as RESP bulk strings. */
  get payload(): Buffer {
    return this.#bytes.subarray(this.#base, this.#end);
  }

  get #end(): number {
    return this.count === 0 ? this.#base : (this.#ends[this.count - 1] as number);
  }

  /**
   * The entries behind `head`, in one piece, valid until the next call. A batch is sent again only when a later request
   * on the same connection was answered, or the connection has ended; so nobody still reads the old head then.
   */
  behind(head: Buffer): Buffer {
    if (head.length > this.#base) return Buffer.concat([head, this.payload]);
    const start = this.#base - head.length;
    head.copy(this.#bytes, start);
    return this.#bytes.subarray(start, this.#end);
  }

  accepts(entry: EntryView, limits: BatchLimits): boolean {
    if (this.count === 0) return true;
    if (this.count >= limits.maxRecords || this.count >= this.#ends.length) return false;
    if (this.byteLength + entry.end - entry.start > limits.maxBytes) return false;
    return this.values + entry.template.variables <= MAX_VALUES;
  }

  add(entry: EntryView): void {
    const start = this.#end;
    const end = start + entry.end - entry.start;
    this.#reserve(end);
    entry.bytes.copy(this.#bytes, start, entry.start, entry.end);
    const index = this.count++;
    this.#ends[index] = end;
    this.#ordinals[index] = entry.ordinal;
    this.#entryTemplates.push(entry.template);
    if (entry.ordinal < this.oldestOrdinal) this.oldestOrdinal = entry.ordinal;
    this.values += entry.template.variables;
    const templates = this.templates;
    if (templates[templates.length - 1] !== entry.template && !templates.includes(entry.template)) {
      templates.push(entry.template);
    }
  }

  entry(index: number): EntryView {
    return {
      template: this.templateOf(index),
      ordinal: this.#ordinals[index] as number,
      bytes: this.#bytes,
      start: this.#base + this.startOf(index),
      end: this.#ends[index] as number,
    };
  }

  templateOf(index: number): Template {
    return this.#entryTemplates[index] as Template;
  }

  /** Where an entry begins in {@link payload}. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number) - this.#base;
  }

  /** The records numbered `first` to `last` (both in the batch) as a batch of their own. */
  slice(first: number, last: number): Batch {
    const from = first - this.first;
    const to = last - this.first;
    const bytes = this.entry(to).end - this.entry(from).start;
    const part = new Batch(to - from + 1, bytes);
    for (let index = from; index <= to; index++) part.add(this.entry(index));
    part.first = first;
    part.wasSent = this.wasSent;
    part.ticket = this.ticket;
    return part;
  }

  /** The same records as two batches. */
  halves(): [Batch, Batch] {
    const middle = this.first + (this.count >> 1);
    return [this.slice(this.first, middle - 1), this.slice(middle, this.last)];
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(size, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}
