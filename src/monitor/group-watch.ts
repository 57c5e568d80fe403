import type { GroupState, PendingState, StreamState } from '../redis/monitor-replies.js';
import { compareIds } from '../redis/entry-id.js';
import { adviceFor } from './advice.js';
import type { CountBudget } from './count-budget.js';
import { isLossNear, limitToForecast, losingInMs as forecast } from './forecast.js';
import { entriesOf, type GroupPoint, groupStatus } from './group-status.js';
import { LagTracker } from './lag.js';
import { LossAccount } from './loss.js';
import type { Count } from './patient-count.js';
import { Rate, RATE_SAMPLES } from './rate.js';
import type { ConsumerSample, EntryCount, GroupSample, GroupStatus, OldestPending } from './types.js';

export interface GroupLimits {
  readonly window: number;
  readonly consumerIdleMs: number;
  readonly claimTimeoutMs: number;
}

/** What a group shares with the others of its stream in one sample. */
export interface StreamMoment {
  readonly state: StreamState;
  readonly serverMs: number;
  /** Since the sample before; undefined at the first. */
  readonly elapsedMs: number | undefined;
  readonly addedPerSecond: number | undefined;
  /** What the stream keeps, as told or as seen; undefined: not known. */
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly budget: CountBudget;
  readonly at: Date;
  /** The age of the first entry after this id. */
  ageOfNext(id: string): Promise<number | undefined>;
}

export interface Correction {
  readonly group: string;
  readonly lastDeliveredId: string;
  readonly entriesRead: number;
}

/** Follows one group of one stream from sample to sample. */
export class GroupWatch {
  /** What Redis' count of entries read should be; undefined when it is right, or when that is not known. */
  correction: Correction | undefined;
  readonly #stream: string;
  readonly #limits: GroupLimits;
  readonly #lag: LagTracker;
  readonly #loss = new LossAccount();
  readonly #read = new Rate();
  readonly #acknowledged = new Rate();
  #points: GroupPoint[] = [];
  #pending: number | undefined;
  /** Milliseconds between the last samples. */
  #elapsed: readonly number[] = [];
  #oldest: { readonly id: string; readonly sinceMs: number } | undefined;
  #status: { readonly status: GroupStatus; readonly since: Date } | undefined;

  constructor(stream: string, limits: GroupLimits, count: Count) {
    this.#stream = stream;
    this.#limits = limits;
    this.#lag = new LagTracker(count);
  }

  async sample(moment: StreamMoment, group: GroupState): Promise<GroupSample> {
    const { state, serverMs } = moment;
    const { lag, step, entriesReadShouldBe } = await this.#lag.read(state, group, moment.budget);
    this.#correct(group, entriesReadShouldBe);
    this.#rates(moment, group, step?.read);
    const timeBehindMs = await timeBehind(moment, group, lag);
    const losingMs = this.#forecast(moment, { lag, pending: group.pending, timeBehindMs });
    this.#elapsed = [...this.#elapsed, moment.elapsedMs ?? 0].slice(-RATE_SAMPLES);
    const soonMs = this.#elapsed.reduce((sum, each) => sum + each, 0);
    const isDue = losingMs !== undefined && losingMs <= soonMs;
    this.#loss.note({ state, group, lag, lost: step?.lost, isDue });
    const losingInMs = this.#loss.isLosing ? undefined : losingMs;
    const consumers = group.consumers.map((consumer) => ({
      name: consumer.name,
      idleMs: Math.max(0, serverMs - consumer.seenAtMs),
      inactiveMs: inactive(consumer.activeAtMs, serverMs),
      pending: consumer.pending,
    }));
    const oldestPending = this.#oldestPending(group.oldestPending, serverMs);
    const oldestPendingForMs = oldestPending?.pendingForMs;
    this.#note(group, { lag, timeBehindMs, oldestPendingForMs, consumers, losingInMs });
    const { status, since } = this.#judge(moment.at);
    const sample = {
      stream: this.#stream,
      group: group.name,
      status,
      since,
      lag,
      redisLag: group.lag,
      timeBehindMs,
      pending: group.pending,
      oldestPending,
      lastDeliveredId: group.lastDeliveredId,
      entriesRead: group.entriesRead,
      readPerSecond: this.#read.perSecond,
      acknowledgedPerSecond: this.#acknowledged.perSecond,
      lost: this.#loss.lost,
      losingInMs,
      retentionUsed: retentionUsed(moment.maxLength, lag, group.pending),
      consumers,
    };
    return { ...sample, advice: adviceFor(sample) };
  }

