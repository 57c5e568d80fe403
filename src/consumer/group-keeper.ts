import type { Diagnostics } from '../diagnostics.js';
import { compareIds, FIRST_ID, idBefore } from '../redis/entry-id.js';
import type { PendingSummary } from '../redis/group-replies.js';
import type { GroupProgress, GroupStore, StreamHead } from '../redis/group-store.js';
import type { ResolvedConsumerOptions } from './options.js';
import type { Counters } from './stats.js';
import { TrimmedUnread } from './trimmed-unread.js';

export interface GroupKeeperParts {
  readonly store: GroupStore;
  readonly options: Pick<ResolvedConsumerOptions, 'stream' | 'group' | 'from'>;
  readonly diagnostics: Diagnostics;
  readonly counters: Counters;
  /** Ids of the entries that this consumer holds. */
  heldIds(): readonly string[];
}

/** Ids kept of what was acknowledged here and may still come again, should the group be made anew. */
const MAX_REMEMBERED = 10_000;

/**
 * Sees to it that the group exists, and knows up to where all of its members have acknowledged everything. A group that
 * somebody deletes is made again from there, and not from the stream's end: what was acknowledged before stays done,
 * what was not comes again.
 */
export class GroupKeeper {
  readonly #parts: GroupKeeperParts;
  #state: 'unknown' | 'there' | 'lost' = 'unknown';
  /** The whole group has acknowledged all up to here. */
  #position: string | undefined;
  /** How many entries it had read when it stood at `id`. */
  #read: { readonly id: string; readonly count: number } | undefined;
  /** What this consumer acknowledged beyond the position. */
  readonly #acknowledged = new Set<string>();
  /** Held since before the group was made again, which has not delivered it yet. */
  #stale = new Set<string>();
  /** Done, and not known as such to the group that was made again. */
  readonly #done = new Set<string>();
  readonly #trimmed = new TrimmedUnread();

  constructor(parts: GroupKeeperParts) {
    this.#parts = parts;
  }

  /** The position in the stream up to which nothing is open. */
  get position(): string | undefined {
    return this.#position;
  }

  /** To be called when Redis says that group or stream are gone. */
  lost(): void {
    this.#state = 'lost';
  }

  /** To be called when the connection was made anew: it may lead to another server. */
  reconnected(): void {
    this.#trimmed.reconnected();
  }

  async ensure(): Promise<void> {
    if (this.#state === 'there') return;
    if (this.#state === 'lost') await this.#recreate();
    else await this.#create();
    await this.#parts.store.join();
    this.#state = 'there';
    await this.look();
  }

  /** These are done, and this is what the group still holds. */
  acknowledged(ids: readonly string[], left?: PendingSummary): void {
    for (const id of ids) (this.#stale.delete(id) ? this.#done : this.#acknowledged).add(id);
    if (left?.count === 0) this.#advance(highest(this.#acknowledged));
    else if (left?.lowestId !== undefined) this.#advance(idBefore(left.lowestId));
    forgetOldest(this.#acknowledged);
    forgetOldest(this.#done);
  }

  /** An entry was delivered that this consumer holds already. */
  deliveredAgain(id: string): void {
    this.#stale.delete(id);
  }

  /** Whether this consumer has done with the entry, in a group that was deleted since. */
  isDone(id: string): boolean {
    return this.#done.has(id);
  }

  /** Asks how far the group has come, and what of it was trimmed unread. */
  async look(): Promise<void> {
    const progress = await this.#parts.store.progress();
    if (progress === undefined) return this.lost();
    if (progress.pending === 0) {
      this.#advance(progress.lastDeliveredId);
      const { entriesRead: count, lastDeliveredId: id } = progress;
      this.#read = count === undefined ? undefined : { id, count };
    }
    this.#countTrimmed(progress);
  }

  async #create(): Promise<void> {
    const { store, options } = this.#parts;
    if (options.from === 'start') return void (await store.create(FIRST_ID));
    const head = await store.head();
    // Nothing needs to be counted for a group that is there.
    if (head !== undefined && (await store.progress()) !== undefined) return;
    const position = options.from === 'now' ? (head?.lastGeneratedId ?? FIRST_ID) : options.from;
    await store.create(position, await this.#entriesReadAt(position, head));
  }

  async #recreate(): Promise<void> {
    const { store, options, diagnostics, counters } = this.#parts;
    const head = await store.head();
    const start =
      this.#position ?? (options.from === 'start' || options.from === 'now' ? FIRST_ID : options.from);
    // A stream that has never come so far is another one: all of it is new.
    const isContinued = head !== undefined && compareIds(head.lastGeneratedId, start) >= 0;
    const position = isContinued ? start : FIRST_ID;
    const isMade = await store.create(position, await this.#entriesReadAt(position, head));
    this.#read = undefined;
    this.#trimmed.reset();
    this.#stale = new Set(this.#parts.heldIds());
    for (const id of this.#acknowledged) this.#done.add(id);
    this.#acknowledged.clear();
    if (position === FIRST_ID) this.#position = undefined;
    if (!isMade) return;
    counters.groupsRecreated++;
    const place = `group ${JSON.stringify(options.group)} of stream ${options.stream}`;
    diagnostics.warn(
      `consumer:recreated:${options.stream}:${options.group}`,
      `The ${place} was gone. It was made again and goes on after entry ${position}.`,
    );
  }

  /**
   * From this figure Redis reckons the group's lag, which KEDA and redis_exporter believe. Before the first entry Redis
   * does better without: it then looks where the stream begins, also when that moves.
   */
  async #entriesReadAt(position: string, head: StreamHead | undefined): Promise<number | undefined> {
    if (head?.entriesAdded === undefined || compareIds(position, FIRST_ID) === 0) return undefined;
    const ahead = compareIds(position, head.lastGeneratedId);
    if (ahead === 0) return head.entriesAdded;
    // Nobody can tell how many of those to come the group will leave out.
    if (ahead > 0) return undefined;
    const left = await this.#parts.store.countAfter(position, head.lastGeneratedId);
    if (left !== undefined) return head.entriesAdded - left;
    return this.#read?.id === position ? this.#read.count : undefined;
  }

  #advance(id: string | undefined): void {
    if (id === undefined || (this.#position !== undefined && compareIds(id, this.#position) <= 0)) return;
    this.#position = id;
    for (const done of this.#acknowledged) {
      if (compareIds(done, id) <= 0) this.#acknowledged.delete(done);
    }
  }

  #countTrimmed(progress: GroupProgress): void {
    const lost = this.#trimmed.count(progress);
    if (lost === 0) return;
    const { counters, diagnostics, options } = this.#parts;
    counters.trimmedUnread += lost;
    diagnostics.error(
      `consumer:trimmed:${options.stream}:${options.group}`,
      `Stream ${options.stream} was trimmed past the group ${JSON.stringify(options.group)}: ${lost} records are gone that nobody in it has read. Add consumers, or keep more (retention).`,
    );
  }
}

/** The oldest were acknowledged first, and a group is made again from where all of it is. */
function forgetOldest(ids: Set<string>): void {
  for (const id of ids) {
    if (ids.size <= MAX_REMEMBERED) return;
    ids.delete(id);
  }
}

function highest(ids: Iterable<string>): string | undefined {
  let result: string | undefined;
  for (const id of ids) if (result === undefined || compareIds(id, result) > 0) result = id;
  return result;
}
