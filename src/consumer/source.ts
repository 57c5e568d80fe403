import type { Runtime } from '../pipeline/runtime.js';
import { FIRST_ID } from '../redis/entry-id.js';
import type { PendingEntry, RawEntry } from '../redis/group-replies.js';
import type { GroupStore } from '../redis/group-store.js';
import type { Delivered } from './entry.js';
import type { HeldEntries } from './held-entries.js';
import type { ResolvedConsumerOptions } from './options.js';
import type { Counters } from './stats.js';

export interface SourceParts {
  readonly store: GroupStore;
  readonly held: HeldEntries;
  readonly runtime: Runtime;
  readonly counters: Counters;
  readonly options: Pick<ResolvedConsumerOptions, 'batchSize' | 'maxWaitMs' | 'minIdleMs' | 'heartbeatMs'>;
  /** No longer wanted: a batch that waits for company goes as it is. */
  isClosing(): boolean;
}

/** Others' entries are looked for so often, so that what a dead consumer held is in work a second after `minIdleMs`. */
const CLAIM_MS = 900;

/** Where a consumer's entries come from: the stream, and consumers that are gone. */
export class Source {
  readonly #parts: SourceParts;
  #cursor = FIRST_ID;
  #claimDueAt = 0;
  #mayHaveLost = false;
  /** Given to this consumer by the server, and not arrived. */
  #lost: PendingEntry[] = [];

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  /** To be called when a read may have been answered without the answer having come. */
  readFailed(): void {
    this.#mayHaveLost = true;
  }

  /** Entries that were delivered before, to this consumer or to one that is gone. */
  async reclaim(): Promise<Delivered[]> {
    if (this.#mayHaveLost || this.#lost.length > 0) return this.#recoverOwn();
    const { runtime } = this.#parts;
    if (runtime.now() < this.#claimDueAt) return [];
    const claimed = await this.#claimIdle();
    const pauseMs = Math.min(CLAIM_MS, this.#parts.options.minIdleMs) * (0.8 + runtime.random() * 0.2);
    // There may be more where these came from.
    const isDone = this.#cursor === FIRST_ID && claimed.length === 0;
    this.#claimDueAt = isDone ? runtime.now() + pauseMs : 0;
    return claimed;
  }

  /** New entries: a full batch, or what there is `maxWaitMs` after the first. Waits until `until` for the first. */
  async read(until: number): Promise<Delivered[]> {
    const { options, runtime, counters, isClosing } = this.#parts;
    const limit = Math.min(until, this.#claimDueAt) - runtime.now();
    const entries: RawEntry[] = await this.#readNew(options.batchSize, Math.min(limit, options.heartbeatMs));
    const full = runtime.now() + options.maxWaitMs;
    while (entries.length > 0 && entries.length < options.batchSize && !isClosing()) {
      const left = full - runtime.now();
      if (left < 1) break;
      try {
        const more = await this.#readNew(
          options.batchSize - entries.length,
          Math.min(left, options.heartbeatMs),
        );
        entries.push(...more);
      } catch {
        // Those that have come are handled; the next read meets the same trouble.
        this.readFailed();
        break;
      }
    }
    counters.received += entries.length;
    return entries.map(({ id, fields }) => ({ id, fields, deliveries: 1 }));
  }

  async #readNew(count: number, waitMs: number): Promise<RawEntry[]> {
    const { store, options } = this.#parts;
    const blockMs = Math.max(0, Math.ceil(waitMs));
    return store.read(count, blockMs, blockMs + options.heartbeatMs);
  }

  async #claimIdle(): Promise<Delivered[]> {
    const { store, options, counters, held } = this.#parts;
    const { cursor, entries, trimmed, nameless } = await store.claimIdle(
      options.minIdleMs,
      this.#cursor,
      options.batchSize,
    );
    this.#cursor = cursor;
    counters.trimmedPending += trimmed.length;
    if (entries.length === 0 && nameless === 0) return [];
    const pending = new Map((await store.held()).map(({ id, deliveries }) => [id, deliveries]));
    const returned = new Set(entries.map(({ id }) => id));
    if (nameless > 0) {
      // They are ours now, and delivered more than once, and yet not in the answer.
      const gone = [...pending].filter(
        ([id, count]) => count > 1 && !returned.has(id) && held.stateOf(id) === undefined,
      );
      await store.acknowledge(gone.map(([id]) => id));
      counters.trimmedPending += gone.length;
    }
    const others = entries.filter(({ id }) => held.stateOf(id) === undefined);
    counters.reclaimed += others.length;
    return others.map(({ id, fields }) => ({ id, fields, deliveries: pending.get(id) ?? 2 }));
  }

  /** What the server has given to this consumer, and what never came here. */
  async #recoverOwn(): Promise<Delivered[]> {
    const { store, held, options, counters } = this.#parts;
    if (this.#mayHaveLost) {
      const own = await store.held();
      this.#lost = own.filter(({ id }) => held.stateOf(id) === undefined);
      this.#mayHaveLost = false;
    }
    const some = this.#lost.slice(0, options.batchSize);
    if (some.length === 0) return [];
    const entries = await store.claimOwn(some.map(({ id }) => id));
    this.#lost.splice(0, some.length);
    const found = new Set(entries.map(({ id }) => id));
    const trimmed = some.filter(({ id }) => !found.has(id)).map(({ id }) => id);
    if (trimmed.length > 0) {
      await store.acknowledge(trimmed);
      counters.trimmedPending += trimmed.length;
    }
    counters.reclaimed += entries.length;
    const counts = new Map(some.map(({ id, deliveries }) => [id, deliveries + 1]));
    return entries.map(({ id, fields }) => ({ id, fields, deliveries: counts.get(id) ?? 2 }));
  }
}
