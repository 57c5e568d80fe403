import { readDefinitions, writeDefinitions } from '../codec/definitions.js';
import type { Template } from '../codec/template.js';
import type { Batch, BatchLimits, SpoolTicket } from './batch.js';
import { restoreBatch } from './restored-batch.js';
import type { QueueTotals } from './stream-queue.js';
import type { SpoolBatch, SpoolEntry } from './spool/spool.js';

/** Batches that are on disk stay in memory as well, up to so many bytes, and need not be read back. */
const MEMORY_BYTES = 8 * 1024 * 1024;
/** What waits for the disk takes at most this part of the queue's bounds: the rest is for the queue to choose from. */
const STAGED_SHARE = 1 / 4;
/** And never more bytes than this. */
const STAGED_BYTES = 8 * 1024 * 1024;
/** A disk that refused is left alone for so long. */
export const RETRY_MS = 250;
/** Texts of definitions that are remembered, so that batches of the same call sites share their templates. */
const MOST_DEFINITIONS = 256;
const NOTHING = Buffer.alloc(0);

/** Where batches are read: this process's own spool, or one that was adopted. */
export interface BatchShelf {
  read(entry: SpoolEntry): Promise<SpoolBatch | undefined>;
  release(entry: SpoolEntry): void;
}

/** The part of `Spool` that senders use. */
export interface BatchDisk extends BatchShelf {
  append(batch: SpoolBatch): Promise<SpoolEntry | undefined>;
  appendAllSync(batches: readonly SpoolBatch[]): readonly (SpoolEntry | undefined)[];
}

/** Holes of what is delivered at least once: without a guard nobody can tell which of it was stored. */
export const UNGUARDED = -1;

/** Who a batch belongs to when it is written down. */
export interface BatchOwner {
  readonly stream: string;
  readonly producer: string;
  /** Or {@link UNGUARDED}. */
  readonly holes: number;
  readonly shed: number;
}

export interface SpoolerParts {
  readonly now: () => number;
  /** The bounds of the queue. */
  readonly queue: BatchLimits;
  /** What is counted in these bounds beside the queue itself: see {@link Spooler.stage}. */
  readonly staged: QueueTotals;
  /** Opens the disk at once, for a process that ends before it was open. */
  openNow(): BatchDisk | undefined;
}

/**
 * What the outboxes of a pipeline share of the disk.
 *
 * States. Without a disk yet: nothing is taken, and nothing is sent. With one: batches are written ahead. `isBroken`:
 * the disk refused the last batch, so records are sent from memory until it takes one again.
 */
export class Spooler {
  /** Bytes of batches that are on disk and in memory. */
  memoryBytes = 0;
  readonly #parts: SpoolerParts;
  readonly #most: BatchLimits;
  readonly #definitions = new Map<string, ReadonlyMap<string, Template>>();
  #templates = new Map<string, Template>();
  #disk: BatchDisk | undefined;
  #hasStarted = false;
  #isBroken = false;
  #retryAt = -Infinity;

