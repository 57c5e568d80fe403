import type {
  AdoptedEntry,
  AdoptedSpool,
  Spool,
  SpoolBatch,
  SpoolEntry,
} from '../../../src/pipeline/spool/spool.js';
import type { SpoolOpening } from '../../../src/pipeline/spool-desk.js';

/** A disk that takes everything, or nothing, as a test says; what is on it can be adopted by another one. */
export class FakeSpool {
  isFull = false;
  /** Appends so far, taken or not. */
  appends = 0;
  readonly batches = new Map<SpoolEntry, SpoolBatch>();
  /** How many entries were read back. */
  reads = 0;
  readonly #adopts: FakeSpool | undefined;
  readonly #lost: number;

  /** `adopts`: what an earlier process left; `lost`: how many records of it damage has taken. */
  constructor(adopts?: FakeSpool, lost = 0) {
    this.#adopts = adopts;
    this.#lost = lost;
  }

  get opening(): SpoolOpening {
    const spool = this as unknown as Spool;
    return { open: () => Promise.resolve(spool), openNow: () => spool };
  }

  append(batch: SpoolBatch): Promise<SpoolEntry | undefined> {
    return Promise.resolve(this.appendAllSync([batch])[0]);
  }

  appendAllSync(batches: readonly SpoolBatch[]): readonly (SpoolEntry | undefined)[] {
    return batches.map((batch) => {
      this.appends++;
      if (this.isFull) return undefined;
      const { stream, producer, first, count, holes } = batch;
      const entry = { stream, producer, first, count, holes, bytes: batch.payload.length };
      this.batches.set(entry, { ...batch, payload: Buffer.from(batch.payload) });
      return entry;
    });
  }

  read(entry: SpoolEntry): Promise<SpoolBatch | undefined> {
    this.reads++;
    return Promise.resolve(this.batches.get(entry));
  }

  release(entry: SpoolEntry): void {
    this.batches.delete(entry);
  }

  adopt(): Promise<readonly AdoptedSpool[]> {
    const left = this.#adopts;
    if (left === undefined) return Promise.resolve([]);
    const entries = [...left.batches.keys()] as readonly SpoolEntry[] as readonly AdoptedEntry[];
    const adopted = {
      entries,
      lost: this.#lost,
      read: (entry: SpoolEntry) => left.read(entry),
      release: (entry: SpoolEntry) => left.release(entry),
      close: () => Promise.resolve(),
    };
    return Promise.resolve([adopted]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
