import type { Batch } from './batch.js';
import type { Outbox } from './outbox.js';
import type { Failure, PlainReply } from './ports.js';
import { Backoff } from './runtime.js';
import type { Sender, SenderContext, SenderSetup } from './sender.js';
import type { StreamQueue } from './stream-queue.js';

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
  #inFlight: Batch[] = [];
  #state: 'open' | 'paused' | 'abandoned' = 'open';

  constructor(stream: string, context: SenderContext, setup: SenderSetup) {
    this.stream = stream;
    this.#context = context;
    this.#producer = setup.resume?.producer ?? context.newProducerId();
    this.#outbox = setup.makeOutbox(() => ({ stream, producer: this.#producer, holes: 0, shed: 0 }));
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
    if (this.#context.store.state !== 'ready') return;
    while (this.#state === 'open' && this.#inFlight.length < this.#context.limits.maxInFlight) {
      const batch = this.#outbox.next(this.#inFlight.length);
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
    if (batch.wasSent) {
      account.retried += batch.count;
      account.possibleDuplicates += batch.count;
    }
    this.#inFlight.push(batch);
    const reply = await store.appendPlain(this.stream, this.#producer, batch);
    if (this.#state === 'abandoned') return;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    this.#settle(batch, reply);
    this.pump(false);
    this.#context.settled();
  }

  #settle(batch: Batch, reply: PlainReply): void {
    if (reply.status === 'failed') {
      this.#sendAgain(batch, reply.failure);
      this.#pause(reply.failure);
      return;
    }
    const failure = this.#sort(batch, reply.failures);
    if (failure !== undefined) {
      this.#pause(failure);
      return;
    }
    this.#backoff.reset();
    this.#context.trouble(this.stream, undefined);
  }

  /** Each record on its own: stored, bad, or to be sent again. Returns a failure that calls for a pause. */
  #sort(batch: Batch, failures: readonly (Failure | undefined)[]): Failure | undefined {
    const { account } = this.#context;
    if (failures.length === 0) {
      account.inFlight -= batch.count;
      account.delivered += batch.count;
      batch.ticket?.settle(batch.count);
      return undefined;
    }
    let failed: Failure | undefined;
    for (let index = 0; index < batch.count; index++) {
      const reason = failures[index];
      const number = batch.first + index;
      if (reason === undefined) {
        account.inFlight--;
        account.delivered++;
        batch.ticket?.settle(1);
      } else if (reason.kind === 'record') {
        account.inFlight--;
        account.drop('rejected');
        batch.ticket?.settle(1);
        this.#context.dropped(batch.entry(index), 'rejected');
        this.#context.trouble(this.stream, reason);
      } else {
        let end = index;
        while (isSameFate(failures[end + 1], reason)) end++;
        this.#sendAgain(batch.slice(number, batch.first + end), reason);
        failed = reason;
        index = end;
      }
    }
    return failed;
  }

  #sendAgain(batch: Batch, failure: Failure): void {
    if (failure.persisted === 'possibly') batch.wasSent = true;
    const { again } = this.#outbox;
    const later = again.findIndex((other) => other.first > batch.first);
    again.splice(later === -1 ? again.length : later, 0, batch);
  }

  #pause(failure: Failure): void {
    this.#context.trouble(this.stream, failure);
    // A lost connection waits by itself before it is made again.
    if (this.#state !== 'open' || this.#context.store.state !== 'ready') return;
    this.#state = 'paused';
    this.#context.runtime.after(this.#backoff.next(), () => {
      if (this.#state !== 'paused') return;
      this.#state = 'open';
      this.pump(false);
    });
  }
}

function isSameFate(failure: Failure | undefined, other: Failure): boolean {
  return failure?.kind === other.kind && failure.persisted === other.persisted;
}
