import type { Batch } from './batch.js';
import { DoubtedRecords, type Refusal } from './doubted-records.js';
import type { Outbox } from './outbox.js';
import { type Failure, NODE, type PlainReply, UNSENT } from './ports.js';
import { Backoff } from './runtime.js';
import type { Sender, SenderContext, SenderSetup } from './sender.js';
import { UNGUARDED } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

const NOT_SENT = new Set([NODE, UNSENT]);

/**
 * At least once: plain commands, several batches on their way, and no guard. What a lost connection leaves unknown is
 * sent again and may then be stored twice; it is counted as such. Every batch is judged by its own reply, however late
 * that is.
 */
export class PlainSender implements Sender {
  readonly stream: string;
  readonly #context: SenderContext;
  readonly #outbox: Outbox;
  readonly #producer: string;
  readonly #backoff: Backoff;
  readonly #doubts = new DoubtedRecords();
  /** Batches that the server refused, or parts of them. */
  readonly #refused = new WeakSet<Batch>();
  #inFlight: Batch[] = [];
  #state: 'open' | 'paused' | 'abandoned' = 'open';

  constructor(stream: string, context: SenderContext, setup: SenderSetup) {
    this.stream = stream;
    this.#context = context;
    this.#producer = setup.resume?.producer ?? context.newProducerId();
    this.#outbox = setup.makeOutbox(() => ({ stream, producer: this.#producer, holes: UNGUARDED, shed: 0 }));
    this.#backoff = new Backoff(context.runtime.random, 100, 5_000);
  }

  get queue(): StreamQueue {
    return this.#outbox.queue;
  }

  stage(force: boolean): void {
    this.#outbox.stage(force);
  }

  pump(force: boolean): void {
    this.#outbox.stage(force);
    this.#fill(this.#context.limits.maxInFlight, this.#inFlight.length);
  }

  /** Sends until `most` batches are on their way; the queue is asked as if `busy` of them were. */
  #fill(most: number, busy: number): void {
    if (this.#context.store.state !== 'ready') return;
    while (this.#state === 'open' && this.#inFlight.length < most) {
      const batch = this.#outbox.next(busy++);
      if (batch === undefined) return;
      void this.#send(batch);
    }
  }

  disconnected(): void {
    // The replies of what was on its way still come, as failures, and say which records they leave unknown.
  }

