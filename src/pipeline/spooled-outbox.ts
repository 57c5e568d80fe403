import type { Batch, BatchLimits } from './batch.js';
import { Fifo } from './fifo.js';
import { Joining } from './joined-batch.js';
import { Outbox } from './outbox.js';
import type { SenderContext } from './sender.js';
import type { SpoolEntry } from './spool/spool.js';
import { type BatchOwner, RETRY_MS, type Spooler } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

/**
 * A batch that is written ahead. `writing`: on its way to disk. `refused`: the disk did not take it, and it is in memory
 * alone. `memory`: on disk and at hand. `disk`: on disk only. `reading`: on its way back.
 */
interface Staged {
  state: 'writing' | 'refused' | 'memory' | 'disk' | 'reading';
  batch: Batch | undefined;
  entry: SpoolEntry | undefined;
  first: number;
  readonly count: number;
  readonly ordinal: number;
}

/**
 * An outbox whose batches are on disk before they are sent for the first time. Records of the queue become numbered
 * batches at every tick, connected or not, so an outage fills the disk and not the memory.
 *
 * While a batch is being written, what comes meanwhile waits in the queue and makes the next one, unless it is enough
 * for a full batch. While the disk refuses, records stay in the queue, under its bound, and are sent from there when
 * nothing older is left.
 */
export class SpooledOutbox extends Outbox {
  override readonly isDurable = true;
  readonly #context: SenderContext;
  readonly #spooler: Spooler;
  readonly #owner: () => BatchOwner;
  readonly #limits: BatchLimits;
  readonly #staged = new Fifo<Staged>();
  #notes: SpoolEntry[] = [];
  /** What the disk did not take a note of. */
  #unnoted: string | undefined;
  #refused: Staged[] = [];
  #writing = 0;
  /** How many of {@link #staged} are on disk only. */
  #onDisk = 0;
  #isReading = false;
  #retryIsDue = false;
  #isGivenUp = false;

  constructor(
    queue: StreamQueue,
    context: SenderContext,
    spool: { spooler: Spooler; owner: () => BatchOwner },
  ) {
    super(queue, context);
    this.#context = context;
    this.#spooler = spool.spooler;
    this.#owner = spool.owner;
    this.#limits = spool.spooler.limitsOf(context.limits);
  }

  override get isEmpty(): boolean {
    return super.isEmpty && this.#staged.length === 0;
  }

