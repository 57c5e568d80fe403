import type { CountingState } from '../../redis/insights-reader.js';
import { Problems } from '../../options/problems.js';
import { type Moment, toBound } from '../moment.js';

/**
 * A span of time: a length that ends now (`15m`, `1h`, `2d`, or milliseconds), or from one moment to another. `to` is by
 * default now.
 */
export type InsightsWindow = string | number | { readonly from: Moment; readonly to?: Moment };

const LENGTH = /^\d+(?:\.\d+)?(?:ms|[smhdw])$/;

/** The buckets of a window, and those of the equally long time before it. */
export interface WindowBuckets {
  /** The first bucket's first millisecond. */
  readonly from: number;
  readonly to: number;
  /** Starts of buckets. */
  readonly starts: readonly number[];
  /** Undefined where the time before is not kept, or was not counted from its beginning. */
  readonly before: readonly number[] | undefined;
}

export function isWindow(value: unknown): value is InsightsWindow {
  if (typeof value === 'string') return LENGTH.test(value);
  if (typeof value === 'number') return Number.isFinite(value) && value > 0;
  if (typeof value !== 'object' || value === null) return false;
  const span = spanOf(value as { from: Moment; to?: Moment }, 0);
  return span !== undefined && Object.keys(value).every((key) => key === 'from' || key === 'to');
}

/** In milliseconds; undefined for what is no window. */
export function spanOf(window: InsightsWindow, now: number): { from: number; to: number } | undefined {
  if (typeof window === 'number') return { from: now - window, to: now };
  if (typeof window === 'object' && !isMoment(window.from)) return undefined;
  const from = toBound(typeof window === 'string' ? window : window.from, now)?.ms;
  const end = typeof window === 'object' ? window.to : undefined;
  const to = end === undefined ? now : isMoment(end) ? toBound(end, now)?.ms : undefined;
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` for a window that ends before it begins. */
export function orderedSpan(window: InsightsWindow, now: number): { from: number; to: number } {
  const span = spanOf(window, now) ?? { from: now, to: now };
  if (span.from <= span.to) return span;
  const problems = new Problems();
  problems.add('window', 'it ends before it begins. Give { from, to } with the earlier one as from');
  throw problems.toError();
}

function isMoment(value: unknown): value is Moment {
  return typeof value === 'string' || typeof value === 'number' || value instanceof Date;
}

/** A window is made of whole buckets, of those that are still kept. */
export function bucketsOf(
  { from, to }: { readonly from: number; readonly to: number },
  { bucketMs, keptBuckets, since }: CountingState,
  now: number,
): WindowBuckets {
  const startOf = (ms: number): number => Math.floor(ms / bucketMs) * bucketMs;
  const oldest = startOf(now) - (keptBuckets - 1) * bucketMs;
  const first = Math.max(startOf(from), oldest);
  const starts: number[] = [];
  for (let start = first; start <= Math.min(to, now); start += bucketMs) starts.push(start);
  const beforeFrom = first - starts.length * bucketMs;
  const isKnown = beforeFrom >= oldest && since <= beforeFrom;
  return {
    from: first,
    to: Math.min(now, first + starts.length * bucketMs),
    starts,
    before: isKnown ? starts.map((_, index) => beforeFrom + index * bucketMs) : undefined,
  };
}
