import { InsightsReader } from '../redis/insights-reader.js';
import type { MonitorConnection } from '../redis/monitor-connection.js';
import { problemOf } from '../redis/monitor-connection.js';
import { countEntries, deadLetterCount, memoryUsage, readPage, readStream } from '../redis/monitor-reads.js';
import type { GroupState, StreamState } from '../redis/monitor-replies.js';
import { idAgeMs } from '../redis/id-clock.js';
import type { CountBudget } from './count-budget.js';
import { ErrorWatch } from './error-watch.js';
import { GapReader } from './gap-reader.js';
import { type Correction, GroupWatch, type StreamMoment } from './group-watch.js';
import type { ResolvedMonitorOptions } from './options.js';
import { Rate } from './rate.js';
import type { GroupSample, StreamSample } from './types.js';

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
  readonly #gaps: GapReader;
  readonly #errors: ErrorWatch;
  #before: Before | undefined;
  #last: StreamSample | undefined;
  #memory: { readonly bytes: number | undefined; readonly atMs: number } | undefined;
  #keptLength: number | undefined;

  constructor(stream: string, connection: MonitorConnection, options: ResolvedMonitorOptions) {
    this.stream = stream;
    this.#connection = connection;
    this.#options = options;
    this.#gaps = new GapReader(connection, stream);
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
    this.#gaps.startAnew();
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
      this.#options.gaps ? this.#gaps.read(state) : undefined,
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
