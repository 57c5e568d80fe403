import type { BoundedQueue } from './bounded-queue.js';

/** Why a record was not delivered. Every reason is counted on its own. */
export type DropReason =
  | 'queue_full'
  | 'too_large'
  | 'rejected'
  | 'closed'
  | 'recursive'
  | 'feedback'
  | 'rolled_back'
  | 'sampled'
  | 'rate_limited'
  | 'duplicate'
  | 'spool_unreadable';

/** Reasons that the options asked for: they are counted, and no loss. */
export const LEFT_OUT: ReadonlySet<string> = new Set<DropReason>(['sampled', 'rate_limited', 'duplicate']);

/** How records are delivered at present; it can be weaker than asked for where Redis allows no scripts. */
export type Delivery = 'exactly-once' | 'at-least-once';

/**
 * The account at one instant. `emitted + recovered = delivered + queued + spooled + inFlight + unconfirmed +
 * sum(dropped)` always holds.
 */
export interface LogStats {
  /** Records that passed the level check. */
  readonly emitted: number;
  /** Records that a spool brought from an earlier process. */
  readonly recovered: number;
  /** Records that Redis confirmed. */
  readonly delivered: number;
  /** Records that wait in memory. */
  readonly queued: number;
  /** Records that wait on disk. */
  readonly spooled: number;
  /** Records in a batch that has no outcome yet. */
  readonly inFlight: number;
  /** Records sent and not confirmed when the time to close was up: they may be stored. */
  readonly unconfirmed: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Records sent again, counted once per try. */
  readonly retried: number;
  /** Records that a retry found stored already. */
  readonly duplicatesSuppressed: number;
  /** Records sent again where nothing could tell whether they had been stored, counted once per try. */
  readonly possibleDuplicates: number;
  /** Entries that retention removed although a group of `keepFor` had not acknowledged them, by this process. */
  readonly trimmedUnacknowledged: number;
  readonly delivery: Delivery;
}

/** The one place where records are counted. Every move between two states is one call. */
export class Account {
  emitted = 0;
  recovered = 0;
  delivered = 0;
  spooled = 0;
  inFlight = 0;
  unconfirmed = 0;
  retried = 0;
  duplicatesSuppressed = 0;
  possibleDuplicates = 0;
  trimmedUnacknowledged = 0;
  readonly dropped: Partial<Record<DropReason, number>> = {};
  readonly #queue: Pick<BoundedQueue, 'totals' | 'staged'>;

  /** `queue`: what waits in memory counts itself. */
  constructor(queue: Pick<BoundedQueue, 'totals' | 'staged'>) {
    this.#queue = queue;
  }

  /** With those that are on their way from the queue to disk. */
  get queued(): number {
    return this.#queue.totals.records + this.#queue.staged.records;
  }

  drop(reason: DropReason, count = 1): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }

  get totalDropped(): number {
    return Object.values(this.dropped).reduce((sum, count) => sum + count, 0);
  }

  stats(delivery: Delivery): LogStats {
    return {
      emitted: this.emitted,
      recovered: this.recovered,
      delivered: this.delivered,
      queued: this.queued,
      spooled: this.spooled,
      inFlight: this.inFlight,
      unconfirmed: this.unconfirmed,
      dropped: { ...this.dropped },
      retried: this.retried,
      duplicatesSuppressed: this.duplicatesSuppressed,
      possibleDuplicates: this.possibleDuplicates,
      trimmedUnacknowledged: this.trimmedUnacknowledged,
      delivery,
    };
  }
}
