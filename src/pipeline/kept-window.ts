import { Batch } from './batch.js';
import { Fifo } from './fifo.js';

/** How long an acknowledged batch is kept for a failover that forgets it (design, decision 6). */
export const RETAIN_MS = 5_000;
/** Most memory for that, over all streams of a pipeline. */
export const RETAIN_MAX_BYTES = 16 * 1024 * 1024;

/** Smaller batches are kept together, so many records in one: a record alone would cost as much as a hundred. */
const SMALL = 64;
const TOGETHER = 256;
/** What is kept together was acknowledged within so short a time. */
const TOGETHER_MS = 250;

interface Kept {
  readonly batch: Batch;
  /** When the first of it was acknowledged, and the last. */
  readonly since: number;
  at: number;
  /** What it counts for. */
  bytes: number;
  /** It has room for more. */
  readonly isOpen: boolean;
}

/** Memory that all kept windows of a pipeline share. */
export interface RetainBudget {
  bytes: number;
}

/** Acknowledged batches of the last seconds, by number. */
export class KeptWindow {
  /** Numbers up to this one are kept no more. */
  forgottenThrough = 0;
  readonly #budget: RetainBudget;
  #kept = new Fifo<Kept>();

  constructor(budget: RetainBudget) {
    this.#budget = budget;
  }

  add(batch: Batch, now: number): void {
    if (batch.count < SMALL && !this.#isLowOnMemory) this.#addSmall(batch, now);
    else this.#push(batch, now, false);
    this.prune(now);
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** Whether something was acknowledged less than {@link RETAIN_MS} ago. */
  hasRecent(now: number): boolean {
    const newest = this.#kept.last;
    return newest !== undefined && newest.at > now - RETAIN_MS;
  }

  /** Forgets what is too old, or too much. */
  prune(now: number): void {
    let gone = 0;
    for (const kept of this.#kept) {
      if (kept.at > now - RETAIN_MS && this.#budget.bytes <= RETAIN_MAX_BYTES) break;
      this.#forget(kept);
      gone++;
    }
    if (gone > 0) this.#kept.drop(gone);
  }

  /** Takes out everything numbered above `number`, oldest first; a batch that straddles it is cut. */
  takeAbove(number: number): Batch[] {
    const taken: Batch[] = [];
    const rest = new Fifo<Kept>();
    for (const kept of this.#kept) {
      const { batch } = kept;
      if (batch.last <= number) {
        rest.push(kept);
        continue;
      }
      this.#budget.bytes -= kept.bytes;
      if (batch.first > number) {
        taken.push(batch);
        continue;
      }
      const below = batch.slice(batch.first, number);
      this.#budget.bytes += below.heldBytes;
      rest.push({ ...kept, batch: below, bytes: below.heldBytes, isOpen: false });
      taken.push(batch.slice(number + 1, batch.last));
    }
    this.#kept = rest;
    this.forgottenThrough = Math.min(this.forgottenThrough, number);
    return taken;
  }

  clear(): void {
    for (const kept of this.#kept) this.#budget.bytes -= kept.bytes;
    this.#kept = new Fifo();
    this.forgottenThrough = 0;
  }

  /** Near the limit nothing is copied: what is kept as it is needs no memory that is not there already. */
  get #isLowOnMemory(): boolean {
    return this.#budget.bytes > RETAIN_MAX_BYTES / 2;
  }

  #addSmall(batch: Batch, now: number): void {
    let last = this.#kept.last;
    if (last === undefined || !isContinued(last, batch, now)) {
      const together = new Batch(TOGETHER, 2 * batch.byteLength);
      together.first = batch.first;
      together.wasSent = true;
      last = this.#push(together, now, true);
    }
    last.batch.append(batch);
    last.at = now;
    this.#budget.bytes += last.batch.heldBytes - last.bytes;
    last.bytes = last.batch.heldBytes;
    batch.forget();
  }

  #push(batch: Batch, now: number, isOpen: boolean): Kept {
    const kept: Kept = { batch, since: now, at: now, bytes: batch.heldBytes, isOpen };
    this.#kept.push(kept);
    this.#budget.bytes += kept.bytes;
    return kept;
  }

  #forget(kept: Kept): void {
    this.#budget.bytes -= kept.bytes;
    this.forgottenThrough = Math.max(this.forgottenThrough, kept.batch.last);
    kept.batch.forget();
  }
}

function isContinued({ batch, since, isOpen }: Kept, next: Batch, now: number): boolean {
  const fits = batch.count + next.count <= TOGETHER && batch.last + 1 === next.first;
  return isOpen && fits && now - since < TOGETHER_MS;
}
