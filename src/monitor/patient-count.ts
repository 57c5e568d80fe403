import { compareIds } from '../redis/entry-id.js';
import { idMs } from '../redis/id-clock.js';
import { hasDeletedAhead, isContinuous, isPassedByTrim, type Pair } from './continuity.js';
import type { EntryCount } from './types.js';

/** Counts entries of the stream, at most `limit`. */
export type Count = (range: { from: string; to: string }, limit: number) => Promise<CountReply>;

export interface CountReply {
  readonly entries: number;
  readonly isComplete: boolean;
  readonly lastId: string | undefined;
}

/**
 * The lag of a group as it was at one instant, counted a part at a time over as many samples as it takes. It counts
 * from the group to the end of then, or from the start to the group, whichever is likely shorter: ids are clocks, and
 * entries come more or less evenly.
 */
export class PatientCount {
  /** The lag at the start; undefined until everything is counted. */
  lag: number | undefined;
  readonly start: Pair;
  readonly #fromStart: boolean;
  readonly #to: string;
  #from: string;
  #entries = 0;

  constructor(start: Pair) {
    this.start = start;
    const { stream, group } = start;
    const first = idMs(stream.firstId ?? stream.lastGeneratedId);
    this.#fromStart = idMs(group.lastDeliveredId) - first < (idMs(stream.lastGeneratedId) - first) / 2;
    this.#from = this.#fromStart ? (stream.firstId ?? '-') : `(${group.lastDeliveredId}`;
    this.#to = this.#fromStart ? group.lastDeliveredId : stream.lastGeneratedId;
  }

  /** Whether what was counted so far still holds. */
  holds(now: Pair): boolean {
    if (!isContinuous(this.start, now) || hasDeletedAhead(this.start, now)) return false;
    if (isPassedByTrim(this.start, now)) return false;
    // What is trimmed has to have been counted before.
    const next = this.#from.replace('(', '');
    return !this.#fromStart || compareIds(now.stream.firstId ?? '0-0', next) <= 0;
  }

  /** Returns how many entries that took. */
  async advance(count: Count, limit: number): Promise<number> {
    if (limit <= 0) return 0;
    const reply = await count({ from: this.#from, to: this.#to }, limit);
    this.#entries += reply.entries;
    if (reply.lastId !== undefined) this.#from = `(${reply.lastId}`;
    if (reply.isComplete) {
      this.lag = this.#fromStart ? this.start.stream.length - this.#entries : this.#entries;
    }
    return reply.entries;
  }

  /** What is certain before the end. */
  soFar({ stream, group }: Pair, reason: string): EntryCount {
    const hasMoved = group.lastDeliveredId !== this.start.group.lastDeliveredId;
    if (!this.#fromStart && !hasMoved && this.#entries > 0)
      return { kind: 'at-least', entries: this.#entries };
    const { maxDeletedId } = stream;
    const lastIsThere = maxDeletedId !== undefined && compareIds(maxDeletedId, group.lastDeliveredId) <= 0;
    if (lastIsThere) return { kind: 'at-least', entries: 1 };
    return { kind: 'unknown', reason };
  }
}