  oldestPending(): number {
    let oldest = this.#outbox.oldest();
    for (const batch of this.#inFlight) oldest = Math.min(oldest, batch.oldestOrdinal);
    return oldest;
  }

  countShed(): void {
    // Without a guard there is no place to tell readers of it; the account has it.
  }

  get isDone(): boolean {
    return this.#outbox.isEmpty && this.#inFlight.length === 0;
  }

  retire(): void {
    this.#outbox.retire();
  }

  confirm(): Promise<boolean> {
    return Promise.resolve(true);
  }

  abandon(): void {
    this.#state = 'abandoned';
    this.#outbox.giveUp();
    for (const batch of this.#inFlight) batch.wasSent = true;
    this.#outbox.giveUpBatches([...this.#inFlight.splice(0), ...this.#outbox.again.splice(0)]);
  }

  async #send(batch: Batch): Promise<void> {
    const { account, store } = this.#context;
    if (batch.wasSent || this.#refused.has(batch)) account.retried += batch.count;
    if (batch.wasSent) account.possibleDuplicates += batch.count;
    this.#inFlight.push(batch);
    const request = this.#doubts.sending();
    const reply = await store.appendPlain(this.stream, this.#producer, batch);
    if (this.#state === 'abandoned') return;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    this.#settle(batch, request, reply);
    this.pump(false);
    this.#context.settled();
  }

  #settle(batch: Batch, request: number, reply: PlainReply): void {
    if (reply.status === 'failed') {
      this.#sendAgain(batch, reply.failure);
      this.#pause(reply.failure);
      return;
    }
    if (reply.failures.length === 0) this.#stored(batch, request);
    else if (this.#sort(batch, request, reply)) return;
    this.#backoff.reset();
    this.#context.trouble(this.stream, undefined);
  }

  #stored(batch: Batch, request: number): void {
    const { account } = this.#context;
    account.inFlight -= batch.count;
    account.delivered += batch.count;
    this.#doubts.passed(request, batch.count);
    this.#doubts.settled(batch.first, batch.last);
    batch.ticket?.settle(batch.count);
  }

  /** Each record on its own: stored, bad, or to be sent again. Returns whether any is to be sent again. */
  #sort(batch: Batch, request: number, { failures, tookRest }: Answered): boolean {
    const indexes = Array.from({ length: batch.count }, (_, index) => index);
    const lastPassed = indexes.findLast((index) => failures[index] === undefined) ?? -1;
    const passed = indexes.filter((index) => failures[index] === undefined).length;
    this.#doubts.passed(request, passed);
    const again: Run[] = [];
    for (const index of indexes) {
      const number = batch.first + index;
      const failure = failures[index];
      const tookLater = index < lastPassed || tookRest === true;
      const hasLater = index < batch.count - 1 || tookRest !== undefined;
      if (failure === undefined) this.#storedOne(batch, number);
      else if (this.#isBad(failure, number, { request, passed, hasLater, tookLater }))
        this.#setAside(batch, number, failure);
      else extend(again, number, failure);
    }
    for (const { first, last, failure } of again) this.#sendAgain(batch.slice(first, last), failure);
    const failure = again.at(-1)?.failure;
    // Where others of the same batch were stored it is about some records, and told when they are given up.
    if (failure !== undefined) this.#pause(failure, failure.refusal !== 'answered' || passed === 0);
    return failure !== undefined;
  }

  #isBad(failure: Failure, number: number, refusal: Refusal): boolean {
    if (failure.kind === 'record') return true;
    return failure.refusal === 'answered' && this.#doubts.isToBeSetAside(number, refusal);
  }

  #storedOne(batch: Batch, number: number): void {
    this.#context.account.inFlight--;
    this.#context.account.delivered++;
    this.#doubts.settled(number);
    batch.ticket?.settle(1);
  }

  #setAside(batch: Batch, number: number, failure: Failure): void {
    const { account } = this.#context;
    account.inFlight--;
    account.drop('rejected');
    this.#doubts.settled(number);
    batch.ticket?.settle(1);
    this.#context.dropped(batch.entry(number - batch.first), 'rejected');
    this.#context.trouble(this.stream, { ...failure, kind: 'record' });
  }

  #sendAgain(batch: Batch, failure: Failure): void {
    if (failure.persisted === 'possibly') batch.wasSent = true;
    else if (!NOT_SENT.has(failure.token)) this.#refused.add(batch);
    const { again } = this.#outbox;
    const later = again.findIndex((other) => other.first > batch.first);
    again.splice(later === -1 ? again.length : later, 0, batch);
  }

  #pause(failure: Failure, isTold = true): void {
    if (isTold) this.#context.trouble(this.stream, failure);
    // A lost connection waits by itself before it is made again.
    if (this.#state !== 'open' || this.#context.store.state !== 'ready') return;
    this.#state = 'paused';
    this.#context.runtime.after(this.#backoff.next(), () => {
      if (this.#state !== 'paused') return;
      this.#state = 'open';
      if (this.#doubts.size > 0) this.#sendDoubted();
      this.pump(false);
    });
  }

  /**
   * What was refused goes again all at once, and something else with it, if there is any: only then does another
   * refusal tell whether it is about these records. Once a whole batch's worth is in doubt it goes without.
   */
  #sendDoubted(): void {
    const { maxRecords } = this.#context.limits;
    const company = this.#doubts.size < maxRecords ? 1 : 0;
    const doubted = this.#outbox.again.length;
    this.#fill(this.#inFlight.length + doubted + company, -doubted);
  }
}

type Answered = Extract<PlainReply, { status: 'answered' }>;

/** Records in a row, from number to number, that are sent again for the same reason. */
interface Run {
  readonly first: number;
  last: number;
  readonly failure: Failure;
}

function extend(runs: Run[], number: number, failure: Failure): void {
  const run = runs.at(-1);
  const isSame = run?.failure.token === failure.token && run.failure.persisted === failure.persisted;
  if (run !== undefined && isSame && run.last === number - 1) run.last = number;
  else runs.push({ first: number, last: number, failure });
}
