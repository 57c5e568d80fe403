import type { Template } from '../codec/template.js';
import type { BatchMemory, BatchMemoryPool } from './batch-memory.js';
import type { EntryRun, EntryView } from './lane.js';

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

const FORGOTTEN: BatchMemory = {
  bytes: Buffer.alloc(0),
  ends: new Uint32Array(0),
  ordinals: new Float64Array(0),
  templates: [],
};

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
  #memory: BatchMemory;
  /** Where the memory goes when the batch is forgotten; undefined where it cannot be used again. */
  #pool: BatchMemoryPool | undefined;
  #isBehind = false;
  /** Where the entries begin. */
  readonly #base: number;

  /** Room for so many records, and at first for so many bytes. */
  constructor(records: number, bytes: number, pool?: BatchMemoryPool) {
    this.#base = bytes > LARGE_BYTES ? HEADROOM_BYTES : 0;
    const size = this.#base + Math.max(64, bytes);
    this.#memory = pool?.take(records, size) ?? {
      bytes: Buffer.allocUnsafe(size),
      ends: new Uint32Array(records),
      ordinals: new Float64Array(records),
      templates: [],
    };
    this.#pool = pool;
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
    const { bytes, ends, ordinals } = this.#memory;
    return bytes.length + ends.byteLength + ordinals.byteLength + this.count * 8;
  }

  /** The entries, each a template id and its values as RESP bulk strings. Nobody knows how long they are read now. */
  get payload(): Buffer {
    this.#pool = undefined;
    return this.#entries;
  }

  get #entries(): Buffer {
    return this.#memory.bytes.subarray(this.#base, this.#end);
  }

  /**
   * Its records are stored, and nobody will ask for them again: their memory is for other batches, unless somebody may
   * still read it. A request that was answered, and was the only one, was read to its end.
   */
  forget(): void {
    this.#pool?.give(this.#memory);
    this.#pool = undefined;
    this.#memory = FORGOTTEN;
  }

  get #end(): number {
    return this.count === 0 ? this.#base : (this.#memory.ends[this.count - 1] as number);
  }

  /**
   * The entries behind `head`, in one piece. The first time that is this batch's own memory; from then on a copy, since a
   * socket may still have to write the first request: that of another node of a Cluster, for one.
   */
  behind(head: Buffer): Buffer {
    if (this.#memory === FORGOTTEN) throw new Error('The records of this batch are stored, and forgotten.');
    const isAgain = this.#isBehind;
    const start = this.#base - head.length;
    this.#isBehind = true;
    if (isAgain) this.#pool = undefined;
    if (isAgain || start < 0) return Buffer.concat([head, this.#entries]);
    head.copy(this.#memory.bytes, start);
    return this.#memory.bytes.subarray(start, this.#end);
  }

  /**
   * Adds the first entries of a run, as many as the limits allow, and none from the ordinal `before` on. The first entry
   * of a batch is always taken. Returns how many they were.
   */
  addRun(run: EntryRun, before: number, limits: BatchLimits): number {
    const { starts, ordinals, templates, head } = run;
    const room = Math.min(limits.maxRecords, this.#memory.ends.length) - this.count;
    const tail = Math.min(run.tail, head + room);
    const start = this.#end;
    // By so much an entry moves from the run to here.
    const shift = start - (starts[head] as number);
    let next = head;
    for (; next < tail; next++) {
      const ordinal = ordinals[next] as number;
      const template = templates[next] as Template;
      const end = (starts[next + 1] as number) + shift;
      if (this.count > 0 && (ordinal >= before || !this.#hasRoom(end, template, limits))) break;
      this.#note(template, ordinal, end);
    }
    const end = this.#end;
    this.#reserve(end, start);
    run.bytes.copy(this.#memory.bytes, start, starts[head], starts[next]);
    return next - head;
  }

  add(entry: EntryView): void {
    const start = this.#end;
    const end = start + entry.end - entry.start;
    this.#reserve(end, start);
    entry.bytes.copy(this.#memory.bytes, start, entry.start, entry.end);
    this.#note(entry.template, entry.ordinal, end);
  }

  /** Adds the entries of another batch. */
  append(other: Batch): void {
    for (let index = 0; index < other.count; index++) this.add(other.entry(index));
  }

  entry(index: number): EntryView {
    return {
      template: this.templateOf(index),
      ordinal: this.#memory.ordinals[index] as number,
      bytes: this.#memory.bytes,
      start: this.#base + this.startOf(index),
      end: this.#memory.ends[index] as number,
    };
  }

  templateOf(index: number): Template {
    return this.#memory.templates[index] as Template;
  }

  /** Where an entry begins in {@link payload}. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.#memory.ends[index - 1] as number) - this.#base;
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

  #hasRoom(end: number, template: Template, limits: BatchLimits): boolean {
    return end - this.#base <= limits.maxBytes && this.values + template.variables <= MAX_VALUES;
  }

  #note(template: Template, ordinal: number, end: number): void {
    const index = this.count++;
    const memory = this.#memory;
    memory.ends[index] = end;
    memory.ordinals[index] = ordinal;
    memory.templates.push(template);
    if (ordinal < this.oldestOrdinal) this.oldestOrdinal = ordinal;
    this.values += template.variables;
    const templates = this.templates;
    if (templates[templates.length - 1] !== template && !templates.includes(template))
      templates.push(template);
  }

  /** Room for `size` bytes, of which the first `used` are kept. */
  #reserve(size: number, used: number): void {
    const { bytes } = this.#memory;
    if (size <= bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(size, bytes.length * 2));
    bytes.copy(grown, 0, 0, used);
    this.#memory = { ...this.#memory, bytes: grown };
  }
}
