import { Batch } from './batch.js';
import { Outbox } from './outbox.js';
import type { SenderContext } from './sender.js';
import type { SpoolEntry } from './spool/spool.js';
import { type BatchOwner, joinTickets, type Spooler } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

/**
 * A batch that is written ahead. `writing`: on its way to disk. `memory`: on disk and at hand. `disk`: on disk only.
 * `reading`: on its way back.
 */
interface Staged {
  state: 'writing' | 'memory' | 'disk' | 'reading';
  batch: Batch | undefined;
  entry: SpoolEntry | undefined;
  first: number;
  readonly count: number;
  readonly ordinal: number;
}

/** So many batches are read from disk ahead of their turn. */
const READ_AHEAD = 8;

/**
 * An outbox whose batches are on disk before they are sent for the first time. Records of the queue become numbered
 * batches at every tick, connected or not, so an outage fills the disk and not the memory. While the disk refuses,
 * records wait in the queue and are sent from there.
 */
export class SpooledOutbox extends Outbox {
  override readonly isDurable = true;
  readonly #context: SenderContext;
  readonly #spooler: Spooler;
  readonly #owner: () => BatchOwner;
  #staged: Staged[] = [];
  #note: SpoolEntry | undefined;
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
  }

  override get isEmpty(): boolean {
    return super.isEmpty && this.#staged.length === 0;
  }

  override stage(force: boolean): void {
    super.stage(force);
    while (this.#spooler.accepts && this.queue.size > 0 && this.isRipe()) {
      const batch = this.queue.take(this.#context.limits);
      if (batch === undefined) return;
      this.number(batch);
      void this.#write(batch);
    }
  }

  override next(inFlight: number): Batch | undefined {
    if (this.again.length > 0) return this.again.shift();
    // While the disk refuses, and nothing older is on it, records are sent from memory.
    if (this.#staged.length === 0) return this.#spooler.isBroken ? super.next(inFlight) : undefined;
    this.#readAhead();
    return this.#takeReady(inFlight);
  }

  override opened(lastId: string): Promise<void> {
    return this.#spooler.note(this.#owner(), lastId).then((note) => {
      this.#note = note;
    });
  }

  override retire(): void {
    if (this.#note !== undefined) this.#spooler.release(this.#note);
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
    return Math.min(super.oldest(), this.#staged[0]?.ordinal ?? Infinity);
  }

  override giveUp(): void {
    this.#isGivenUp = true;
    const { account, limits } = this.#context;
    // Still on its way to disk, or refused by it. Should it be there twice, the guard takes it once.
    const batches: Batch[] = [];
    for (const { state, entry, batch } of this.#staged) {
      if (entry !== undefined || batch === undefined) continue;
      if (state === 'writing') account.staging -= batch.count;
      else account.inFlight -= batch.count;
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

  async #write(batch: Batch): Promise<void> {
    const { account } = this.#context;
    const { first, count, oldestOrdinal: ordinal } = batch;
    const staged: Staged = { state: 'writing', batch, entry: undefined, first, count, ordinal };
    this.#staged.push(staged);
    account.staging += count;
    this.#spooler.memoryBytes += batch.heldBytes;
    const entry = await this.#spooler.write(batch, this.#owner());
    if (this.#isGivenUp) return;
    account.staging -= count;
    // What the disk refuses is in memory alone, numbered and bound to be sent.
    if (entry === undefined) account.inFlight += count;
    else account.spooled += count;
    staged.entry = entry;
    staged.state = 'memory';
    if (entry !== undefined && this.#spooler.memoryIsFull) {
      this.#spooler.memoryBytes -= batch.heldBytes;
      staged.batch = undefined;
      staged.state = 'disk';
    }
    this.#context.poke();
  }

  #readAhead(): void {
    for (const staged of this.#staged.slice(0, READ_AHEAD)) {
      if (staged.state === 'disk') void this.#read(staged);
    }
  }

  async #read(staged: Staged): Promise<void> {
    staged.state = 'reading';
    const batch = staged.entry === undefined ? undefined : await this.#spooler.read(staged.entry);
    if (batch === undefined) {
      this.#lost(staged);
    } else {
      batch.first = staged.first;
      staged.batch = batch;
      staged.state = 'memory';
      this.#spooler.memoryBytes += batch.heldBytes;
    }
    this.#context.poke();
  }

  /** As many of the oldest batches as go into one write. */
  #takeReady(inFlight: number): Batch | undefined {
    const { limits, account } = this.#context;
    const parts: Batch[] = [];
    let count = 0;
    let bytes = 0;
    let spooled = 0;
    for (const { state, batch, entry } of this.#staged) {
      if (state !== 'memory' || batch === undefined) break;
      const isTooMuch = count + batch.count > limits.maxRecords || bytes + batch.byteLength > limits.maxBytes;
      if (parts.length > 0 && isTooMuch) break;
      parts.push(batch);
      if (entry !== undefined) spooled += batch.count;
      count += batch.count;
      bytes += batch.byteLength;
    }
    const more = this.#staged.length > parts.length || count >= limits.maxRecords;
    if (parts.length === 0 || (inFlight > 0 && !more)) return undefined;
    this.#staged.splice(0, parts.length);
    for (const part of parts) this.#spooler.memoryBytes -= part.heldBytes;
    account.spooled -= spooled;
    account.inFlight += spooled;
    return join(parts, { count, bytes });
  }

  /** What was written and cannot be read again. Its numbers never come. */
  #lost(staged: Staged): void {
    this.#staged.splice(this.#staged.indexOf(staged), 1);
    this.#context.account.spooled -= staged.count;
    this.#context.account.drop('spool_unreadable', staged.count);
    if (staged.entry !== undefined) this.#spooler.release(staged.entry);
    this.#context.settled();
  }
}

function join(parts: readonly Batch[], size: { count: number; bytes: number }): Batch | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const joined = new Batch(size.count, size.bytes);
  for (const part of parts) {
    for (let index = 0; index < part.count; index++) joined.add(part.entry(index));
    joined.wasSent ||= part.wasSent;
  }
  joined.first = first.first;
  joined.ticket = joinTickets(parts);
  return joined;
}
