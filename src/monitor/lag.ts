import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';
import type { CountBudget } from './count-budget.js';
import { hasDeletedAhead, hasJumped, isContinuous, isPassedByTrim, type Pair } from './continuity.js';
import { type Count, PatientCount } from './patient-count.js';
import type { EntryCount } from './types.js';

/** A sample in which the lag was known exactly. */
interface Known extends Pair {
  readonly lag: number;
}

export interface LagReading {
  readonly lag: EntryCount;
  /** Entries the group read since the last reading that was exact, and how many were trimmed unread meanwhile. */
  readonly step: Step | undefined;
  /** What `entries-read` should be, where it is known and differs. */
  readonly entriesReadShouldBe: number | undefined;
}

/** A lag by Redis' counters, and between what it was calculated. */
interface Calculation {
  readonly before: Known;
  readonly now: Pair;
  readonly calculated: number;
}

/** Does work that may fetch so many entries, and says how many it did. */
type Spend = (work: (limit: number) => Promise<number>) => Promise<void>;

export interface Step {
  readonly read: number;
  readonly lost: number;
}

/**
 * The true lag of one group, from sample to sample.
 *
 * Redis' own figure is used nowhere, because it is nil for groups made at `$` and stays too high after a trim. Three
 * cases are certain without counting: the stream is empty or read to its end (0), or all that is left was never
 * delivered (its length). In between, Redis' counters give the change since a sample whose lag was certain, as long as
 * nothing happened that they do not see. Otherwise the entries are counted, within a budget.
 */
export class LagTracker {
  #known: Known | undefined;
  #counting: PatientCount | undefined;
  /** Redis' counters were taken at their word since the last count was begun. */
  #isUnproven = false;
  readonly #count: Count;

  constructor(count: Count) {
    this.#count = count;
  }

