import { bucketsOf } from '../reader/insights/window.js';
import type { CountingState, InsightsReader } from '../redis/insights-reader.js';
import { isRefusal } from '../redis/monitor-connection.js';
import { addSpan, type CountedSpan, type ErrorTotals, noErrors } from './error-counts.js';
import { ErrorMessages } from './error-messages.js';
import type { ErrorSample } from './types.js';

/** How far back now goes, and how far back of that what is usual goes, in milliseconds. */
const RECENT_MS = 300_000;
const USUAL_MS = 3_600_000;
/** Counting that is further behind the stream than this says nothing about now. */
const BEHIND_MS = 60_000;

export interface ErrorWatchParts {
  readonly stream: string;
  readonly reader: InsightsReader;
  /** Between two looks. */
  readonly intervalMs: number;
}

/** A stream at the time of a sample. */
export interface CountedMoment {
  /** By a clock that never jumps. */
  readonly nowMs: number;
  readonly serverMs: number;
  readonly lastGeneratedId: string;
}

/**
 * Follows the errors of a stream whose messages are counted (docs/insights.md). A look costs one HMGET where nothing is
 * counted. Else it reads the spans of the last minutes; those of the hour before are over, and read once.
 */
export class ErrorWatch {
  readonly #parts: ErrorWatchParts;
  readonly #messages: ErrorMessages;
  /** Of spans that are over, by their start. */
  readonly #usual = new Map<number, ErrorTotals>();
  #counting: CountingState | undefined;
  #lookedAtMs: number | undefined;
  #last: ErrorSample | undefined;
  #isRefused = false;

  constructor(parts: ErrorWatchParts) {
    this.#parts = parts;
    this.#messages = new ErrorMessages(parts.stream, parts.reader);
  }

  /** Never rejects: what cannot be read is not known. */
  async sample(moment: CountedMoment): Promise<ErrorSample | undefined> {
    const sinceMs = moment.nowMs - (this.#lookedAtMs ?? -Infinity);
    if (this.#isRefused || sinceMs < this.#parts.intervalMs) return this.#last;
    this.#lookedAtMs = moment.nowMs;
    try {
      this.#last = await this.#look(moment);
    } catch (error) {
      this.#last = undefined;
      // Not asked again: a server keeps a log of refusals.
      this.#isRefused = isRefusal(error);
    }
    return this.#last;
  }

  /** For a stream that is gone. */
  forget(): void {
    this.#lookedAtMs = undefined;
    this.#last = undefined;
    this.#startAnew();
  }

  async #look({ serverMs, lastGeneratedId }: CountedMoment): Promise<ErrorSample | undefined> {
    const { stream, reader } = this.#parts;
    const counting = await reader.state(stream);
    if (counting === undefined) return undefined;
    if (Number.parseInt(lastGeneratedId, 10) - counting.until > BEHIND_MS) return undefined;
    if (!isContinued(this.#counting, counting)) this.#startAnew();
    this.#counting = counting;
    const { bucketMs, since } = counting;
    const spans = { stream, bucketMs, sections: await reader.sections(stream) };
    const { from, starts } = bucketsOf({ from: serverMs - RECENT_MS, to: serverMs }, counting, serverMs);
    const before = bucketsOf({ from: from - USUAL_MS, to: from - 1 }, counting, serverMs);
    const isHourKnown = since <= before.from && before.from <= from - USUAL_MS;
    const usual = isHourKnown ? await this.#usualTotals(before.starts, spans) : undefined;
    const recent = noErrors();
    for (const start of starts) await addSpan(reader, { ...spans, start }, recent);
    return {
      from,
      count: recent.errors,
      total: recent.total,
      share: shareOf(recent),
      usualShare: usual === undefined ? undefined : shareOf(usual),
      ...(await this.#messages.read(recent, { from, since })),
    };
  }

  async #usualTotals(starts: readonly number[], spans: Omit<CountedSpan, 'start'>): Promise<ErrorTotals> {
    for (const start of this.#usual.keys()) if (!starts.includes(start)) this.#usual.delete(start);
    const sum = { total: 0, errors: 0 };
    for (const start of starts) {
      const { total, errors } = this.#usual.get(start) ?? (await this.#read({ ...spans, start }));
      this.#usual.set(start, { total, errors });
      sum.total += total;
      sum.errors += errors;
    }
    return sum;
  }

  async #read(span: CountedSpan): Promise<ErrorTotals> {
    const counts = noErrors();
    await addSpan(this.#parts.reader, span, counts);
    return counts;
  }

  #startAnew(): void {
    this.#counting = undefined;
    this.#usual.clear();
    this.#messages.forget();
  }
}

/** Counting that was begun anew, or was rolled back by a failover, makes what was read before worthless. */
function isContinued(before: CountingState | undefined, now: CountingState): boolean {
  if (before === undefined) return false;
  return before.bucketMs === now.bucketMs && before.since === now.since && before.until <= now.until;
}

/** Nothing in nothing is not 0: it is not known. */
function shareOf({ total, errors }: ErrorTotals): number | undefined {
  return total === 0 ? undefined : errors / total;
}
