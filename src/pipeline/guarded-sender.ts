import type { Batch } from './batch.js';
import type { RetainBudget } from './kept-window.js';
import type { Outbox } from './outbox.js';
import { GUARD_IS_LOST, OpeningWaits } from './opening-waits.js';
import type { AppendReply, AppendRequest, Failure, OpenReply } from './ports.js';
import { ProducerIdentity } from './producer-identity.js';
import { ProducerLedger } from './producer-ledger.js';
import { RefusedBatches } from './refused-batches.js';
import type { Sender, SenderContext, SenderSetup } from './sender.js';
import { type BatchOwner, UNGUARDED } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

/**
 * Exactly once: the producer's side of the guard protocol (docs/exactly-once.md).
 *
 * States. `closed`: nothing that was sent counts as sent; the truth is not known. `opening`: OPEN is on its way.
 * `open`: the guard stands at `position` once everything on its way has been executed, and batches go out.
 * `paused`: something failed, and the next OPEN waits. Every way out of `open` starts a new generation, and replies
 * of an old generation are ignored: a new OPEN finds out what became of their requests.
 */
export class GuardedSender implements Sender {
  readonly stream: string;
  readonly #context: SenderContext;
  readonly #ledger: ProducerLedger;
  readonly #identity: ProducerIdentity;
  readonly #waits: OpeningWaits;
  readonly #refused: RefusedBatches;
  #state: 'closed' | 'opening' | 'open' | 'paused' | 'abandoned' | 'handed-over' = 'closed';
  #generation = 0;
  #inFlight: Batch[] = [];
  #position = 0;

