import * as v from 'valibot';
import { whole } from '../../options/schema.js';
import { checkOptions } from '../options.js';
import { countOf, inWords } from '../words.js';
import type { ScaleInput, ScaleStrategy, ScaleWish } from './types.js';
import { hasWork } from './work.js';

export interface DrainOptions {
  /** A backlog should be gone within so many milliseconds, 1,000 to 86,400,000. Default 300,000. */
  readonly drainMs?: number;
}

const DRAIN = { drainMs: whole(1_000, 86_400_000) };

/**
 * As many consumers as it takes to read what comes in and, within `drainMs`, what waits and what is pending; no
 * more than there are while that is less than a second's worth, and none when there is nothing to do at all. Of consumers
 * that were never seen to be busy all the time it is not known how fast they are, only what they have read: a group that
 * falls behind then gets one more at a time.
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options.
 */
export function drainStrategy(options: DrainOptions = {}): ScaleStrategy {
  checkOptions(DRAIN, options);
  const { drainMs = 300_000 } = options;
  return (input) => {
    const { group, stream, consumers, perConsumerRate, seenPerConsumer, abandoned } = input;
    if (group.lag.kind === 'unknown') return undefined;
    if (!hasWork(stream, group, consumers))
      return { consumers: 0, reason: 'nothing waits, is pending or comes in' };
    const { addedPerSecond } = stream;
    const waits = group.lag.entries;
    const isMeasured = perConsumerRate !== undefined;
    const speed = perConsumerRate ?? seenPerConsumer;
    if (consumers === 0 && (!isMeasured || addedPerSecond === undefined)) return nobodyReads(input, waits);
    if (addedPerSecond === undefined) return undefined;
    // Whoever keeps up is fast enough, whatever the figures say.
    const keepsUp = consumers > 0 && waits + abandoned <= addedPerSecond;
    if (!isMeasured && !keepsUp) return oneMoreIfLate(input);
    if (speed === undefined) return undefined;
    const figures = { waits, drainMs, speed, addedPerSecond };
    const wanted = consumersFor(input, figures);
    return {
      consumers: keepsUp ? Math.min(consumers, wanted) : wanted,
      reason: drainReason(input, figures),
    };
  };
}

interface DrainFigures {
  readonly waits: number;
  readonly drainMs: number;
  /** Of one consumer, in entries per second. */
  readonly speed: number;
  readonly addedPerSecond: number;
}

function consumersFor(
  { group }: ScaleInput,
  { waits, drainMs, speed, addedPerSecond }: DrainFigures,
): number {
  const needed = (addedPerSecond + ((waits + group.pending) * 1000) / drainMs) / speed;
  return Math.max(1, Math.ceil(needed - 1e-9));
}

function nobodyReads({ group, stream }: ScaleInput, waits: number): ScaleWish {
  const { addedPerSecond = 0 } = stream;
  if (waits > 0) return { consumers: 1, reason: `${waiting(waits)} and nobody reads` };
  if (group.pending > 0)
    return { consumers: 1, reason: `${pendingInFull(group.pending)} and nobody works on that` };
  return { consumers: 1, reason: `${inFull(addedPerSecond)}/s come in and nobody reads` };
}

function oneMoreIfLate({ group, consumers }: ScaleInput): ScaleWish | undefined {
  const isLate = group.status === 'BEHIND' || group.status === 'STALLED' || group.status === 'LOSING';
  return isLate ? { consumers: consumers + 1, reason: `the group is ${group.status}` } : undefined;
}

function drainReason(input: ScaleInput, { waits, drainMs, speed, addedPerSecond }: DrainFigures): string {
  const { group, consumers, abandoned, perConsumerRate } = input;
  const atLeast = group.lag.kind === 'at-least' ? 'at least ' : '';
  const backlog = [
    ...(waits === 0 ? [] : [`${atLeast}${waiting(waits)}`]),
    ...(abandoned === 0 ? [] : [`${pendingInFull(abandoned)} that nobody works on`]),
  ].join(' and ');
  const done = abandoned === 0 ? 'read' : 'done';
  const work = backlog === '' ? 'nothing waits' : `${backlog}, to be ${done} within ${inWords(drainMs)}`;
  const speeds =
    perConsumerRate === undefined
      ? `were seen to read ${inFull(speed)}/s each`
      : `read ${inFull(speed)}/s each at most`;
  return `${inFull(addedPerSecond)}/s come in, and consumers (${consumers}) ${speeds}; ${work}`;
}

function waiting(entries: number): string {
  return `${countOf(entries, 'entry', 'entries')} ${entries === 1 ? 'waits' : 'wait'}`;
}

function pendingInFull(entries: number): string {
  return countOf(entries, 'entry is pending', 'entries are pending');
}

/** What is small is not shown as nothing. */
function inFull(rate: number): string {
  return String(rate >= 10 || rate === 0 ? Math.round(rate) : Number(rate.toPrecision(1)));
}

export interface RateOptions {
  /** Percent from which there should be more consumers, 0 to 100. Default 50. */
  readonly scaleOutPercent?: number;
  /** Percent below which there should be fewer, 0 to `scaleOutPercent`. Default 10. */
  readonly scaleInPercent?: number;
}

const PERCENT = 'a number from 0 to 100';
const percent = v.optional(v.pipe(v.number(PERCENT), v.minValue(0, PERCENT), v.maxValue(100, PERCENT)));
const RATE = { scaleOutPercent: percent, scaleInPercent: percent };

function isPercent(value: number): boolean {
  return value >= 0 && value <= 100;
}

/** Entries that wait, in percent of those that are being worked on, from 1 to 100; 0 when none is. */
export function backlogRate(waiting: number, pending: number): number {
  if (pending === 0) return 0;
  return Number(Math.min(100, Math.max(1, (waiting / pending) * 100)).toFixed(4));
}

/**
 * The rule of the Python package redis-streams: it compares what waits with what is pending. One consumer more or less
 * at a time, and never none. With our lag, which is right where its own count is off by one or needs the whole range.
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options.
 */
export function rateStrategy(options: RateOptions = {}): ScaleStrategy {
  checkOptions(RATE, options, (problems) => {
    const { scaleOutPercent: out = 50, scaleInPercent: below = 10 } = options;
    const areNumbers = isPercent(out) && isPercent(below);
    if (areNumbers && below > out)
      problems.add('scaleInPercent', `is ${below}. Give at most scaleOutPercent, ${out}`);
  });
  const { scaleOutPercent = 50, scaleInPercent = 10 } = options;
  return ({ group, consumers }) => {
    if (group.lag.kind === 'unknown') return undefined;
    const waits = group.lag.entries;
    const rate = backlogRate(waits, group.pending);
    const reason = `${waiting(waits)} and ${group.pending} are pending, a rate of ${rate} %`;
    const isOut = rate === 0 ? waits > 0 : rate >= scaleOutPercent;
    if (isOut)
      return { consumers: consumers + 1, reason: `${reason}; at ${scaleOutPercent} % it takes more` };
    const isIn = consumers > 1 && rate < scaleInPercent && (rate > 0 || waits > 0);
    if (isIn) return { consumers: consumers - 1, reason: `${reason}; below ${scaleInPercent} % fewer do` };
    return { consumers, reason };
  };
}
