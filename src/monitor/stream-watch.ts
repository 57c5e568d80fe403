import { InsightsReader } from '../redis/insights-reader.js';
import type { MonitorConnection } from '../redis/monitor-connection.js';
import { problemOf } from '../redis/monitor-connection.js';
import {
  countEntries,
  deadLetterCount,
  memoryUsage,
  readGuard,
  readPage,
  readStream,
} from '../redis/monitor-reads.js';
import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';
import { idAgeMs } from '../redis/id-clock.js';
import type { CountBudget } from './count-budget.js';
import { ErrorWatch } from './error-watch.js';
import { GapWatch } from './gaps.js';
import { type Correction, GroupWatch, type StreamMoment } from './group-watch.js';
import type { ResolvedMonitorOptions } from './options.js';
import { Rate } from './rate.js';
import type { GroupSample, StreamSample } from './types.js';

/** Entries whose numbers are followed per sample, at most: about 13 ms of the server's time. */
const GAP_ENTRIES = 10_000;
const GAP_PAGE = 1_000;

/** What one sample shares among its streams. */
export interface SampleContext {
  readonly at: Date;
  readonly nowMs: number;
  readonly budget: CountBudget;
}

interface Before {
  readonly state: StreamState;
  readonly serverMs: number;
}

/** Follows one stream and its groups from sample to sample. */
export class StreamWatch {
  readonly stream: string;
  readonly #connection: MonitorConnection;
  readonly #options: ResolvedMonitorOptions;
  readonly #groups = new Map<string, GroupWatch>();
  readonly #added = new Rate();
  readonly #removed = new Rate();
  readonly #gaps = new GapWatch();
  readonly #errors: ErrorWatch;
  #before: Before | undefined;
  #last: StreamSample | undefined;
  #memory: { readonly bytes: number | undefined; readonly atMs: number } | undefined;
  #keptLength: number | undefined;
  /** How far the numbers of producers were followed. */
  #followed: { id: string; position: number } | undefined;

