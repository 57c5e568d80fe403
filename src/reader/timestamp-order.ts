import { compareIds } from '../redis/entry-id.js';
import { Heap } from './heap.js';
import type { LogEntry } from './types.js';

/** A producer's clock may be so much ahead of the server's, in milliseconds. */
export const MAX_SKEW_MS = 5_000;

export interface TimestampOrderParts {
  readonly from: number;
  readonly to: number;
  readonly isReverse: boolean;
  readonly maxLatenessMs: number;
}

/**
 * Sorts by the records' own time what comes in the order of arrival. A record is due when nothing that arrives later can
 * come before it. One that comes even later than `maxLatenessMs` is handed out at once, out of order: it is not lost.
 */
export class TimestampOrder {
  readonly #parts: TimestampOrderParts;
  readonly #held: Heap<LogEntry>;

  constructor(parts: TimestampOrderParts) {
    const sign = parts.isReverse ? -1 : 1;
    this.#parts = parts;
    this.#held = new Heap((a, b) => sign * compareTimes(a, b));
  }

  /** Takes what lies between `from` and `to`. */
  add(entry: LogEntry): void {
    const ms = timeOf(entry);
    if (ms >= this.#parts.from && ms <= this.#parts.to) this.#held.push(entry);
  }

  /** The next record that is due when the search has come to this moment of arrival; undefined: to its end. */
  take(arrivalMs: number | undefined): LogEntry | undefined {
    const { top } = this.#held;
    return top !== undefined && this.#isDue(top, arrivalMs) ? this.#held.pop() : undefined;
  }

  #isDue(entry: LogEntry, arrivalMs: number | undefined): boolean {
    if (arrivalMs === undefined) return true;
    const { isReverse, maxLatenessMs } = this.#parts;
    const ms = timeOf(entry);
    return isReverse ? ms > arrivalMs + MAX_SKEW_MS : ms < arrivalMs - maxLatenessMs;
  }
}

/** Whole milliseconds. */
function timeOf({ record }: LogEntry): number {
  const [seconds, nanoseconds] = record.hrTime;
  return seconds * 1_000 + Math.floor(nanoseconds / 1e6);
}

function compareTimes(a: LogEntry, b: LogEntry): number {
  const [aSeconds, aNanos] = a.record.hrTime;
  const [bSeconds, bNanos] = b.record.hrTime;
  const byTime = aSeconds - bSeconds || aNanos - bNanos || compareIds(a.id, b.id);
  return byTime || (a.stream === b.stream ? 0 : a.stream < b.stream ? -1 : 1);
}
