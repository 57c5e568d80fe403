import type { Batch } from './batch.js';
import type { SenderContext } from './sender.js';
import type { StreamQueue } from './stream-queue.js';

/** Where a sender's next batch comes from: what must be sent again first, then the queue. */
export class Outbox {
  readonly queue: StreamQueue;
  /** Whether batches are on disk under the producer's id before they are sent. */
  readonly isDurable: boolean = false;
  /** Numbered batches that must go (again), in the order of their numbers. */
  again: Batch[] = [];
  readonly #context: SenderContext;
  #numbered = 0;
  #isDue = false;

  constructor(queue: StreamQueue, context: SenderContext) {
    this.queue = queue;
    this.#context = context;
  }

  /** The last number given. */
  get numbered(): number {
    return this.#numbered;
  }

  get isEmpty(): boolean {
    return this.again.length === 0 && this.queue.size === 0;
  }

  /**
   * The next batch to send while `inFlight` others are on their way. A free line takes whatever waits; a busy one
   * only full batches, so that a flood leaves in few large writes and a lone record at once.
   */
  next(inFlight: number): Batch | undefined {
    const first = this.again.shift();
    if (first !== undefined) return first;
    const { limits, account } = this.#context;
    if (!this.isRipe() || (inFlight > 0 && !this.isFull())) return undefined;
    const batch = this.queue.take(limits);
    if (batch === undefined) return undefined;
    account.inFlight += batch.count;
    this.number(batch);
    return batch;
  }

  /** Numbers start again at 1: the batches that wait are renumbered under a new producer id. */
  renumber(): void {
    this.#numbered = 0;
    for (const batch of this.again) this.number(batch);
  }

  /** The server's guard is ahead of all numbers given: never give one of those. */
  skipTo(number: number): void {
    this.#numbered = Math.max(this.#numbered, number);
  }

  oldest(): number {
    let oldest = this.queue.oldest();
    for (const batch of this.again) oldest = Math.min(oldest, batch.oldestOrdinal);
    return oldest;
  }

  /**
   * Makes sure of what waits, where there is a disk for it. Called once per tick, connected or not. With `force` what
   * is queued now has waited long enough for company, even if it cannot be sent just yet.
   */
  stage(force: boolean): void {
    if (force) this.#isDue = true;
  }

  /** Whether a batch of what is queued may be made: it is full, or has waited long enough. */
  protected isRipe(): boolean {
    const { limits } = this.#context;
    if (this.queue.size === 0) this.#isDue = false;
    return this.isFull() || limits.maxDelayMs === 0 || this.#isDue;
  }

  protected isFull(): boolean {
    const { limits } = this.#context;
    return this.queue.size >= limits.maxRecords || this.queue.bytes >= limits.maxBytes;
  }

  /**
   * The producer is about to begin: `lastId` is the stream's last id, and what is sent comes after it. Resolves when
   * that is noted where the next process would find it.
   */
  opened(_lastId: string): Promise<void> {
    return Promise.resolve();
  }

  /** What waits is delivered at least once from now on: that is noted where the next process would find it. */
  unguarded(): Promise<void> {
    return Promise.resolve();
  }

  /** The process gives up: what can still be made sure of is. What stays in the queue is lost. */
  giveUp(): void {
    // In memory there is nothing to do.
  }

  /**
   * Numbered batches have no outcome and get none: those on disk stay there for the next process, others that were sent
   * become `unconfirmed`, and the rest is dropped as `closed`.
   */
  giveUpBatches(batches: readonly Batch[]): void {
    const { account } = this.#context;
    for (const batch of batches) {
      account.inFlight -= batch.count;
      if (batch.ticket !== undefined) account.spooled += batch.count;
      else if (batch.wasSent) account.unconfirmed += batch.count;
      else this.drop(batch);
    }
  }

  /** Nothing more will come, and nothing is left. */
  retire(): void {
    // In memory there is nothing to do.
  }

  /** Nobody will see these records any more. */
  protected drop(batch: Batch): void {
    this.#context.account.drop('closed', batch.count);
    for (let index = 0; index < batch.count; index++) this.#context.dropped(batch.entry(index), 'closed');
  }

  /** Records that were on disk cannot be read back. */
  protected unreadable(count: number): void {
    this.#context.account.spooled -= count;
    this.#context.account.drop('spool_unreadable', count);
    for (let told = 0; told < count; told++) this.#context.dropped(undefined, 'spool_unreadable');
  }

  /** Gives the batch the numbers that come next. */
  number(batch: Batch): void {
    batch.first = this.#numbered + 1;
    this.#numbered += batch.count;
  }
}
