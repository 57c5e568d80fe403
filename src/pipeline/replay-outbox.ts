import type { Batch } from './batch.js';
import { Joining } from './joined-batch.js';
import type { LeftBatches, LeftEntry } from './left-batches.js';
import { Outbox } from './outbox.js';
import type { SenderContext } from './sender.js';
import type { SpoolEntry } from './spool/spool.js';
import { type Spooler, UNGUARDED } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

/** Batches of an earlier process, in the order of their numbers, as something to be sent again. */
export class ReplayOutbox extends Outbox {
  override readonly isDurable = true;
  readonly #context: SenderContext;
  readonly #left: LeftBatches;
  readonly #spooler: Spooler;
  readonly #entries: readonly LeftEntry[];
  /** How many of them have been read. */
  #read = 0;
  #notes: SpoolEntry[] = [];
  #isReading = false;
  #isRenumbered = false;
  #isGivenUp = false;
  /** Counted as possible duplicates already. */
  #isDoubted = false;

  constructor(queue: StreamQueue, context: SenderContext, replay: { left: LeftBatches; spooler: Spooler }) {
    super(queue, context);
    this.#context = context;
    this.#left = replay.left;
    this.#spooler = replay.spooler;
    this.#entries = replay.left.batches;
    for (const { entry } of this.#entries) {
      this.skipTo(entry.first + entry.count - 1);
      context.account.recovered += entry.count;
      context.account.spooled += entry.count;
    }
  }

  override get isEmpty(): boolean {
    return super.isEmpty && !this.#hasMore && !this.#isReading;
  }

  get #hasMore(): boolean {
    return this.#read < this.#entries.length;
  }

  override next(): Batch | undefined {
    const { maxInFlight } = this.#context.limits;
    if (!this.#isReading && this.#hasMore && this.again.length < maxInFlight) void this.#readAhead();
    return this.again.shift();
  }

  /** Records that are still to be read. */
  get #unread(): number {
    return this.#entries.slice(this.#read).reduce((sum, { entry }) => sum + entry.count, 0);
  }

  /** It begins to send only now: should this process die as well, the next one must know. */
  override opened(lastId: string): Promise<void> {
    // A guard begins here that knows nothing of what was sent without one.
    if (this.#left.isUnguarded && !this.#isDoubted) {
      this.#isDoubted = true;
      this.#context.account.possibleDuplicates += this.#unread;
    }
    return this.#note(lastId, 0);
  }

  override unguarded(): Promise<void> {
    return this.#note('0-0', UNGUARDED);
  }

  async #note(lastId: string, holes: number): Promise<void> {
    const { stream, producer } = this.#left;
    const note = await this.#spooler.note({ stream, producer, holes, shed: 0 }, lastId);
    if (note !== undefined) this.#notes.push(note);
  }

  override retire(): void {
    for (const note of this.#notes.splice(0)) this.#spooler.release(note);
    for (const { entry, shelf } of this.#left.notes) shelf.release(entry);
  }

  override renumber(): void {
    this.#isRenumbered = true;
    super.renumber();
  }

  override giveUp(): void {
    this.#isGivenUp = true;
  }

  override oldest(): number {
    return this.#hasMore || this.#isReading ? 0 : super.oldest();
  }

  /** Reads as much as may be on its way to Redis at once, and joins what was written in small pieces. */
  async #readAhead(): Promise<void> {
    this.#isReading = true;
    const { limits } = this.#context;
    const group: LeftEntry[] = [];
    let records = limits.maxRecords * limits.maxInFlight;
    let bytes = limits.maxBytes * limits.maxInFlight;
    for (; this.#hasMore && records > 0 && bytes > 0; this.#read++) {
      const next = this.#entries[this.#read] as LeftEntry;
      group.push(next);
      records -= next.entry.count;
      bytes -= next.entry.bytes;
    }
    const batches = await Promise.all(group.map(({ entry, shelf }) => this.#spooler.read(entry, shelf)));
    // Then they stay where they are, for the next process.
    if (this.#isGivenUp) return;
    let joining = new Joining(limits);
    for (const [index, left] of group.entries()) {
      const batch = this.#brought(left, batches[index]);
      if (batch === undefined || joining.add(batch)) continue;
      this.#push(joining);
      joining = new Joining(limits);
      joining.add(batch);
    }
    this.#push(joining);
    this.#isReading = false;
    this.#context.poke();
    this.#context.settled();
  }

  #brought({ entry, shelf }: LeftEntry, batch: Batch | undefined): Batch | undefined {
    const { account } = this.#context;
    if (batch === undefined) {
      this.unreadable(entry.count);
      shelf.release(entry);
      return undefined;
    }
    account.spooled -= entry.count;
    account.inFlight += entry.count;
    // It may have been sent before that process ended: nobody knows.
    batch.wasSent = true;
    return batch;
  }

  #push(joining: Joining): void {
    const batch = joining.join();
    if (batch === undefined) return;
    if (this.#isRenumbered) {
      this.number(batch);
      if (!this.#isDoubted) this.#context.account.possibleDuplicates += batch.count;
    }
    this.again.push(batch);
  }
}
