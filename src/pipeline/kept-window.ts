import type { Batch } from './batch.js';

/** How long an acknowledged batch is kept for a failover that forgets it (design, decision 6). */
export const RETAIN_MS = 5_000;
/** Most memory for that, over all streams of a pipeline. */
export const RETAIN_MAX_BYTES = 16 * 1024 * 1024;

interface Kept {
  readonly batch: Batch;
  readonly at: number;
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
  #kept: Kept[] = [];

  constructor(budget: RetainBudget) {
    this.#budget = budget;
  }

  add(batch: Batch, now: number): void {
    this.#kept.push({ batch, at: now });
    this.#budget.bytes += batch.heldBytes;
    this.prune(now);
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** Whether something was acknowledged less than {@link RETAIN_MS} ago. */
  hasRecent(now: number): boolean {
    const newest = this.#kept.at(-1);
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
    if (gone > 0) this.#kept = this.#kept.slice(gone);
  }

  /** Takes out everything numbered above `number`, oldest first; a batch that straddles it is cut. */
  takeAbove(number: number): Batch[] {
    const taken: Batch[] = [];
    const rest: Kept[] = [];
    for (const kept of this.#kept) {
      const { batch } = kept;
      if (batch.last <= number) {
        rest.push(kept);
        continue;
      }
      this.#budget.bytes -= batch.heldBytes;
      if (batch.first > number) {
        taken.push(batch);
        continue;
      }
      const below = batch.slice(batch.first, number);
      this.#budget.bytes += below.heldBytes;
      rest.push({ batch: below, at: kept.at });
      taken.push(batch.slice(number + 1, batch.last));
    }
    this.#kept = rest;
    this.forgottenThrough = Math.min(this.forgottenThrough, number);
    return taken;
  }

  clear(): void {
    for (const kept of this.#kept) this.#budget.bytes -= kept.batch.heldBytes;
    this.#kept = [];
    this.forgottenThrough = 0;
  }

  #forget(kept: Kept): void {
    this.#budget.bytes -= kept.batch.heldBytes;
    this.forgottenThrough = Math.max(this.forgottenThrough, kept.batch.last);
    kept.batch.forget();
  }
}
