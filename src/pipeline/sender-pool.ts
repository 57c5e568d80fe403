import type { Delivery } from './account.js';
import type { BoundedQueue } from './bounded-queue.js';
import { GuardedSender } from './guarded-sender.js';
import type { RetainBudget } from './kept-window.js';
import type { LeftBatches } from './left-batches.js';
import { Outbox } from './outbox.js';
import { PlainSender } from './plain-sender.js';
import type { Failure, StoreState } from './ports.js';
import { ReplayOutbox } from './replay-outbox.js';
import type { Sender, SenderContext, SenderSetup } from './sender.js';
import type { Spooler } from './spooler.js';
import { SpooledOutbox } from './spooled-outbox.js';
import type { StreamQueue } from './stream-queue.js';

export interface SenderPoolOptions {
  readonly delivery: Delivery;
  readonly deliveryIsExplicit: boolean;
  readonly queue: BoundedQueue;
  /** Given where batches are written to disk before they are sent. */
  readonly spooler: Spooler | undefined;
  /** Scripts are refused, so delivery is `at-least-once` from here on. */
  weakened(failure: Failure): void;
}

/**
 * The senders of a pipeline: one for each stream, and one for each producer of an earlier process whose batches are
 * still on disk. Those go first, so that records arrive in the order in which they were logged.
 */
export class SenderPool {
  readonly #options: SenderPoolOptions;
  readonly #context: SenderContext & { readonly retain: RetainBudget };
  readonly #senders = new Map<string, Sender>();
  readonly #byQueue = new Map<StreamQueue, Sender>();
  #replays: Sender[] = [];
  /** Until it is known what earlier processes left, nothing of this one is sent. */
  #isWaiting: boolean;
  #delivery: Delivery;

  constructor(options: SenderPoolOptions, context: Omit<SenderContext, 'scriptsRefused'>) {
    this.#options = options;
    this.#delivery = options.delivery;
    this.#isWaiting = options.spooler !== undefined;
    const scriptsRefused = (stream: string, failure: Failure): void => this.#weaken(stream, failure);
    const settled = (): void => {
      context.settled();
      // The last batch of a replay makes way for what waits behind it.
      if (this.#replays.length > 0) context.poke();
    };
    this.#context = { ...context, settled, scriptsRefused, retain: { bytes: 0 } };
  }

  get delivery(): Delivery {
    return this.#delivery;
  }

  get streams(): readonly string[] {
    return [...this.#senders.keys()];
  }

  get queues(): readonly StreamQueue[] {
    return [...this.#byQueue.keys()];
  }

  of(stream: string): Sender {
    const known = this.#senders.get(stream);
    if (known !== undefined) return known;
    const queue = this.#options.queue.openStream();
    const { spooler } = this.#options;
    const sender = this.#make(stream, {
      makeOutbox: (owner) =>
        spooler === undefined
          ? new Outbox(queue, this.#context)
          : new SpooledOutbox(queue, this.#context, { spooler, owner }),
    });
    this.#add(sender);
    return sender;
  }

  countShed(queue: StreamQueue): void {
    this.#byQueue.get(queue)?.countShed();
  }

  /** What earlier processes left is sent from now on, under their names. */
  replay(left: readonly LeftBatches[], spooler: Spooler): void {
    for (const group of left) {
      const { stream, producer, from } = group;
      const queue = this.#options.queue.openStream();
      this.#replays.push(
        this.#make(stream, {
          makeOutbox: () => {
            const outbox = new ReplayOutbox(queue, this.#context, { left: group, spooler });
            // Should this process die as well, the next one must know that no guard has seen these.
            if (this.#delivery !== 'exactly-once' && !group.isUnguarded) void outbox.unguarded();
            return outbox;
          },
          resume: { producer, from },
        }),
      );
    }
  }

  /** Nothing more is to be waited for. */
  start(): void {
    this.#isWaiting = false;
  }

  pump(force: boolean): void {
    this.#retire();
    const busy = new Set<string>();
    for (const replay of this.#replays) {
      if (!busy.has(replay.stream)) replay.pump(force);
      busy.add(replay.stream);
    }
    for (const sender of this.#senders.values()) {
      if (this.#isWaiting || busy.has(sender.stream)) sender.stage(force);
      else sender.pump(force);
    }
  }

  storeChanged(state: StoreState): void {
    if (state === 'ready') return this.pump(true);
    for (const sender of this.#all()) sender.disconnected();
  }

  oldestPending(): number {
    let oldest = Infinity;
    for (const sender of this.#all()) oldest = Math.min(oldest, sender.oldestPending());
    return oldest;
  }

  async confirm(): Promise<boolean> {
    const answers = await Promise.all(this.#all().map((sender) => sender.confirm()));
    return answers.every(Boolean) && this.oldestPending() === Infinity;
  }

  abandon(): void {
    for (const sender of this.#all()) {
      if (sender.isDone) sender.retire();
      sender.abandon();
    }
  }

  /** A replay that is done makes way for what comes after it. */
  #retire(): void {
    if (this.#replays.length === 0) return;
    for (const replay of this.#replays) if (replay.isDone) replay.retire();
    this.#replays = this.#replays.filter((replay) => !replay.isDone);
  }

  #all(): Sender[] {
    return [...this.#replays, ...this.#senders.values()];
  }

  #make(stream: string, setup: SenderSetup): Sender {
    return this.#delivery === 'exactly-once'
      ? new GuardedSender(stream, this.#context, setup)
      : new PlainSender(stream, this.#context, setup);
  }

  #add(sender: Sender): void {
    this.#senders.set(sender.stream, sender);
    this.#byQueue.set(sender.queue, sender);
  }

  #weaken(stream: string, failure: Failure): void {
    if (this.#options.deliveryIsExplicit) return;
    if (this.#delivery === 'exactly-once') {
      this.#delivery = 'at-least-once';
      this.#options.weakened(failure);
    }
    for (const sender of this.#all()) {
      if (!(sender instanceof GuardedSender) || sender.stream !== stream) continue;
      const { producer } = sender;
      const outbox = sender.handOver();
      const plain = new PlainSender(stream, this.#context, {
        makeOutbox: () => outbox,
        resume: { producer, from: undefined },
      });
      const replay = this.#replays.indexOf(sender);
      if (replay >= 0) this.#replays[replay] = plain;
      else this.#add(plain);
    }
    this.#context.poke();
  }
}