  override stage(force: boolean): void {
    if (this.#isGivenUp) return;
    super.stage(force);
    if (!this.#spooler.mayWrite) return;
    // In their order, and nothing behind them before they are written, or sent.
    if (this.#refused.length > 0) {
      for (const staged of this.#refused.splice(0)) void this.#write(staged);
      return;
    }
    while (this.#spooler.hasRoom && this.queue.size > 0 && this.isRipe()) {
      if (this.#writing > 0 && (this.#spooler.isBroken || !this.isFull())) return;
      const batch = this.queue.take(this.#limits);
      if (batch === undefined) return;
      this.number(batch);
      this.#stage(batch);
    }
  }

  override next(inFlight: number): Batch | undefined {
    if (this.again.length > 0) return this.again.shift();
    // While the disk refuses, and nothing older is on it, records are sent from memory.
    if (this.#staged.length === 0) return this.#spooler.isBroken ? super.next(inFlight) : undefined;
    if (this.#onDisk > 0 && !this.#isReading) void this.#readAhead();
    return this.#takeReady(inFlight);
  }

  override async opened(lastId: string): Promise<void> {
    this.#unnoted = undefined;
    const note = await this.#spooler.note(this.#owner(), lastId);
    // Made up for as soon as the disk takes something.
    if (note === undefined) this.#unnoted = lastId;
    else this.#notes.push(note);
  }

  /** Whose batches they are says it already. */
  override unguarded(): Promise<void> {
    return this.opened('0-0');
  }

  override retire(): void {
    for (const note of this.#notes.splice(0)) this.#spooler.release(note);
  }

  override renumber(): void {
    super.renumber();
    for (const staged of this.#staged) {
      staged.first = this.numbered + 1;
      if (staged.batch !== undefined) staged.batch.first = staged.first;
      this.skipTo(this.numbered + staged.count);
    }
  }

  override oldest(): number {
    return Math.min(super.oldest(), this.#staged.first?.ordinal ?? Infinity);
  }

  override giveUp(): void {
    this.#isGivenUp = true;
    const { account, limits } = this.#context;
    // Still on its way to disk, or refused by it. Should it be there twice, the guard takes it once.
    const batches: Batch[] = [];
    for (const { entry, batch } of this.#staged) {
      if (entry !== undefined || batch === undefined) continue;
      this.#spooler.unstage(batch);
      batches.push(batch);
    }
    for (let batch = this.queue.take(limits); batch !== undefined; batch = this.queue.take(limits)) {
      this.number(batch);
      batches.push(batch);
    }
    const written = this.#spooler.writeSync(batches, this.#owner());
    for (const [index, batch] of batches.entries()) {
      if (written[index] === true) account.spooled += batch.count;
      else this.drop(batch);
    }
  }

  #stage(batch: Batch): void {
    const { first, count, oldestOrdinal: ordinal } = batch;
    const staged: Staged = { state: 'writing', batch, entry: undefined, first, count, ordinal };
    this.#staged.push(staged);
    this.#spooler.stage(batch);
    void this.#write(staged);
  }

  async #write(staged: Staged): Promise<void> {
    const { batch, count } = staged;
    if (batch === undefined) return;
    staged.state = 'writing';
    this.#writing++;
    const entry = await this.#spooler.write(batch, this.#owner());
    this.#writing--;
    if (this.#isGivenUp) return;
    if (entry === undefined) {
      staged.state = 'refused';
      this.#refused.push(staged);
      this.#tryLater();
    } else {
      this.#spooler.unstage(batch);
      this.#context.account.spooled += count;
      staged.entry = entry;
      this.#keepOrLeave(staged, batch);
      if (this.#unnoted !== undefined) void this.opened(this.#unnoted);
    }
    this.#context.poke();
  }

  /** What fits into memory need not be read again. */
  #keepOrLeave(staged: Staged, batch: Batch): void {
    if (!this.#spooler.memoryIsFull) {
      staged.state = 'memory';
      this.#spooler.memoryBytes += batch.heldBytes;
      return;
    }
    staged.state = 'disk';
    staged.batch = undefined;
    this.#onDisk++;
  }

  /** The disk may have room again before anything else happens. */
  #tryLater(): void {
    if (this.#retryIsDue) return;
    this.#retryIsDue = true;
    this.#context.runtime.after(RETRY_MS, () => {
      this.#retryIsDue = false;
      this.#context.poke();
    });
  }

  /** Reads as much of what comes next as may be on its way to Redis at once. */
  async #readAhead(): Promise<void> {
    const { limits, poke } = this.#context;
    const group: Staged[] = [];
    let records = limits.maxRecords * limits.maxInFlight;
    let bytes = limits.maxBytes * limits.maxInFlight;
    for (const staged of this.#staged) {
      if (records <= 0 || bytes <= 0) break;
      records -= staged.count;
      bytes -= staged.entry?.bytes ?? 0;
      if (staged.state === 'disk') group.push(staged);
    }
    if (group.length === 0) return;
    this.#isReading = true;
    await Promise.all(group.map((staged) => this.#read(staged)));
    this.#isReading = false;
    poke();
  }

  async #read(staged: Staged): Promise<void> {
    staged.state = 'reading';
    this.#onDisk--;
    const batch = staged.entry === undefined ? undefined : await this.#spooler.read(staged.entry);
    // Then it stays where it is, for the next process.
    if (this.#isGivenUp) return;
    if (batch === undefined) return this.#lost(staged);
    batch.first = staged.first;
    staged.batch = batch;
    staged.state = 'memory';
    this.#spooler.memoryBytes += batch.heldBytes;
  }

  /** As many of the oldest batches as go into one request. A busy line takes only full ones. */
  #takeReady(inFlight: number): Batch | undefined {
    const joining = new Joining(this.#context.limits);
    let isCut = false;
    for (const { state, batch } of this.#staged) {
      if ((state !== 'memory' && state !== 'refused') || batch === undefined) break;
      isCut = !joining.add(batch);
      if (isCut) break;
    }
    const { parts, isFull } = joining;
    if (parts.length === 0 || (inFlight > 0 && !isCut && !isFull)) return undefined;
    for (let index = 0; index < parts.length; index++) this.#taken(this.#staged.at(index));
    this.#staged.drop(parts.length);
    return joining.join();
  }

  #taken(staged: Staged | undefined): void {
    const batch = staged?.batch;
    if (staged === undefined || batch === undefined) return;
    const { account } = this.#context;
    account.inFlight += staged.count;
    if (staged.entry === undefined) {
      this.#spooler.unstage(batch);
      this.#refused = this.#refused.filter((other) => other !== staged);
    } else {
      this.#spooler.memoryBytes -= batch.heldBytes;
      account.spooled -= staged.count;
    }
  }

  /** What was written and cannot be read again. Its numbers never come. */
  #lost(staged: Staged): void {
    this.#staged.remove(staged);
    this.unreadable(staged.count);
    if (staged.entry !== undefined) this.#spooler.release(staged.entry);
    this.#context.settled();
  }
}