  async read(stream: StreamState, group: GroupState, budget: CountBudget): Promise<LagReading> {
    const before = this.#known;
    const lag = await this.#lag(stream, group, budget);
    if (lag.kind !== 'exact') {
      this.#known = undefined;
      return { lag, step: undefined, entriesReadShouldBe: undefined };
    }
    this.#known = { lag: lag.entries, stream, group };
    const step = before === undefined ? undefined : stepBetween(before, this.#known);
    return { lag, step, entriesReadShouldBe: shouldBe(this.#known) };
  }

  /** Redis' count was set right since the last reading: from now on it counts from there. */
  corrected(entriesRead: number): void {
    if (this.#known === undefined) return;
    this.#known = { ...this.#known, group: { ...this.#known.group, entriesRead } };
  }

  async #lag(stream: StreamState, group: GroupState, budget: CountBudget): Promise<EntryCount> {
    const certain = certainLag(stream, group);
    if (certain !== undefined) return exact(certain);
    const now = { stream, group };
    const before = this.#known;
    const calculated = before === undefined ? undefined : calculate(before, now);
    if (before === undefined || calculated === undefined) return this.#counted(now, budget);
    const verified = await (calculated > budget.share
      ? this.#audited({ before, now, calculated }, budget.share)
      : this.#recounted(now, calculated));
    if (verified !== undefined) return exact(verified);
    // What was counted so far began before Redis' counters went wrong.
    this.#counting = undefined;
    return this.#counted(now, budget);
  }

  /** Undefined where there are more than was calculated: only a full count can tell how much more. */
  async #recounted({ stream, group }: Pair, calculated: number): Promise<number | undefined> {
    const range = { from: `(${group.lastDeliveredId}`, to: stream.lastGeneratedId };
    const { isComplete, entries } = await this.#count(range, calculated + 1);
    return isComplete ? entries : undefined;
  }

  /**
   * Holds a lag that is too long to be counted at once against what was read since the sample before. Where that is too
   * much as well, the lag is counted beside, a part with each sample, and corrected when that is done. Undefined where
   * it is certainly wrong.
   */
  async #audited({ before, now, calculated }: Calculation, share: number): Promise<number | undefined> {
    // A count under way gets its part, too.
    const limit = this.#counting === undefined ? share : Math.floor(share / 2);
    const { isWrong, fetched } = await this.#checkRead(before, now, limit);
    if (isWrong) return undefined;
    if (!this.#isUnproven && this.#counting === undefined) return calculated;
    const counting = await this.#advance(now, async (work) => void (await work(share - fetched)));
    return counting.lag === undefined ? calculated : lagSince(counting.start, counting.lag, now);
  }

  /** Counts on where the sample before stopped, if what happened since allows it. */
  async #counted(now: Pair, budget: CountBudget): Promise<EntryCount> {
    const counting = await this.#advance(now, (work) => budget.spend(work));
    const { start, lag } = counting;
    if (lag === undefined) return counting.soFar(now, budget.isOff ? NOT_COUNTED : BEING_COUNTED);
    const lagNow = lagSince(start, lag, now);
    const { isWrong } = await this.#checkRead({ ...start, lag }, now, budget.share);
    return lagNow === undefined || isWrong ? unknown(CHANGED) : exact(lagNow);
  }

  async #advance(now: Pair, spend: Spend): Promise<PatientCount> {
    const running = this.#counting?.holds(now) === true ? this.#counting : undefined;
    const counting = running ?? new PatientCount(now);
    if (running === undefined) this.#isUnproven = false;
    await spend((limit) => counting.advance(this.#count, limit));
    this.#counting = counting.lag === undefined ? counting : undefined;
    return counting;
  }

  /** XGROUP SETID sets Redis' count of entries read to anything: whether as many are there as it says were read. */
  async #checkRead(before: Known, now: Pair, limit: number): Promise<{ isWrong: boolean; fetched: number }> {
    const read = readBetween(before, now) ?? 0;
    if (read === 0) return { isWrong: false, fetched: 0 };
    const range = { from: `(${before.group.lastDeliveredId}`, to: now.group.lastDeliveredId };
    const { isComplete, entries } = await this.#count(range, Math.min(read + 1, limit));
    this.#isUnproven ||= !isComplete;
    return { isWrong: isComplete ? entries !== read : entries > read, fetched: entries };
  }
}

const NOT_COUNTED = 'nothing is counted with countLimit: 0; raise countLimit';
const BEING_COUNTED = 'it is still being counted; raise countLimit to have it sooner';
const CHANGED = 'the stream changed while it was counted';

function certainLag(stream: StreamState, group: GroupState): number | undefined {
  const { length, firstId, lastGeneratedId } = stream;
  if (length === 0 || firstId === undefined) return 0;
  if (compareIds(group.lastDeliveredId, lastGeneratedId) >= 0) return 0;
  if (compareIds(group.lastDeliveredId, firstId) < 0) return length;
  return undefined;
}

/** What a lag has become since. */
function lagSince(start: Pair, lag: number, now: Pair): number | undefined {
  return start === now ? lag : calculate({ ...start, lag }, now);
}

/** By Redis' counters, if they saw everything that happened since; undefined if they may not have. */
function calculate(before: Known, now: Pair): number | undefined {
  if (!isContinuous(before, now) || hasDeletedAhead(before, now) || hasJumped(before, now)) return undefined;
  const added = (now.stream.entriesAdded ?? 0) - (before.stream.entriesAdded ?? 0);
  const read = readBetween(before, now);
  if (read === undefined || isPassedByTrim(before, now)) return undefined;
  const lag = before.lag + added - read;
  return lag > 0 && lag <= now.stream.length ? lag : undefined;
}

/** Entries the group got in between; undefined where Redis did not count them. */
function readBetween(before: Known, now: Pair): number | undefined {
  if (now.group.lastDeliveredId === before.group.lastDeliveredId) return 0;
  // A group made without a count gets one with its first entry, and then by its true position.
  const counted = before.group.entriesRead ?? (before.stream.entriesAdded ?? 0) - before.lag;
  if (now.group.entriesRead === undefined) return undefined;
  const read = now.group.entriesRead - counted;
  return read > 0 ? read : undefined;
}

/** What became of the entries that waited and came: read, lost, or still waiting. */
function stepBetween(before: Known, now: Known): Step | undefined {
  if (!isContinuous(before, now) || hasJumped(before, now)) return undefined;
  const gone = before.lag + (now.stream.entriesAdded ?? 0) - (before.stream.entriesAdded ?? 0) - now.lag;
  if (gone < 0) return undefined;
  if (!isPassedByTrim(before, now)) return hasDeletedAhead(before, now) ? undefined : { read: gone, lost: 0 };
  const read = readBetween(before, now);
  return read === undefined || read > gone ? undefined : { read, lost: gone - read };
}

/** Where every entry was counted, the group's position is what was added less what waits. */
function shouldBe({ lag, stream, group }: Known): number | undefined {
  const { entriesAdded, maxDeletedId = '0-0' } = stream;
  if (entriesAdded === undefined) return undefined;
  // An entry deleted ahead of the group counts as added and is never read: Redis' sum cannot come out right.
  if (compareIds(maxDeletedId, group.lastDeliveredId) > 0 && lag > 0) return undefined;
  const position = entriesAdded - lag;
  return position >= 0 && position !== group.entriesRead ? position : undefined;
}

function exact(entries: number): EntryCount {
  return { kind: 'exact', entries };
}

function unknown(reason: string): EntryCount {
  return { kind: 'unknown', reason };
}
