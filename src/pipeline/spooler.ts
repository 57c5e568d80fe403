import { readDefinitions, writeDefinitions } from '../codec/definitions.js';
import type { Batch, SpoolTicket } from './batch.js';
import { restoreBatch } from './restored-batch.js';
import type { SpoolBatch, SpoolEntry } from './spool/spool.js';

/** Batches that are on disk stay in memory as well, up to so many bytes, and need not be read back. */
const MEMORY_BYTES = 8 * 1024 * 1024;
/** So many bytes may wait for the disk; what comes then waits in the queue. */
const WRITING_BYTES = 8 * 1024 * 1024;
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

/** Who a batch belongs to when it is written down. */
export interface BatchOwner {
  readonly stream: string;
  readonly producer: string;
  readonly holes: number;
  readonly shed: number;
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
  readonly #openNow: () => BatchDisk | undefined;
  #disk: BatchDisk | undefined;
  #hasStarted = false;
  #writingBytes = 0;
  #isBroken = false;

  /** `openNow`: opens the disk at once, for a process that ends before it was open. */
  constructor(openNow: () => BatchDisk | undefined) {
    this.#openNow = openNow;
  }

  /** `undefined`: there is no disk after all. */
  start(disk: BatchDisk | undefined): void {
    this.#hasStarted = true;
    this.#disk = disk;
    this.#isBroken = disk === undefined;
  }

  get memoryIsFull(): boolean {
    return this.memoryBytes > MEMORY_BYTES;
  }

  /** Whether the disk takes more just now. */
  get accepts(): boolean {
    return this.#disk !== undefined && this.#writingBytes < WRITING_BYTES;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Resolves when the batch is written; `undefined` when it is not. */
  async write(batch: Batch, owner: BatchOwner): Promise<SpoolEntry | undefined> {
    const bytes = batch.byteLength;
    this.#writingBytes += bytes;
    const entry = await this.#disk?.append(onDisk(batch, owner));
    this.#writingBytes -= bytes;
    this.#isBroken = entry === undefined;
    if (entry !== undefined && this.#disk !== undefined) {
      batch.ticket = new Ticket(this.#disk, entry, batch.count);
    }
    return entry;
  }

  /** The same, at once, for a process that ends. Returns which batches are written. */
  writeSync(batches: readonly Batch[], owner: BatchOwner): boolean[] {
    if (batches.length === 0) return [];
    if (!this.#hasStarted) this.start(this.#openNow());
    if (this.#disk === undefined) return batches.map(() => false);
    const entries = this.#disk.appendAllSync(batches.map((batch) => onDisk(batch, owner)));
    return entries.map((entry) => entry !== undefined);
  }

  /** Notes that a producer begins to send behind `lastId`; the note can be released when nothing of it is left. */
  async note(owner: BatchOwner, lastId: string): Promise<SpoolEntry | undefined> {
    return this.#disk?.append({ ...owner, first: 0, count: 0, definitions: lastId, payload: NOTHING });
  }

  read(entry: SpoolEntry): Promise<Batch | undefined> {
    return this.#disk === undefined ? Promise.resolve(undefined) : readBatch(this.#disk, entry);
  }

  release(entry: SpoolEntry): void {
    this.#disk?.release(entry);
  }
}

/** A batch from disk, numbered as it was written; `undefined` when it cannot be read. */
export async function readBatch(shelf: BatchShelf, entry: SpoolEntry): Promise<Batch | undefined> {
  const stored = await shelf.read(entry);
  if (stored === undefined) return undefined;
  try {
    const batch = restoreBatch(stored.payload, readDefinitions(stored.definitions), stored);
    if (batch !== undefined) batch.ticket = new Ticket(shelf, entry, batch.count);
    return batch;
  } catch {
    // Whole by its checksum and yet not ours to read: the caller counts it as unreadable.
    return undefined;
  }
}

/** Several batches' copies as one, for batches that were put together. */
export function joinTickets(batches: readonly Batch[]): SpoolTicket {
  const tickets = batches.map(({ ticket, count }) => ({ ticket, count }));
  let left = tickets.reduce((sum, { count }) => sum + count, 0);
  return {
    settle(count) {
      left -= count;
      if (left === 0) for (const part of tickets) part.ticket?.settle(part.count);
    },
  };
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
