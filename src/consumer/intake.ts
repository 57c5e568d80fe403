import type { Delivered, EntryDecoder, LogEntry, Undecodable } from './entry.js';
import type { GroupStore } from '../redis/group-store.js';
import type { DeadLetters } from './dead-letters.js';
import type { GroupKeeper } from './group-keeper.js';
import type { HeldEntries } from './held-entries.js';
import { NumberRanges } from './number-ranges.js';
import type { ResolvedConsumerOptions } from './options.js';
import type { Counters } from './stats.js';

export interface IntakeParts {
  readonly store: GroupStore;
  readonly decoder: EntryDecoder;
  readonly held: HeldEntries;
  readonly keeper: GroupKeeper;
  readonly deadLetters: DeadLetters;
  readonly counters: Counters;
  readonly options: Pick<ResolvedConsumerOptions, 'deduplicate' | 'maxDeliveries'>;
  /** See {@link UndecodableHandler}. */
  readonly undecodable: UndecodableHandler | undefined;
}

/** Told of how many entries cannot be decoded. Where there is one, they are acknowledged, and are no dead letters. */
export type UndecodableHandler = (count: number) => void;

/** Decides which of the entries that Redis delivered are handed to a handler. */
export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** The records to be handled. All others have their outcome when this resolves, or come again. */
  async admit(delivered: readonly Delivered[]): Promise<LogEntry[]> {
    const { decoder, held, options } = this.#parts;
    const others = delivered.filter(({ id }) => held.stateOf(id) === undefined);
    if (others.length < delivered.length) this.#noteHeld(delivered);
    const fresh = await this.#dropDone(others);
    const { entries, undecodable } = await decoder.decode(fresh);
    await this.#setAside(undecodable);
    const worn = entries.filter(({ deliveryCount }) => deliveryCount > options.maxDeliveries);
    await this.#parts.deadLetters.moveAll(
      worn.map(({ id }) => ({ id, reason: 'max-deliveries', error: 'no handler finished with it' })),
    );
    const usable = worn.length === 0 ? entries : entries.filter((entry) => !worn.includes(entry));
    return options.deduplicate ? this.#dropDuplicates(usable) : usable;
  }

  async #setAside(undecodable: readonly Undecodable[]): Promise<void> {
    const { deadLetters, store, keeper, undecodable: tell } = this.#parts;
    if (tell === undefined) {
      const requests = undecodable.map(({ id, reason }) => ({
        id,
        reason: 'undecodable' as const,
        error: reason,
      }));
      return deadLetters.moveAll(requests);
    }
    if (undecodable.length === 0) return;
    const ids = undecodable.map(({ id }) => id);
    keeper.acknowledged(ids, await store.acknowledge(ids));
    tell(ids.length);
  }

  /** In our hands already: whoever has it goes on with it. */
  #noteHeld(delivered: readonly Delivered[]): void {
    const { held, keeper } = this.#parts;
    for (const { id } of delivered) if (held.stateOf(id) !== undefined) keeper.deliveredAgain(id);
  }

  /** Acknowledged by this consumer, in a group that was deleted and made again since. */
  async #dropDone(delivered: readonly Delivered[]): Promise<readonly Delivered[]> {
    const { keeper } = this.#parts;
    const done = delivered.filter(({ id }) => keeper.isDone(id)).map(({ id }) => id);
    if (done.length === 0) return delivered;
    await this.#skip(done);
    return delivered.filter(({ id }) => !done.includes(id));
  }

  async #dropDuplicates(entries: readonly LogEntry[]): Promise<LogEntry[]> {
    const producers = [...new Set(entries.map(({ producer }) => producer))].filter(
      (producer) => producer !== undefined,
    );
    if (producers.length === 0) return [...entries];
    const notes = await this.#parts.store.handledNumbers(producers);
    const handled = new Map(producers.map((producer, at) => [producer, new NumberRanges(notes[at])]));
    const seen = new Set<string>();
    const isNew = ({ key, producer, seq }: LogEntry): boolean => {
      if (producer === undefined || seq === undefined) return true;
      if (seen.has(key) || handled.get(producer)?.has(seq) === true) return false;
      seen.add(key);
      return true;
    };
    const kept = entries.filter(isNew);
    const dropped = entries.filter((entry) => !kept.includes(entry));
    if (dropped.length > 0) await this.#skip(dropped.map(({ id }) => id));
    return kept;
  }

  async #skip(ids: readonly string[]): Promise<void> {
    const { store, keeper, counters } = this.#parts;
    counters.duplicates += ids.length;
    keeper.acknowledged(ids, await store.acknowledge(ids));
  }
}
