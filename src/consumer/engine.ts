import { isRedisLogError } from '../errors.js';
import { handling } from '../pipeline/feedback.js';
import { Backoff, type Runtime } from '../pipeline/runtime.js';
import type { GroupStore } from '../redis/group-store.js';
import type { Acknowledger } from './acknowledger.js';
import { LogBatch } from './batch.js';
import { idsByDeliveries } from './by-deliveries.js';
import { type DeadLetters, errorText } from './dead-letters.js';
import type { Delivered, LogEntry } from './entry.js';
import { isGone } from './gone.js';
import type { GroupKeeper } from './group-keeper.js';
import type { HeldEntries } from './held-entries.js';
import type { Intake } from './intake.js';
import type { ResolvedConsumerOptions } from './options.js';
import { type Doubt, failedOutcome, type Outcome, resolvedOutcome } from './outcome.js';
import type { Source } from './source.js';
import type { Counters } from './stats.js';
import type { ConsumerTelemetry } from './telemetry.js';
import { Signals } from './signals.js';

/**
 * Handles a batch. When it resolves, the batch is acknowledged; with a list of entry ids, only these are. What is not is
 * handed out again, and so is all of a batch when it throws: after a wait, and each record on its own, so that one bad
 * record does not hold up the others. The list may be an array or a Set; an empty one acknowledges nothing. Any other
 * result, such as what Promise.all gives for one promise or more, means nothing.
 */
export type LogHandler = (batch: LogBatch) => unknown;

export interface EngineParts {
  readonly options: ResolvedConsumerOptions;
  readonly store: GroupStore;
  readonly source: Source;
  readonly intake: Intake;
  readonly held: HeldEntries;
  readonly keeper: GroupKeeper;
  readonly deadLetters: DeadLetters;
  readonly acknowledger: Acknowledger;
  readonly runtime: Runtime;
  readonly counters: Counters;
  readonly telemetry: ConsumerTelemetry;
  readonly handler: LogHandler;
  /** Resolves when commands can be sent and new entries read; rejects when they never will be again. */
  ready(): Promise<void>;
  trouble(error: unknown): void;
  /** A handler threw; its records are tried again. */
  handlerFailed(error: unknown): void;
  /** A handler resolved with what may be meant otherwise. */
  doubtful(doubt: Doubt): void;
  /** Ids were named that are not of their batch. */
  misnamed(): void;
  /** Reading and handling work. */
  works(): void;
}

/** Records that were taken over more often than this are handled one by one: one of them may be what kills processes. */
const TRUSTED_DELIVERIES = 2;

