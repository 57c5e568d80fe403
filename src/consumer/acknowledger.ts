import type { Runtime } from '../pipeline/runtime.js';
import { Backoff } from '../pipeline/runtime.js';
import type { GroupStore } from '../redis/group-store.js';
import type { LogEntry } from './entry.js';
import { isGone } from './gone.js';
import type { GroupKeeper } from './group-keeper.js';
import type { HeldEntries } from './held-entries.js';
import { rangesByProducer } from './number-ranges.js';
import type { Counters } from './stats.js';

export interface AcknowledgerParts {
  readonly store: GroupStore;
  readonly held: HeldEntries;
  readonly keeper: GroupKeeper;
  readonly runtime: Runtime;
  readonly counters: Counters;
  readonly deduplicate: boolean;
  /** Resolves when commands can be sent; rejects when they never will be again. */
  ready(): Promise<void>;
  /** Told of every failed try. */
  trouble(error: unknown): void;
}

/**
 * Tells Redis what is done, until it has confirmed. Until then the records are held, and whatever brings one of them
 * again, no handler sees it a second time here.
 */
export class Acknowledger {
  readonly #parts: AcknowledgerParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: AcknowledgerParts) {
    this.#parts = parts;
  }

  /** Acknowledgements that Redis has not confirmed. */
  get open(): ReadonlySet<Promise<void>> {
    return this.#underWay;
  }

  /** Resolves when Redis has confirmed. Rejects when the consumer is closed before. */
  acknowledge(entries: readonly LogEntry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    this.#parts.held.set(entries, 'handled');
    const done = this.#confirm(entries);
    this.#underWay.add(done);
    const forget = (): boolean => this.#underWay.delete(done);
    done.then(forget, forget);
    return done;
  }

  async #confirm(entries: readonly LogEntry[]): Promise<void> {
    const { held, keeper, counters, runtime } = this.#parts;
    const backoff = new Backoff(runtime.random, 50, 2_000);
    const ids = entries.map(({ id }) => id);
    for (;;) {
      await this.#parts.ready();
      try {
        keeper.acknowledged(ids, await this.#send(entries, ids));
        break;
      } catch (error) {
        if (isGone(error)) {
          // With the group went its list. Should the entries come again in a new one, they are known as done.
          keeper.acknowledged(ids);
          keeper.lost();
          break;
        }
        this.#parts.trouble(error);
        const waitMs = backoff.next();
        await new Promise<void>((resolve) => runtime.after(waitMs, resolve));
      }
    }
    counters.acknowledged += entries.length;
    held.release(entries);
  }

  #send(entries: readonly LogEntry[], ids: readonly string[]): ReturnType<GroupStore['acknowledge']> {
    const { store, deduplicate } = this.#parts;
    const numbers = deduplicate ? rangesByProducer(entries) : [];
    return numbers.length === 0 ? store.acknowledge(ids) : store.acknowledgeNumbers(ids, numbers);
  }
}