  constructor(stream: string, connection: MonitorConnection, options: ResolvedMonitorOptions) {
    this.stream = stream;
    this.#connection = connection;
    this.#options = options;
    const reader = new InsightsReader(connection);
    this.#errors = new ErrorWatch({ stream, reader, intervalMs: options.insightsIntervalMs });
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Counts of entries read that Redis has wrong and we have right. */
  get corrections(): Correction[] {
    return [...this.#groups.values()].flatMap(({ correction }) => correction ?? []);
  }

  corrected(group: string): void {
    this.#groups.get(group)?.corrected();
  }

  /** Never rejects: what went wrong is the sample's `problem`, beside what was seen last. */
  async sample(context: SampleContext): Promise<StreamSample> {
    try {
      const { state, serverMs } = await readStream(this.#connection, this.stream);
      this.#last =
        state === undefined ? this.#missing(serverMs) : await this.#present({ state, serverMs }, context);
    } catch (error) {
      return unread(this.#last ?? this.#missing(undefined), problemOf(error), context.at);
    }
    return this.#last;
  }

  #missing(serverMs: number | undefined): StreamSample {
    if (serverMs !== undefined) this.#forget();
    return {
      stream: this.stream,
      serverMs,
      exists: false,
      problem: undefined,
      length: 0,
      entriesAdded: undefined,
      addedPerSecond: undefined,
      removedPerSecond: undefined,
      firstEntryId: undefined,
      lastGeneratedId: '0-0',
      oldestAgeMs: undefined,
      newestAgeMs: undefined,
      memoryBytes: undefined,
      deadLetters: undefined,
      errors: undefined,
      groups: [],
      producers: [],
    };
  }

  /** A stream that is made anew has nothing to do with the one before. */
  #forget(): void {
    this.#before = undefined;
    this.#groups.clear();
    this.#memory = undefined;
    this.#keptLength = undefined;
    this.#followed = undefined;
    this.#gaps.skip();
    this.#errors.forget();
    this.#added.clear();
    this.#removed.clear();
  }

  async #present({ state, serverMs }: Before, context: SampleContext): Promise<StreamSample> {
    const elapsedMs = this.#before === undefined ? undefined : serverMs - this.#before.serverMs;
    this.#rates(state, elapsedMs);
    this.#before = { state, serverMs };
    const moment = this.#moment({ state, serverMs }, elapsedMs, context);
    const { nowMs } = context;
    const [groups, memoryBytes, deadLetters, errors] = await Promise.all([
      this.#sampleGroups(moment),
      this.#memoryBytes(nowMs),
      deadLetterCount(this.#connection, this.stream).catch(() => undefined),
      this.#errors.sample({ nowMs, serverMs, lastGeneratedId: state.lastGeneratedId }),
      this.#options.gaps ? this.#followNumbers(state) : undefined,
    ]);
    return {
      stream: this.stream,
      serverMs,
      exists: true,
      problem: undefined,
      length: state.length,
      entriesAdded: state.entriesAdded,
      addedPerSecond: this.#added.perSecond,
      removedPerSecond: this.#removed.perSecond,
      firstEntryId: state.firstId,
      lastGeneratedId: state.lastGeneratedId,
      oldestAgeMs: state.firstId === undefined ? undefined : idAgeMs(state.firstId, serverMs),
      newestAgeMs: state.length === 0 ? undefined : idAgeMs(state.lastGeneratedId, serverMs),
      memoryBytes,
      deadLetters,
      errors,
      groups,
      producers: this.#gaps.samples(),
    };
  }

  #rates(state: StreamState, elapsedMs: number | undefined): void {
    const before = this.#before?.state;
    if (before === undefined || elapsedMs === undefined) return;
    const { added, removed } = changes(before, state);
    if (added === undefined || added < 0) {
      // Counted anew: after a failover, a restore or XSETID.
      this.#added.clear();
      this.#removed.clear();
      return;
    }
    this.#added.add(added, elapsedMs);
    this.#removed.add(removed, elapsedMs);
    if (removed !== undefined && removed > 0 && state.firstId !== before.firstId)
      this.#keptLength = state.length;
  }

  #moment(now: Before, elapsedMs: number | undefined, { at, budget }: SampleContext): StreamMoment {
    const { retention } = this.#options;
    return {
      state: now.state,
      serverMs: now.serverMs,
      elapsedMs,
      addedPerSecond: this.#added.perSecond,
      maxLength: retention.maxLength ?? this.#keptLength,
      maxAgeMs: retention.maxAgeMs,
      budget,
      at,
      ageOfNext: async (from) => {
        const [next] = await readPage(this.#connection, { stream: this.stream, from, to: '+' }, 1);
        return next === undefined ? undefined : idAgeMs(next.id, now.serverMs);
      },
    };
  }

  async #sampleGroups(moment: StreamMoment): Promise<GroupSample[]> {
    const { groups: named } = this.#options;
    const groups = moment.state.groups.filter(({ name }) => named === undefined || named.includes(name));
    const present = new Set(groups.map(({ name }) => name));
    for (const name of this.#groups.keys()) if (!present.has(name)) this.#groups.delete(name);
    return Promise.all(groups.map((group) => this.#watchOf(group).sample(moment, group)));
  }

  #watchOf({ name }: GroupState): GroupWatch {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const count = (range: { from: string; to: string }, limit: number): ReturnType<typeof countEntries> =>
      countEntries(this.#connection, { stream: this.stream, ...range }, limit);
    const watch = new GroupWatch(this.stream, this.#options, count);
    this.#groups.set(name, watch);
    return watch;
  }

  async #memoryBytes(nowMs: number): Promise<number | undefined> {
    if (this.#memory !== undefined && nowMs - this.#memory.atMs < this.#options.memoryIntervalMs) {
      return this.#memory.bytes;
    }
    const bytes = await memoryUsage(this.#connection, this.stream).catch(() => undefined);
    this.#memory = { bytes, atMs: nowMs };
    return bytes;
  }

  async #followNumbers(state: StreamState): Promise<void> {
    const followed = this.#followed ?? { id: state.lastGeneratedId, position: state.entriesAdded ?? 0 };
    this.#followed = followed;
    if (isTrimmedUnseen(state, followed)) this.#gaps.skip();
    const producers = new Set<string>();
    for (let read = 0; read < GAP_ENTRIES;) {
      const range = { stream: this.stream, from: `(${followed.id}`, to: state.lastGeneratedId };
      const page = await readPage(this.#connection, range, GAP_PAGE);
      for (const producer of this.#gaps.note(page)) producers.add(producer);
      followed.id = page.at(-1)?.id ?? followed.id;
      followed.position += page.length;
      read += page.length;
      if (page.length < GAP_PAGE) break;
    }
    const tell = async (producer: string): Promise<void> => {
      const guard = readGuard(this.#connection, this.stream, producer);
      this.#gaps.account(producer, await guard.catch(() => undefined));
    };
    await Promise.all([...producers].map(tell));
  }
}

/** What was seen last, less what can have changed since: a lag that is old would pass for one that is true. */
function unread(last: StreamSample, problem: string, at: Date): StreamSample {
  const reason = `the stream cannot be read: ${problem}`;
  const groups = last.groups.map((group) => ({
    ...group,
    status: 'UNKNOWN' as const,
    since: at,
    advice: `The lag cannot be told: ${reason}.`,
    lag: { kind: 'unknown', reason } as const,
    timeBehindMs: undefined,
    readPerSecond: undefined,
    acknowledgedPerSecond: undefined,
    losingInMs: undefined,
    retentionUsed: undefined,
  }));
  const unknown = { errors: undefined, addedPerSecond: undefined, removedPerSecond: undefined };
  return { ...last, ...unknown, problem, groups };
}

/** Entries added and removed; of Redis before 7.0 only known while nothing is trimmed. */
function changes(
  before: StreamState,
  now: StreamState,
): { added: number | undefined; removed: number | undefined } {
  const grown = now.length - before.length;
  if (now.entriesAdded === undefined || before.entriesAdded === undefined) {
    return now.firstId === before.firstId
      ? { added: grown, removed: 0 }
      : { added: undefined, removed: undefined };
  }
  const added = now.entriesAdded - before.entriesAdded;
  return { added, removed: Math.max(0, added - grown) };
}

/** Whether entries were trimmed that come after the last one that was followed. */
function isTrimmedUnseen(
  { firstId, entriesAdded, length }: StreamState,
  followed: { readonly id: string; readonly position: number },
): boolean {
  if (entriesAdded !== undefined) return entriesAdded - length > followed.position;
  return firstId !== undefined && compareIds(firstId, followed.id) > 0;
}
