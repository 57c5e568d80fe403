import type { LeftBatches, LeftEntry } from './left-batches.js';
import { Outbox } from './outbox.js';
import type { SenderContext } from './sender.js';
import type { SpoolEntry } from './spool/spool.js';
import { readBatch, type Spooler } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

/** So many batches are in memory at once. */
const READ_AHEAD = 8;

/** Batches of an earlier process, in the order of their numbers, as something to be sent again. */
export class ReplayOutbox extends Outbox {
  override readonly isDurable = true;
  readonly #context: SenderContext;
  readonly #left: LeftBatches;
  readonly #spooler: Spooler;
  #entries: LeftEntry[];
  #note: SpoolEntry | undefined;
  #isReading = false;
  #isRenumbered = false;

  constructor(queue: StreamQueue, context: SenderContext, replay: { left: LeftBatches; spooler: Spooler }) {
    super(queue, context);
    this.#context = context;
    this.#left = replay.left;
    this.#spooler = replay.spooler;
    this.#entries = [...replay.left.batches];
    for (const { entry } of this.#entries) {
      this.skipTo(entry.first + entry.count - 1);
      context.account.recovered += entry.count;
      context.account.spooled += entry.count;
    }
  }

  override get isEmpty(): boolean {
    return super.isEmpty && this.#entries.length === 0;
  }

  override next(): ReturnType<Outbox['next']> {
    if (this.again.length > 0) return this.again.shift();
    if (!this.#isReading && this.#entries.length > 0) void this.#read();
    return undefined;
  }

  /** It begins to send only now: should this process die as well, the next one must know. */
  override async opened(lastId: string): Promise<void> {
    const { stream, producer } = this.#left;
    this.#note = await this.#spooler.note({ stream, producer, holes: 0, shed: 0 }, lastId);
  }

  override retire(): void {
    if (this.#note !== undefined) this.#spooler.release(this.#note);
    for (const { entry, shelf } of this.#left.notes) shelf.release(entry);
  }

  override renumber(): void {
    this.#isRenumbered = true;
    super.renumber();
  }

  override oldest(): number {
    return this.#entries.length > 0 ? 0 : super.oldest();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    const { account } = this.#context;
    const entries = this.#entries.slice(0, READ_AHEAD);
    const batches = await Promise.all(entries.map(({ entry, shelf }) => readBatch(shelf, entry)));
    this.#entries.splice(0, entries.length);
    for (const [index, { entry, shelf }] of entries.entries()) {
      const batch = batches[index];
      account.spooled -= entry.count;
      if (batch === undefined) {
        account.drop('spool_unreadable', entry.count);
        shelf.release(entry);
        continue;
      }
      account.inFlight += entry.count;
      // It may have been sent before that process ended: nobody knows.
      batch.wasSent = true;
      if (this.#isRenumbered) this.number(batch);
      this.again.push(batch);
    }
    this.#isReading = false;
    this.#context.poke();
    this.#context.settled();
  }
}
