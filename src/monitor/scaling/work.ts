import type { ConsumerSample, GroupSample, StreamSample } from '../types.js';

/**
 * Whether a group has, or may have, anything to do: something waits, is pending, or comes in. A lag that is not known is
 * not taken for 0; nor are arrivals that are not known, while somebody is there to work on them.
 */
export function hasWork(
  { addedPerSecond }: StreamSample,
  { lag, pending }: GroupSample,
  consumers: number,
): boolean {
  if (lag.kind !== 'exact' || lag.entries > 0 || pending > 0) return true;
  return addedPerSecond === undefined ? consumers > 0 : addedPerSecond > 0;
}

/** Pending entries that no live consumer holds. */
export function abandoned({ pending }: GroupSample, live: readonly ConsumerSample[]): number {
  return Math.max(0, pending - live.reduce((sum, consumer) => sum + consumer.pending, 0));
}
