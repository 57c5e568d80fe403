import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';
import { RATE_SAMPLES } from './rate.js';
import type { EntryCount } from './types.js';

export interface LossNote {
  readonly state: StreamState;
  readonly group: GroupState;
  readonly lag: EntryCount;
  /** Entries trimmed unread since the sample before; undefined when that cannot be told. */
  readonly lost: number | undefined;
  /** At the present rates, the next loss is due within a few samples. */
  readonly isDue: boolean;
}

/** How many entries were trimmed before one group got them, and whether that is going on. */
export class LossAccount {
  isLosing = false;
  #entries = 0;
  /** `at-least`: exact but for what was before the first sample. `unknown`: there were gaps since. */
  #kind: EntryCount['kind'] | undefined;
  /** The first entry there was after the last loss; the group has to get past it to be out of danger. */
  #edge = '0-0';
  /** Samples in which nothing was lost, since the last one in which something was. */
  #quiet = 0;

  get lost(): EntryCount {
    if (this.#kind === 'exact') return { kind: 'exact', entries: this.#entries };
    if (this.#kind === 'at-least' || this.#entries > 0) return { kind: 'at-least', entries: this.#entries };
    return { kind: 'unknown', reason: 'what this group read was not counted all the time' };
  }

  note(seen: LossNote): void {
    if (this.#kind === undefined) this.#begin(seen);
    else if (seen.lost === undefined) this.#kind = 'unknown';
    else if (seen.lost > 0) this.#add(seen.lost, seen.state);
    if (this.isLosing && this.#isOver(seen)) this.isLosing = false;
    this.#quiet++;
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
    // No more than that: correcting the count of entries read, as heal() does, wipes the traces of earlier losses.
    this.#kind = 'at-least';
    this.#entries = lost;
    const isPast = compareIds(group.lastDeliveredId, firstOf(state)) >= 0;
    if (lost > 0 && !isPast) this.#add(0, state);
  }

  #add(lost: number, state: StreamState): void {
    this.#entries += lost;
    this.isLosing = true;
    this.#edge = firstOf(state);
    this.#quiet = 0;
  }

  /** Trimming comes in steps, and reading in batches, so a few samples without loss have to be waited for. */
  #isOver({ group, lag, isDue }: LossNote): boolean {
    const isAtEnd = lag.kind === 'exact' && lag.entries === 0;
    const isPast = isAtEnd || compareIds(group.lastDeliveredId, this.#edge) >= 0;
    return isPast && this.#quiet >= RATE_SAMPLES && !isDue;
  }
}

function firstOf({ firstId, lastGeneratedId }: StreamState): string {
  return firstId ?? lastGeneratedId;
}