  constructor(stream: string, context: SenderContext & { retain: RetainBudget }, setup: SenderSetup) {
    this.stream = stream;
    this.#context = context;
    this.#waits = new OpeningWaits(context.runtime.random);
    this.#identity = new ProducerIdentity(context.newProducerId, setup.resume);
    const outbox = setup.makeOutbox(() => this.#owner());
    this.#ledger = new ProducerLedger(outbox, context, () => this.confirm());
    this.#refused = new RefusedBatches(stream, this.#ledger, context);
  }

  get queue(): StreamQueue {
    return this.#ledger.outbox.queue;
  }

  get producer(): string {
    return this.#identity.id;
  }

  stage(force: boolean): void {
    this.#ledger.outbox.stage(force);
  }

  pump(force: boolean): void {
    this.stage(force);
    if (this.#context.store.state !== 'ready') return;
    // Also with nothing to send: what was acknowledged may have been lost with the old connection's server.
    const mustOpen = !this.#identity.isFresh || !this.#ledger.outbox.isEmpty;
    if (this.#state === 'closed' && mustOpen && !this.#refused.isHeld) void this.#open();
    while (this.#state === 'open' && this.#inFlight.length < this.#refused.maxInFlight) {
      const batch = this.#ledger.outbox.next(this.#inFlight.length);
      if (batch === undefined) return;
      if (batch.first <= this.#position) this.#skipStored(batch);
      else void this.#send(batch);
    }
  }

  /** Read from disk only after the guard had told where it stands: that covers this batch, or its head. */
  #skipStored(batch: Batch): void {
    this.#ledger.outbox.again.unshift(batch);
    this.#rewind(this.#position, 'an-earlier-try');
    this.#context.settled();
  }

  disconnected(): void {
    if (this.#state !== 'abandoned') this.#stop('closed');
  }

  oldestPending(): number {
    return Math.min(this.#ledger.outbox.oldest(), ...this.#inFlight.map((batch) => batch.oldestOrdinal));
  }

  countShed(): void {
    this.#ledger.shed++;
  }

  async confirm(): Promise<boolean> {
    const { state } = this.#context.store;
    if (this.#identity.isFresh || state === 'closed') return true;
    // Without a connection nobody can be asked; a failover may be why, and may have forgotten what is still kept.
    if (state !== 'ready') return !this.#ledger.hasKept;
    if (this.#state !== 'open') return false;
    const generation = this.#generation;
    const reply = await this.#context.store.append(this.#request(undefined, this.#position));
    if (generation === this.#generation) {
      if (reply.status === 'written' || reply.status === 'already') return true;
      this.#settle(undefined, reply);
    }
    return this.#ledger.isHandedOver;
  }

  abandon(): void {
    this.#stop('closed');
    this.#state = 'abandoned';
    this.#ledger.abandon();
  }

  get isDone(): boolean {
    return this.#ledger.outbox.isEmpty && this.#inFlight.length === 0;
  }

  retire(): void {
    this.#ledger.outbox.retire();
  }

  /** What waits to be sent, for a sender that takes this one's place. */
  handOver(): Outbox {
    this.#stop('closed');
    this.#state = 'handed-over';
    return this.#ledger.handOver();
  }

  async #open(): Promise<void> {
    if (this.#identity.isSpent) this.#renew();
    this.#state = 'opening';
    const generation = ++this.#generation;
    const reply = await this.#context.store.open({
      stream: this.stream,
      ...this.#identity.nextOpen(this.#ledger.outbox.isDurable),
      shed: this.#ledger.shed,
      searchable: this.#context.searchable,
    });
    if (generation === this.#generation) this.#opened(reply);
  }

  #opened(reply: OpenReply): void {
    this.#identity.openAnswered(reply.status === 'failed' && reply.failure.persisted === 'possibly');
    switch (reply.status) {
      case 'guard':
        if (this.#identity.catchUp(reply.epoch)) {
          this.#state = 'closed';
          break;
        }
        if (this.#identity.isFresh) this.#identity.begunAt(reply.lastId);
        this.#beOpen(reply.seq);
        // With nothing left to send no batch will come to say that it works.
        if (this.#ledger.outbox.isEmpty) this.#context.trouble(this.stream, undefined);
        break;
      case 'last-id':
        return void this.#noteBegin(reply.lastId);
      case 'cannot-tell':
        this.#cannotTell();
        break;
      case 'failed':
        this.#failed(reply.failure);
    }
    this.pump(false);
    this.#context.settled();
  }

  #cannotTell(): void {
    if (this.#identity.mayBegin()) return this.#stop('closed');
    this.#renew();
    const waitMs = this.#waits.afterRenewal();
    if (waitMs !== undefined) this.#context.trouble(this.stream, GUARD_IS_LOST);
    this.#pauseOrStop(waitMs);
  }

  /** Another id takes over, since nobody can tell what is there of this one. */
  #renew(): void {
    this.#ledger.renew();
    this.#identity.renew();
  }

  /** Nothing is sent before it is noted on disk that something may have been, and behind which id. */
  async #noteBegin(lastId: string): Promise<void> {
    const generation = this.#generation;
    await this.#ledger.outbox.opened(lastId);
    if (generation !== this.#generation) return;
    this.#identity.noted(lastId);
    this.#state = 'closed';
    this.pump(false);
  }

  #beOpen(seq: number): void {
    this.#rewind(seq, 'an-earlier-try');
    this.#ledger.guardIsKnown = true;
    this.#state = 'open';
    if (this.#refused.judge()) this.#waits.gotFurther();
  }

  #owner(): BatchOwner {
    const { holes, shed } = this.#ledger;
    const known = this.#state === 'handed-over' ? UNGUARDED : holes;
    return { stream: this.stream, producer: this.#identity.id, holes: known, shed };
  }

  async #send(batch: Batch): Promise<void> {
    const request = this.#request(batch, this.#position);
    const generation = this.#generation;
    if (batch.wasSent) this.#context.account.retried += batch.count;
    batch.wasSent = true;
    this.#identity.sending();
    this.#position = batch.last;
    this.#inFlight.push(batch);
    const reply = await this.#context.store.append(request);
    // Also where the connection is gone, and the reply no answer any more.
    const first = this.#inFlight[0] ?? this.#ledger.outbox.again[0];
    if (reply.status === 'failed' && batch === first) this.#refused.struck(batch, reply.failure);
    if (generation === this.#generation) this.#settle(batch, reply);
  }

  #request(batch: Batch | undefined, prev: number): AppendRequest {
    return { ...this.#owner(), epoch: this.#identity.epoch, prev, batch };
  }

  #settle(batch: Batch | undefined, reply: AppendReply): void {
    switch (reply.status) {
      case 'written':
        if (batch === undefined) break;
        this.#identity.acknowledged(reply.lastId);
        this.#ledger.deliver(batch);
        this.#delivered(batch);
        break;
      case 'already':
        if (batch === undefined) break;
        this.#ledger.foundStored(batch);
        this.#delivered(batch);
        break;
      case 'refused':
      case 'absent':
        this.#reopen();
        break;
      case 'bad':
        this.#setAside(reply.appended, reply.number, reply.failure);
        break;
      case 'failed':
        this.#failed(reply.failure);
    }
    this.pump(false);
    this.#context.settled();
  }

  #delivered(batch: Batch): void {
    this.#inFlight = this.#inFlight.filter((other) => other !== batch);
    this.#waits.delivered();
    this.#refused.passed(batch);
    this.#context.trouble(this.stream, undefined);
  }

  #rewind(number: number, storedBy: Parameters<ProducerLedger['rewind']>[1]): void {
    this.#ledger.rewind(number, storedBy);
    this.#position = number;
  }

  #setAside(appended: number, number: number, failure: Failure): void {
    this.#stop('closed');
    this.#rewind(appended, 'this-try');
    this.#ledger.setAside(number);
    this.#context.trouble(this.stream, failure);
  }

  #reopen(): void {
    this.#pauseOrStop(this.#waits.afterRefusal());
  }

  #failed(failure: Failure): void {
    this.#context.trouble(this.stream, failure);
    const isNoScripts = failure.kind === 'no-scripts';
    if (isNoScripts || this.#context.store.state === 'ready')
      this.#pause(this.#waits.afterFailure(failure.kind));
    else this.#stop('closed');
    if (isNoScripts) this.#context.scriptsRefused(this.stream, failure);
  }

  #pauseOrStop(waitMs: number | undefined): void {
    if (waitMs === undefined) this.#stop('closed');
    else this.#pause(waitMs);
  }

  #pause(waitMs: number): void {
    this.#stop('paused');
    const generation = this.#generation;
    this.#context.runtime.after(waitMs, () => {
      if (generation !== this.#generation || this.#state !== 'paused') return;
      this.#state = 'closed';
      this.pump(false);
    });
  }

  /** Nothing on its way counts any more; it will be sent again when the guard has told what became of it. */
  #stop(state: 'closed' | 'paused'): void {
    this.#generation++;
    this.#ledger.outbox.again.unshift(...this.#inFlight);
    this.#inFlight = [];
    this.#ledger.guardIsKnown = false;
    this.#state = state;
  }
}