  constructor(parts: SpoolerParts) {
    this.#parts = parts;
    const { maxRecords, maxBytes } = parts.queue;
    this.#most = {
      maxRecords: Math.max(1, Math.floor(maxRecords * STAGED_SHARE)),
      maxBytes: Math.min(STAGED_BYTES, maxBytes * STAGED_SHARE),
    };
  }

  /** `undefined`: there is no disk, for now at least. */
  start(disk: BatchDisk | undefined): void {
    this.#hasStarted = true;
    this.#disk = disk;
    this.#isBroken = disk === undefined;
  }

  get memoryIsFull(): boolean {
    return this.memoryBytes > MEMORY_BYTES;
  }

  /** Whether there is a disk, and it is worth a try. */
  get mayWrite(): boolean {
    return this.#disk !== undefined && (!this.#isBroken || this.#parts.now() >= this.#retryAt);
  }

  /** Whether more may wait for the disk. */
  get hasRoom(): boolean {
    const { records, bytes } = this.#parts.staged;
    return this.mayWrite && records < this.#most.maxRecords && bytes < this.#most.maxBytes;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** How large a batch may be that is written ahead. */
  limitsOf({ maxRecords, maxBytes }: BatchLimits): BatchLimits {
    const most = this.#most;
    return { maxRecords: Math.min(maxRecords, most.maxRecords), maxBytes: Math.min(maxBytes, most.maxBytes) };
  }

  /** The batch was taken from the queue and is not on disk yet: until it is, or is sent, it counts as queued. */
  stage(batch: Batch): void {
    this.#parts.staged.records += batch.count;
    this.#parts.staged.bytes += batch.byteLength;
  }

  unstage(batch: Batch): void {
    this.#parts.staged.records -= batch.count;
    this.#parts.staged.bytes -= batch.byteLength;
  }

  /** Resolves when the batch is written; `undefined` when it is not. */
  async write(batch: Batch, owner: BatchOwner): Promise<SpoolEntry | undefined> {
    const entry = await this.#disk?.append(onDisk(batch, owner));
    this.#isBroken = entry === undefined;
    if (entry === undefined) this.#retryAt = this.#parts.now() + RETRY_MS;
    else if (this.#disk !== undefined) batch.ticket = new Ticket(this.#disk, entry, batch.count);
    return entry;
  }

  /** The same, at once, for a process that ends. Returns which batches are written. */
  writeSync(batches: readonly Batch[], owner: BatchOwner): boolean[] {
    if (batches.length === 0) return [];
    if (!this.#hasStarted) this.start(this.#parts.openNow());
    if (this.#disk === undefined) return batches.map(() => false);
    const entries = this.#disk.appendAllSync(batches.map((batch) => onDisk(batch, owner)));
    return entries.map((entry) => entry !== undefined);
  }

  /** Notes that a producer begins to send behind `lastId`; the note can be released when nothing of it is left. */
  async note(owner: BatchOwner, lastId: string): Promise<SpoolEntry | undefined> {
    return this.#disk?.append({ ...owner, first: 0, count: 0, definitions: lastId, payload: NOTHING });
  }

  /** A batch from disk, numbered as it was written; `undefined` when it cannot be read. */
  async read(entry: SpoolEntry, shelf: BatchShelf | undefined = this.#disk): Promise<Batch | undefined> {
    const stored = await shelf?.read(entry);
    if (shelf === undefined || stored === undefined) return undefined;
    try {
      const batch = restoreBatch(stored.payload, this.#templatesOf(stored.definitions), stored);
      if (batch !== undefined) batch.ticket = new Ticket(shelf, entry, batch.count);
      return batch;
    } catch {
      // Whole by its checksum and yet not ours to read: the caller counts it as unreadable.
      return undefined;
    }
  }

  release(entry: SpoolEntry): void {
    this.#disk?.release(entry);
  }

  /** Every template once, so that batches that are joined do not bring theirs a hundred times over. */
  #templatesOf(text: string): ReadonlyMap<string, Template> {
    const known = this.#definitions.get(text);
    if (known !== undefined) return known;
    if (this.#definitions.size >= MOST_DEFINITIONS) this.#definitions.clear();
    if (this.#templates.size >= MOST_DEFINITIONS) this.#templates = new Map();
    const templates = readDefinitions(text);
    for (const [id, template] of templates) templates.set(id, this.#shared(template));
    this.#definitions.set(text, templates);
    return templates;
  }

  #shared(template: Template): Template {
    const text = writeDefinitions([template]);
    const known = this.#templates.get(text) ?? template;
    this.#templates.set(text, known);
    return known;
  }
}

class Ticket implements SpoolTicket {
  readonly #shelf: BatchShelf;
  readonly #entry: SpoolEntry;
  #left: number;

  constructor(shelf: BatchShelf, entry: SpoolEntry, count: number) {
    this.#shelf = shelf;
    this.#entry = entry;
    this.#left = count;
  }

  settle(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#shelf.release(this.#entry);
  }
}

function onDisk(batch: Batch, owner: BatchOwner): SpoolBatch {
  return {
    ...owner,
    first: batch.first,
    count: batch.count,
    definitions: writeDefinitions(batch.templates),
    payload: batch.payload,
  };
}
