import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';
import type { EntryCount } from './types.js';

export interface LossNote {
  readonly state: StreamState;
  readonly group: GroupState;
  readonly lag: EntryCount;
  /** Entries trimmed unread since the sample before; undefined when that cannot be told. */
  readonly lost: number | undefined;
}

/** How many entries were trimmed before one group got them, and whether that is going on. */
export class LossAccount {
  isLosing = false;
  #entries = 0;
  #kind: EntryCount['kind'] | undefined;
  /** The first entry there was after the last loss; the group has to get past it to be out of danger. */
  #edge = '0-0';

  get lost(): EntryCount {
    if (this.#kind === 'exact') return { kind: 'exact', entries: this.#entries };
    if (this.#entries > 0) return { kind: 'at-least', entries: this.#entries };
    return { kind: 'unknown', reason: 'what this group read was not counted all the time' };
  }

  note(seen: LossNote): void {
    const { state, group, lag } = seen;
    if (this.#kind === undefined) this.#begin(seen);
    else if (seen.lost === undefined) this.#kind = 'at-least';
    else this.#add(seen.lost, state);
    const isAtEnd = lag.kind === 'exact' && lag.entries === 0;
    if (isAtEnd || compareIds(group.lastDeliveredId, this.#edge) >= 0) this.isLosing = false;
  }

  /** Before the first sample: what was added less what was read less what waits, where Redis counted all three. */
  #begin({ state, group, lag }: LossNote): void {
    const { entriesAdded, length, maxDeletedId = '0-0' } = state;
    this.#kind = 'unknown';
    if (entriesAdded === undefined) return;
    if (entriesAdded === length) {
      this.#kind = 'exact';
      return;
    }
    // Groups begin where they like: one that has read nothing yet has no claim to what was there before.
    if (lag.kind !== 'exact' || group.entriesRead === undefined || group.lastDeliveredId === '0-0') return;
    const lost = entriesAdded - group.entriesRead - lag.entries;
    if (lost < 0 || maxDeletedId !== '0-0') return;
    this.#kind = 'exact';
    this.#add(lost, state, group);
  }

  #add(lost: number, state: StreamState, group?: GroupState): void {
    if (lost === 0) return;
    this.#entries += lost;
    const first = state.firstId ?? state.lastGeneratedId;
    const isPast = group !== undefined && compareIds(group.lastDeliveredId, first) >= 0;
    if (isPast) return;
    this.isLosing = true;
    this.#edge = first;
  }
}
