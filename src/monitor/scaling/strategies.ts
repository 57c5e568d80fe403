import { inWords } from '../forecast.js';
import type { ScaleInput, ScaleStrategy, ScaleWish } from './types.js';

export interface DrainOptions {
  /** A backlog should be gone within so many milliseconds. Default 300,000. */
  readonly drainMs?: number;
}

/**
 * As many consumers as it takes to read what comes in and, within `drainMs`, what waits; no more than there are while less
 * than a second's worth waits. Of consumers that were never seen to be busy all the time it is not known how fast they
 * are; a group that falls behind then gets one more at a time.
 */
export function drainStrategy({ drainMs = 300_000 }: DrainOptions = {}): ScaleStrategy {
  return (input) => {
    const { group, stream, consumers, perConsumerRate } = input;
    if (group.lag.kind === 'unknown') return undefined;
    const { addedPerSecond } = stream;
    const waits = group.lag.entries;
    if (consumers === 0)
      return waits === 0 ? undefined : { consumers: 1, reason: `${waits} entries wait and nobody reads` };
    if (addedPerSecond === undefined) return undefined;
    if (perConsumerRate === undefined || perConsumerRate <= 0) return fallBack(input, waits);
    const needed = (addedPerSecond + (waits * 1000) / drainMs) / perConsumerRate;
    const wanted = Math.max(1, Math.ceil(needed - 1e-9));
    // Whoever keeps up is fast enough, whatever the figures say.
    const keepsUp = waits <= addedPerSecond;
    return {
      consumers: keepsUp ? Math.min(consumers, wanted) : wanted,
      reason: drainReason(input, { waits, drainMs, perConsumerRate, addedPerSecond }),
    };
  };
}

function fallBack({ group, consumers }: ScaleInput, waits: number): ScaleWish | undefined {
  if (waits === 0) return undefined;
  const isLate = group.status === 'BEHIND' || group.status === 'STALLED' || group.status === 'LOSING';
  return isLate ? { consumers: consumers + 1, reason: `the group is ${group.status}` } : undefined;
}

interface DrainFigures {
  readonly waits: number;
  readonly drainMs: number;
  readonly perConsumerRate: number;
  readonly addedPerSecond: number;
}

function drainReason({ group, consumers }: ScaleInput, figures: DrainFigures): string {
  const { waits, drainMs, perConsumerRate, addedPerSecond } = figures;
  const atLeast = group.lag.kind === 'at-least' ? 'at least ' : '';
  const backlog =
    waits === 0 ? 'nothing waits' : `${atLeast}${waits} entries wait, to be read within ${inWords(drainMs)}`;
  const speed = `${Math.round(addedPerSecond)}/s come in, and consumers (${consumers}) read ${Math.round(perConsumerRate)}/s each at most`;
  return `${speed}; ${backlog}`;
}

export interface RateOptions {
  /** Percent from which there should be more consumers. Default 50. */
  readonly scaleOutPercent?: number;
  /** Percent below which there should be fewer. Default 10. */
  readonly scaleInPercent?: number;
}

/** Entries that wait, in percent of those that are being worked on, from 1 to 100; 0 when none is. */
export function backlogRate(waiting: number, pending: number): number {
  if (pending === 0) return 0;
  return Number(Math.min(100, Math.max(1, (waiting / pending) * 100)).toFixed(4));
}

/**
 * The rule of the Python package redis-streams: it compares what waits with what is pending. One consumer more or less
 * at a time. With our lag, which is right where its own count is off by one or needs the whole range.
 */
export function rateStrategy({ scaleOutPercent = 50, scaleInPercent = 10 }: RateOptions = {}): ScaleStrategy {
  return ({ group, consumers }) => {
    if (group.lag.kind === 'unknown') return undefined;
    const waiting = group.lag.entries;
    const rate = backlogRate(waiting, group.pending);
    const reason = `${waiting} entries wait and ${group.pending} are pending, a rate of ${rate} %`;
    const isOut = rate === 0 ? waiting > 0 : rate >= scaleOutPercent;
    if (isOut)
      return { consumers: consumers + 1, reason: `${reason}; at ${scaleOutPercent} % it takes more` };
    const isIn = consumers > 1 && rate < scaleInPercent && (rate > 0 || waiting > 0);
    if (isIn) return { consumers: consumers - 1, reason: `${reason}; below ${scaleInPercent} % fewer do` };
    return { consumers, reason };
  };
}
