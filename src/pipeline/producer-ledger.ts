import type { Batch } from './batch.js';
import { KeptWindow, RETAIN_MS, type RetainBudget } from './kept-window.js';
import { NumberRanges } from './number-ranges.js';
import type { Outbox } from './outbox.js';
import type { SenderContext } from './sender.js';

/**
 * What one producer knows of its numbers in one stream: which are acknowledged, which acknowledged ones are still
 * kept for a rollback, which will never come, and which must be sent (again). It moves records between the states
 * of the account; it sends nothing.
 */
export class ProducerLedger {
  readonly outbox: Outbox;
  /** How many numbers will never come: set aside as bad, or rolled back beyond what was kept. */
  holes = 0;
  /** How many records were dropped before they had a number. */
  shed = 0;
  /** Whether the guard has told where it stands. Until then nothing is too old: a failover may take its time. */
  guardIsKnown = false;
  readonly #context: SenderContext;
  readonly #confirm: () => Promise<boolean>;
  readonly #kept: KeptWindow;
  readonly #holeNumbers = new NumberRanges();
  #acknowledged = 0;
  /** Whoever has it now has nothing to ask Redis, and knows what still waits. */
  isHandedOver = false;
  #pruneIsDue = false;

  /** `confirm` asks Redis whether all that it acknowledged is there; false: it is not, or nobody can tell just now. */
  constructor(
    outbox: Outbox,
    context: SenderContext & { readonly retain: RetainBudget },
    confirm: () => Promise<boolean>,
  ) {
    this.#context = context;
    this.#confirm = confirm;
    this.outbox = outbox;
    this.#kept = new KeptWindow(context.retain);
  }

  /** Whether something was acknowledged so short a time ago that a failover may still forget it. */
  get hasKept(): boolean {
    return this.#kept.hasRecent(this.#context.runtime.now());
  }

  deliver(batch: Batch): void {
    const { account, runtime } = this.#context;
    account.inFlight -= batch.count;
    account.delivered += batch.count;
    this.#acknowledged = batch.last;
    batch.ticket?.settle(batch.count);
    batch.ticket = undefined;
    this.#kept.add(batch, runtime.now());
    if (!this.#pruneIsDue) this.#pruneLater();
  }

  #pruneLater(): void {
    this.#pruneIsDue = true;
    this.#context.runtime.after(RETAIN_MS, () => void this.#prune());
  }

  /**
   * An application that falls silent gives the memory of its last batches back. It asks Redis once more before that: a
   * primary that was demoted can leave the connection up, and nothing else would tell that it has lost them.
   */
  async #prune(): Promise<void> {
    const { runtime, store } = this.#context;
    // What was acknowledged since has answered for what came before it.
    const isSafe = this.guardIsKnown && (this.hasKept || (await this.#confirm()));
    this.#pruneIsDue = false;
    if (isSafe && this.guardIsKnown) this.#kept.prune(runtime.now());
    if (!this.#kept.isEmpty && store.state !== 'closed') this.#pruneLater();
  }

  /** What waits, for a sender that does without a guard, and could not tell what a failover has forgotten. */
  handOver(): Outbox {
    this.isHandedOver = true;
    this.#kept.clear();
    void this.outbox.unguarded();
    return this.outbox;
  }

  /** Stored by an earlier try whose reply we never saw. */
  foundStored(batch: Batch): void {
    this.#context.account.duplicatesSuppressed += batch.count;
    this.deliver(batch);
  }

  /**
   * Makes the guard's number ours: what it covers is acknowledged, what it lacks is sent again. `storedBy`: whether it
   * is the try just answered that stored what is acknowledged now, or an earlier one whose reply we never saw.
   */
  rewind(number: number, storedBy: 'this-try' | 'an-earlier-try'): void {
    if (number < this.#acknowledged) this.#takeBack(number);
    this.outbox.skipTo(number);
    const again = this.outbox.again;
    for (let batch = again[0]; batch !== undefined && batch.first <= number; batch = again[0]) {
      again.shift();
      if (batch.last > number) {
        again.unshift(batch.slice(number + 1, batch.last));
        batch = batch.slice(batch.first, number);
      }
      if (storedBy === 'this-try') this.deliver(batch);
      else this.foundStored(batch);
    }
  }

  /** Redis has lost acknowledged records. What is still kept is sent again; the rest is counted as rolled back. */
  #takeBack(number: number): void {
    const { account } = this.#context;
    const forgotten = this.#kept.forgottenThrough;
    if (forgotten > number) {
      const lost = forgotten - number - this.#holeNumbers.countWithin(number + 1, forgotten);
      account.delivered -= lost;
      account.drop('rolled_back', lost);
      this.holes += lost;
      this.#holeNumbers.add(number + 1, forgotten);
      for (let told = 0; told < lost; told++) this.#context.dropped(undefined, 'rolled_back');
    }
    const kept = this.#kept.takeAbove(number);
    for (const batch of kept) {
      account.delivered -= batch.count;
      account.inFlight += batch.count;
    }
    this.outbox.again.unshift(...kept);
    this.#acknowledged = number;
  }

  /**
   * The guard and all trace of our records are gone: everything that is unconfirmed or kept is sent again under a new
   * producer id, and what had ever been sent may now be there twice.
   */
  renew(): void {
    const { account } = this.#context;
    const kept = this.#kept.takeAbove(0);
    this.#kept.clear();
    for (const batch of kept) {
      account.delivered -= batch.count;
      account.inFlight += batch.count;
    }
    this.outbox.again.unshift(...kept);
    for (const batch of this.outbox.again) {
      if (batch.wasSent) account.possibleDuplicates += batch.count;
    }
    this.outbox.renumber();
    this.#holeNumbers.clear();
    this.#acknowledged = 0;
    this.holes = 0;
    this.shed = 0;
  }

  /** A record that cannot be stored: its number becomes a hole and its batch is cut around it. */
  setAside(number: number): void {
    const again = this.outbox.again;
    const index = again.findIndex((batch) => batch.first <= number && number <= batch.last);
    const batch = again[index];
    if (batch === undefined) return;
    const parts: Batch[] = [];
    if (batch.first < number) parts.push(batch.slice(batch.first, number - 1));
    if (number < batch.last) parts.push(batch.slice(number + 1, batch.last));
    again.splice(index, 1, ...parts);
    this.holes++;
    this.#holeNumbers.add(number, number);
    this.#context.account.inFlight--;
    this.#context.account.drop('rejected');
    batch.ticket?.settle(1);
    this.#context.dropped(batch.entry(number - batch.first), 'rejected');
  }

  /** Gives up what has no outcome. */
  abandon(): void {
    this.outbox.giveUp();
    this.outbox.giveUpBatches(this.outbox.again.splice(0));
  }
}