  /** To be told when Redis' count was corrected as `correction` says. */
  corrected(): void {
    if (this.correction !== undefined) this.#lag.corrected(this.correction.entriesRead);
    this.correction = undefined;
  }

  #correct(group: GroupState, entriesRead: number | undefined): void {
    this.correction =
      entriesRead === undefined
        ? undefined
        : { group: group.name, lastDeliveredId: group.lastDeliveredId, entriesRead };
  }

  #rates({ elapsedMs }: StreamMoment, { pending }: GroupState, read: number | undefined): void {
    const before = this.#pending;
    this.#pending = pending;
    if (elapsedMs === undefined) return;
    this.#read.add(read, elapsedMs);
    if (read === undefined || before === undefined) return;
    this.#acknowledged.add(Math.max(0, read + before - pending), elapsedMs);
  }

  #oldestPending(pending: PendingState | undefined, serverMs: number): OldestPending | undefined {
    if (pending === undefined) {
      this.#oldest = undefined;
      return undefined;
    }
    const { id, consumer, deliveries, deliveredAtMs } = pending;
    const before = this.#oldest?.id === id ? this.#oldest.sinceMs : serverMs;
    this.#oldest = { id, sinceMs: Math.min(before, deliveredAtMs) };
    return { id, consumer, deliveries, pendingForMs: Math.max(0, serverMs - this.#oldest.sinceMs) };
  }

  #note(group: GroupState, seen: Seen): void {
    const { consumerIdleMs, window } = this.#limits;
    this.#points.push({
      lag: seen.lag,
      pending: group.pending,
      lastDeliveredId: group.lastDeliveredId,
      timeBehindMs: seen.timeBehindMs,
      oldestPendingForMs: seen.oldestPendingForMs,
      liveConsumers: seen.consumers.filter(({ idleMs }) => idleMs < consumerIdleMs).length,
      isLosing: this.#loss.isLosing,
      isLossNear: isLossNear(seen.losingInMs),
    });
    if (this.#points.length > window) this.#points = this.#points.slice(-window);
  }

  #judge(at: Date): { readonly status: GroupStatus; readonly since: Date } {
    const status = groupStatus(this.#points, this.#limits);
    if (this.#status?.status !== status) this.#status = { status, since: at };
    return this.#status;
  }

  #forecast(
    { maxLength, maxAgeMs, addedPerSecond }: StreamMoment,
    seen: { lag: EntryCount; pending: number; timeBehindMs: number | undefined },
  ): number | undefined {
    if (seen.lag.kind !== 'exact') return undefined;
    // One interval is no trend, and what waits in one sample alone is on its way.
    const before = this.#points.at(-1);
    if (before === undefined || this.#points.length < 2 || entriesOf(before.lag) === 0) return undefined;
    return forecast({
      ...seen,
      lag: seen.lag.entries,
      maxLength: limitToForecast(seen.lag.entries, maxLength),
      maxAgeMs: limitToForecast(seen.timeBehindMs, maxAgeMs),
      addedPerSecond,
      readPerSecond: this.#read.perSecond,
    });
  }
}

interface Seen {
  readonly lag: EntryCount;
  readonly timeBehindMs: number | undefined;
  readonly oldestPendingForMs: number | undefined;
  readonly consumers: readonly ConsumerSample[];
  readonly losingInMs: number | undefined;
}

async function timeBehind(
  moment: StreamMoment,
  { lastDeliveredId }: GroupState,
  lag: EntryCount,
): Promise<number | undefined> {
  if (entriesOf(lag) === 0) return 0;
  const { firstId } = moment.state;
  const next = firstId !== undefined && compareIds(lastDeliveredId, firstId) < 0 ? firstId : undefined;
  return moment.ageOfNext(next === undefined ? `(${lastDeliveredId}` : next);
}

function inactive(activeAtMs: number | undefined, serverMs: number): number | undefined {
  return activeAtMs === undefined || activeAtMs < 0 ? undefined : Math.max(0, serverMs - activeAtMs);
}

function retentionUsed(maxLength: number | undefined, lag: EntryCount, pending: number): number | undefined {
  if (maxLength === undefined || maxLength === 0 || lag.kind === 'unknown') return undefined;
  return (lag.entries + pending) / maxLength;
}
