import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';

/** A stream and one of its groups, at one instant. */
export interface Pair {
  readonly stream: StreamState;
  readonly group: GroupState;
}

/** Not so after a failover that forgot entries, DEL, or XGROUP SETID backwards. */
export function isContinuous(before: Pair, now: Pair): boolean {
  const [added, addedBefore] = [now.stream.entriesAdded, before.stream.entriesAdded];
  if (added === undefined || addedBefore === undefined || added < addedBefore) return false;
  return (
    compareIds(now.stream.lastGeneratedId, before.stream.lastGeneratedId) >= 0 &&
    compareIds(now.group.lastDeliveredId, before.group.lastDeliveredId) >= 0
  );
}

/** Whether XDEL may have removed something that the group had not got yet. */
export function hasDeletedAhead(before: Pair, now: Pair): boolean {
  const deleted = now.stream.maxDeletedId;
  if (deleted === undefined) return true;
  if (compareIds(deleted, before.group.lastDeliveredId) <= 0) return false;
  // XDEL of a lower id than the highest ever deleted shows only in the length.
  const isSame = deleted === before.stream.maxDeletedId && now.stream.firstId === before.stream.firstId;
  return !isSame || removed(now.stream) !== removed(before.stream);
}

/** XSETID may set `entries-added` to anything: it shows as entries removed, with the first one still in place. */
export function hasJumped(before: Pair, now: Pair): boolean {
  return now.stream.firstId === before.stream.firstId && removed(now.stream) !== removed(before.stream);
}

/** Whether entries may have been trimmed that the group had not got yet. */
export function isPassedByTrim(before: Pair, now: Pair): boolean {
  const first = now.stream.firstId ?? now.stream.lastGeneratedId;
  if (compareIds(first, before.group.lastDeliveredId) <= 0) return false;
  // Of a group before the first entry, all that is there still waits: nothing was trimmed if that one is still first.
  return first !== before.stream.firstId;
}

function removed({ entriesAdded = 0, length }: StreamState): number {
  return entriesAdded - length;
}
