import type { EntryCount, GroupStatus } from './types.js';

/** One sample of a group, as far as its status depends on it. */
export interface GroupPoint {
  readonly lag: EntryCount;
  readonly pending: number;
  readonly lastDeliveredId: string;
  readonly timeBehindMs: number | undefined;
  readonly oldestPendingForMs: number | undefined;
  /** Consumers that asked for something within `consumerIdleMs`. */
  readonly liveConsumers: number;
  /** Entries were trimmed before the group got them, and that is not over yet. */
  readonly isLosing: boolean;
  /** A loss is forecast for the next minutes. */
  readonly isLossNear: boolean;
}

export interface StatusLimits {
  /** Samples to judge by. */
  readonly window: number;
  readonly claimTimeoutMs: number;
}

/**
 * The status of a group from its last samples, the oldest first. What is happening now (LOSING, NO CONSUMER, STUCK) is
 * said at once; what is a matter of time (STALLED, BEHIND) only when the whole window says so, and a single good sample
 * in it is enough to be OK. But who is about to lose entries is BEHIND, however short the trouble has been.
 */
export function groupStatus(points: readonly GroupPoint[], limits: StatusLimits): GroupStatus {
  const last = points.at(-1);
  const first = points[0];
  if (first === undefined || last === undefined) return 'UNKNOWN';
  if (last.isLosing) return 'LOSING';
  const waits = entriesOf(last.lag);
  if (waits !== 0 && waits !== undefined && last.liveConsumers === 0) return 'NO CONSUMER';
  const isWhole = points.length >= limits.window;
  if (isWhole && isStalled(points)) return 'STALLED';
  if (isStuck(first, last, limits)) return 'STUCK';
  if (waits === undefined) return 'UNKNOWN';
  if (last.isLossNear) return 'BEHIND';
  const isShrinking = backlog(last) < backlog(first);
  if (isWhole && !isShrinking && isFallingBehind(points)) return 'BEHIND';
  return 'OK';
}

/** The entries there are at least; undefined when nothing is known. */
export function entriesOf(count: EntryCount): number | undefined {
  return count.kind === 'unknown' ? undefined : count.entries;
}

function backlog({ lag, pending }: GroupPoint): number {
  return (entriesOf(lag) ?? 0) + pending;
}

function isStalled(points: readonly GroupPoint[]): boolean {
  const id = points[0]?.lastDeliveredId;
  return points.every((point) => point.lastDeliveredId === id && (entriesOf(point.lag) ?? 0) > 0);
}

function isStuck(first: GroupPoint, last: GroupPoint, { claimTimeoutMs }: StatusLimits): boolean {
  if ((last.oldestPendingForMs ?? 0) <= 2 * claimTimeoutMs) return false;
  return last.pending > 0 && last.pending >= first.pending;
}

function isFallingBehind(points: readonly GroupPoint[]): boolean {
  return points.every((point, index) => {
    const before = points[index - 1];
    if (point.timeBehindMs === undefined || point.timeBehindMs === 0) return false;
    return before === undefined || point.timeBehindMs > (before.timeBehindMs ?? Infinity);
  });
}