/** Takes entries in, hands them out, and sees to it that each gets an outcome. One loop takes, handlers run beside it. */
export class Engine {
  readonly #parts: EngineParts;
  readonly #signals: Signals;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #isClosing = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#signals = new Signals(parts.runtime);
    this.#backoff = new Backoff(parts.runtime.random, 100, 5_000);
  }

  /** Resolves when the engine is closed. Rejects when it can never work. */
  async run(): Promise<void> {
    while (!this.#isClosing) {
      try {
        await this.#slot();
        await this.#parts.ready();
        if (this.#isClosing) break;
        await this.#parts.keeper.ensure();
        const entries = await this.#next();
        if (entries.length > 0) this.#dispatch(entries);
        this.#parts.works();
        this.#backoff.reset();
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  /** Takes nothing in any more. */
  close(): void {
    this.#isClosing = true;
    this.#signals.wake();
  }

  /** Tells handlers that the time is up. */
  abort(): void {
    this.#abort.abort();
  }

  /** Resolves when no handler runs any more and all that was done is confirmed. */
  async settled(): Promise<void> {
    while (this.#running.size > 0 || this.#parts.acknowledger.open.size > 0) {
      await Promise.allSettled([...this.#running, ...this.#parts.acknowledger.open]);
    }
  }

  /** What is to be handled next. Waits where there is nothing, but not for long. */
  async #next(): Promise<readonly LogEntry[]> {
    const { held, source, runtime, options } = this.#parts;
    const due = held.takeDue(runtime.now());
    if (due !== undefined) return this.#again(due);
    const reclaimed = await source.reclaim();
    if (reclaimed.length > 0) return this.#setSuspectsAside(await this.#admit(reclaimed));
    // What waits for its next try is in memory, and that has a bound, too.
    if (held.waiting >= options.batchSize * options.concurrency) {
      await this.#signals.pause(held.nextDueAt - runtime.now());
      return [];
    }
    return this.#admit(await this.#read());
  }

  async #read(): Promise<Delivered[]> {
    const { source, held } = this.#parts;
    try {
      return await source.read(held.nextDueAt);
    } catch (error) {
      source.readFailed();
      throw error;
    }
  }

  /** Where this fails, the entries are ours by the server's list alone, and are asked for again. */
  async #admit(delivered: readonly Delivered[]): Promise<readonly LogEntry[]> {
    if (delivered.length === 0) return [];
    try {
      return await this.#parts.intake.admit(delivered);
    } catch (error) {
      this.#parts.source.readFailed();
      throw error;
    }
  }

  /** To be handled one by one, later. Until then they are not delivered: taking them over has counted too much. */
  async #setSuspectsAside(entries: readonly LogEntry[]): Promise<readonly LogEntry[]> {
    const { store, held, runtime } = this.#parts;
    const suspects = entries
      .filter(({ deliveryCount }) => deliveryCount > TRUSTED_DELIVERIES)
      .map((entry) => ({ ...entry, deliveryCount: entry.deliveryCount - 1 }));
    for (const entry of suspects) held.retry([entry], runtime.now());
    const counts = suspects.map(({ id, deliveryCount }) => ({ id, deliveries: deliveryCount }));
    try {
      for (const [deliveries, ids] of idsByDeliveries(counts)) await store.renew(ids, deliveries);
    } catch (error) {
      this.#parts.trouble(error);
    }
    return entries.filter(({ deliveryCount }) => deliveryCount <= TRUSTED_DELIVERIES);
  }

  /** One more delivery, also by the server's count, which outlives this process. */
  async #again(entries: readonly LogEntry[]): Promise<LogEntry[]> {
    const { store, held, runtime } = this.#parts;
    const counted = entries.map((entry) => ({ ...entry, deliveryCount: entry.deliveryCount + 1 }));
    const counts = counted.map(({ id, deliveryCount }) => ({ id, deliveries: deliveryCount }));
    try {
      for (const [deliveries, ids] of idsByDeliveries(counts)) await store.renew(ids, deliveries);
      return counted;
    } catch (error) {
      held.retry(entries, runtime.now());
      throw error;
    }
  }

  #dispatch(entries: readonly LogEntry[]): void {
    const running = this.#handle(entries).finally(() => {
      this.#running.delete(running);
      this.#signals.wake();
    });
    this.#running.add(running);
  }

  async #handle(entries: readonly LogEntry[]): Promise<void> {
    const { options, held, acknowledger, deadLetters } = this.#parts;
    held.set(entries, 'handling');
    const batch = new LogBatch({
      entries,
      stream: options.stream,
      group: options.group,
      signal: this.#abort.signal,
      acknowledge: (some) => acknowledger.acknowledge(some),
      misnamed: () => this.#parts.misnamed(),
    });
    const outcome = await this.#call(batch);
    if (outcome.doubt !== undefined) this.#parts.doubtful(outcome.doubt);
    acknowledger.acknowledge(outcome.acknowledge).catch(() => undefined);
    const rejected = outcome.reject.map(({ id }) => ({
      id,
      reason: 'rejected' as const,
      error: errorText(outcome.error),
    }));
    held.release(outcome.reject);
    await Promise.all([deadLetters.moveAll(rejected), this.#retry(batch, outcome)]);
    // The next batch may be handled while this one is being confirmed, but not many of them.
    while (acknowledger.open.size > options.concurrency)
      await Promise.race(acknowledger.open).catch(() => undefined);
  }

  async #call(batch: LogBatch): Promise<Outcome> {
    const { telemetry, handler, options } = this.#parts;
    try {
      const work = async (): Promise<unknown> => handler(batch);
      return resolvedOutcome(batch, await handling(options.streams, () => telemetry.process(batch, work)));
    } catch (error) {
      // What it logs must not come back to the handler either.
      handling(options.streams, () => tell(options.onError, error, batch));
      return failedOutcome(batch, error);
    }
  }

  async #retry(batch: LogBatch, { retry, isSearch, error }: Outcome): Promise<void> {
    if (retry.length === 0) return;
    const { held, runtime, options, counters, deadLetters } = this.#parts;
    // Cut off by a stop, which is no failure: it stays with the handler, and is handed back as that.
    if (this.#abort.signal.aborted) return;
    const [first] = retry;
    if (
      !this.#isClosing &&
      batch.size === 1 &&
      first !== undefined &&
      first.deliveryCount >= options.maxDeliveries
    ) {
      held.release(retry);
      const text = error === undefined ? 'the handler left it out' : errorText(error);
      return deadLetters.moveAll([{ id: first.id, reason: 'max-deliveries', error: text }]);
    }
    counters.retried += retry.length;
    const dueAt = runtime.now() + (isSearch ? 0 : this.#delayMs(first?.deliveryCount ?? 1));
    for (const entry of retry) held.retry([entry], dueAt);
    if (error !== undefined) this.#parts.handlerFailed(error);
  }

  /** Full jitter over a doubling bound. */
  #delayMs(deliveries: number): number {
    const { minDelayMs, maxDelayMs } = this.#parts.options.retry;
    const bound = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(deliveries - 1, 30));
    return bound / 2 + (this.#parts.runtime.random() * bound) / 2;
  }

  async #slot(): Promise<void> {
    while (this.#running.size >= this.#parts.options.concurrency && !this.#isClosing) {
      await this.#signals.pause(Infinity);
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#isClosing) return;
    // Nothing that waiting could mend.
    if (isRedisLogError(error)) throw error;
    if (isGone(error)) return this.#parts.keeper.lost();
    this.#parts.trouble(error);
    await this.#signals.pause(this.#backoff.next());
  }
}

/** What the callback does is no matter of the records'. */
function tell(onError: ResolvedConsumerOptions['onError'], error: unknown, batch: LogBatch): void {
  try {
    Promise.resolve(onError?.(error, batch)).catch(() => undefined);
  } catch {
    // It is told nowhere else.
  }
}
