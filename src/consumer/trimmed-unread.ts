import { compareIds, FIRST_ID } from '../redis/entry-id.js';
import type { GroupProgress } from '../redis/group-store.js';

/**
 * Counts the entries that left a stream before anybody in the group had read them.
 *
 * A stream counts what it was given, and a group what it has read. Where the group has caught up, or stands before the
 * first entry that is left, the difference of the two is what it missed; anywhere between, nobody can tell. But the
 * group's figure is not to be relied upon: Redis gives it to replicas and to the append-only file with some commands
 * only, so that after a failover or a restart it is what it was long ago. So only a rise of the difference counts, as
 * seen on one server; and never more than has left the stream since it was last known.
 */
export class TrimmedUnread {
  /** The difference when it was last known; `undefined` when that may have been on another server. */
  #missed: number | undefined;
  /** So many entries, counted from the stream's very first, need no thought any more: read, or known to be lost. */
  #settled: number | undefined;
  #entriesRead = 0;

  /** The next look may be at another server. */
  reconnected(): void {
    this.#missed = undefined;
  }

  /** The next look is at another group. */
  reset(): void {
    this.#missed = undefined;
    this.#settled = undefined;
    this.#entriesRead = 0;
  }

  /**
   * How many more were lost since the last look; at the first one, since the group read last. They may be too many where
   * a server has taken over and the group has not caught up since.
   */
  count(at: GroupProgress): number {
    const { entriesAdded, entriesRead } = at;
    if (entriesAdded === undefined) return 0;
    if (entriesRead === undefined || entriesRead < this.#entriesRead) this.#missed = undefined;
    this.#entriesRead = entriesRead ?? 0;
    const gone = entriesAdded - at.length;
    const place = placeOf(at);
    if (place === 'between') {
      if (this.#missed === undefined) this.#settled = Math.max(this.#settled ?? 0, gone);
      return 0;
    }
    const passed = place === 'end' ? entriesAdded : gone;
    const missed = entriesRead === undefined ? undefined : passed - entriesRead;
    const lost = this.#lost({ place, gone, missed });
    this.#missed = missed;
    this.#settled = passed;
    return lost;
  }

  #lost({ place, gone, missed }: { place: Place; gone: number; missed: number | undefined }): number {
    const isFirst = this.#settled === undefined;
    // Whether a difference is old or new shows only where the group stands before what is left.
    if (this.#missed === undefined && (place === 'end' || (isFirst && missed === undefined))) return 0;
    const left = gone - (this.#settled ?? 0);
    return Math.max(0, Math.min((missed ?? Infinity) - (this.#missed ?? 0), left));
  }
}

/** Where a group stands: at the stream's end, before the first entry that is left, or anywhere between. */
type Place = 'end' | 'before' | 'between';

function placeOf({ lastDeliveredId, lastGeneratedId, firstId }: GroupProgress): Place {
  if (compareIds(lastDeliveredId, lastGeneratedId) >= 0) return 'end';
  // A group that has never read begins where the stream begins.
  if (lastDeliveredId === FIRST_ID) return 'between';
  return firstId === undefined || compareIds(lastDeliveredId, firstId) < 0 ? 'before' : 'between';
}
