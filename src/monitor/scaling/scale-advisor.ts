import * as v from 'valibot';
import { RedisLogError } from '../../errors.js';
import { whole } from '../../options/schema.js';
import { systemRuntime } from '../../pipeline/runtime.js';
import { checkOptions } from '../options.js';
import { RATE_SAMPLES } from '../rate.js';
import type { GroupSample, MonitorSample, StreamSample } from '../types.js';
import { drainStrategy } from './strategies.js';
import type { ScaleAdvice, ScaleDecision, ScaleStrategy, ScaleWish } from './types.js';

/** Options of {@link ScaleAdvisor}. An unknown key is an error. Numbers are whole, times in milliseconds. */
export interface ScaleAdvisorOptions {
  /** Default 1. */
  readonly minConsumers?: number;
  /** Default 10. */
  readonly maxConsumers?: number;
  /** What one consumer reads, in entries per second. Default: the most that was seen while something waited. */
  readonly perConsumerRate?: number;
  /** A backlog should be gone within so many milliseconds. Default 300,000. Only for the default strategy. */
  readonly drainMs?: number;
  /** Fewer consumers must have been enough for so long before IN is said. Default 300,000. */
  readonly scaleInAfterMs?: number;
  /** Consumers that asked for nothing for so long do not count. Default 60,000. */
  readonly consumerIdleMs?: number;
  /** How the number is found. Default {@link drainStrategy}; {@link rateStrategy} is that of redis-streams. */
  readonly strategy?: ScaleStrategy;
  /** A clock in milliseconds that never jumps, for tests. Default `performance.now`. */
  readonly now?: () => number;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const ENTRIES = {
  minConsumers: whole(0, 10_000),
  maxConsumers: whole(1, 10_000),
  perConsumerRate: whole(1, 1_000_000_000),
  drainMs: whole(1_000, 86_400_000),
  scaleInAfterMs: whole(0, 86_400_000),
  consumerIdleMs: whole(100, 86_400_000),
  strategy: v.optional(v.custom<ScaleStrategy>(isFunction, 'a function')),
  now: v.optional(v.custom<() => number>(isFunction, 'a function')),
};

interface Memory {
  /** The highest rate of one consumer that was seen, fading out. */
  perConsumerRate: number | undefined;
  /** Samples in a row in which more waited than is read in a second. */
  busySamples: number;
  /** Wishes of the last `scaleInAfterMs`. */
  wishes: { readonly atMs: number; readonly consumers: number }[];
  /** Since when wishes are kept: a young memory does not scale in. */
  readonly sinceMs: number;
}

/** What was seen once is worth a little less with every sample, since handlers and machines change. */
const FADING = 0.98;

/**
 * Says how many consumers a group should have, and why in words. Quick to ask for more, slow to ask for fewer: only
 * when the highest wish of the last `scaleInAfterMs` is below what there is. It does nothing itself; KEDA, or whoever
 * runs the consumers, does (docs/scaling.md). Give it every sample of one monitor.
 */
export class ScaleAdvisor {
  readonly #options: ScaleAdvisorOptions;
  readonly #strategy: ScaleStrategy;
  readonly #now: () => number;
  readonly #memories = new Map<string, Memory>();
  #advice: readonly ScaleAdvice[] = [];

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: ScaleAdvisorOptions = {}) {
    checkOptions(ENTRIES, options, (problems) => {
      const { minConsumers = 1, maxConsumers = 10 } = options;
      if (minConsumers <= maxConsumers) return;
      problems.add('minConsumers', `got ${minConsumers}. Give at most maxConsumers, ${maxConsumers}`);
    });
    this.#options = options;
    const { drainMs } = options;
    this.#strategy = options.strategy ?? drainStrategy(drainMs === undefined ? {} : { drainMs });
    this.#now = options.now ?? (() => systemRuntime.now());
  }

  /** The advice that was given last, one for each group. */
  get last(): readonly ScaleAdvice[] {
    return this.#advice;
  }

  /** Advice for every group of a sample. */
  observe(sample: MonitorSample): readonly ScaleAdvice[] {
    const seen = new Set<string>();
    this.#advice = sample.streams.flatMap((stream) =>
      stream.groups.map((group) => {
        seen.add(keyOf(group));
        return this.#advise(stream, group);
      }),
    );
    const isWhole = sample.streams.every(({ problem }) => problem === undefined);
    if (isWhole) for (const key of this.#memories.keys()) if (!seen.has(key)) this.#memories.delete(key);
    return this.#advice;
  }

  /** The last advice for one group; `stream` may be left out where the group's name is unique. */
  adviceFor(group: string, stream?: string): ScaleAdvice {
    const found = this.#advice.filter(
      (each) => each.group === group && (stream ?? each.stream) === each.stream,
    );
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    const text =
      only === undefined
        ? `There is no advice for the group ${JSON.stringify(group)} yet. Check its name, and that the monitor has taken a sample.`
        : `More than one stream has a group ${JSON.stringify(group)}. Name the stream, too.`;
    throw new RedisLogError('REDIS_LOG_MISUSED', text, { subject: 'group' });
  }

  #advise(stream: StreamSample, group: GroupSample): ScaleAdvice {
    const { consumerIdleMs = 60_000 } = this.#options;
    const consumers = group.consumers.filter(({ idleMs }) => idleMs < consumerIdleMs).length;
    const memory = this.#remember(group, consumers);
    const perConsumerRate = this.#options.perConsumerRate ?? memory.perConsumerRate;
    const isReadable = stream.problem === undefined;
    const wish = isReadable ? this.#strategy({ stream, group, consumers, perConsumerRate }) : undefined;
    const { desired, reason } =
      wish === undefined
        ? { desired: consumers, reason: noWish(stream, group) }
        : this.#settle(wish, memory, consumers);
    const figures = {
      lag: group.lag.kind === 'unknown' ? null : group.lag.entries,
      pending: group.pending,
      addedPerSecond: stream.addedPerSecond ?? null,
      readPerSecond: group.readPerSecond ?? null,
      drainSeconds: drainSeconds(stream, group),
    };
    const decision: ScaleDecision = desired > consumers ? 'OUT' : desired < consumers ? 'IN' : 'STAY';
    return { stream: stream.stream, group: group.group, decision, consumers, desired, reason, ...figures };
  }

  /** Between the limits, and not below what was wished for lately. */
  #settle(wish: ScaleWish, memory: Memory, consumers: number): { desired: number; reason: string } {
    const { minConsumers = 1, maxConsumers = 10, scaleInAfterMs = 300_000 } = this.#options;
    const nowMs = this.#now();
    memory.wishes.push({ atMs: nowMs, consumers: wish.consumers });
    memory.wishes = memory.wishes.filter(({ atMs }) => nowMs - atMs <= scaleInAfterMs);
    const limited = Math.min(maxConsumers, Math.max(minConsumers, wish.consumers));
    const limit =
      wish.consumers > maxConsumers ? `maxConsumers is ${maxConsumers}` : `minConsumers is ${minConsumers}`;
    if (limited > consumers) return { desired: limited, reason: sentence(wish, limited, limit) };
    const isYoung = nowMs - memory.sinceMs < scaleInAfterMs;
    const highest = Math.max(...memory.wishes.map((each) => each.consumers));
    const lasting = Math.min(
      consumers,
      Math.min(maxConsumers, Math.max(minConsumers, isYoung ? consumers : highest)),
    );
    // Above the limit is above it now.
    const desired = consumers > maxConsumers ? maxConsumers : lasting;
    const waits =
      limited < desired ? `; ${limited} have to be enough for ${scaleInAfterMs / 1000} s first` : '';
    return {
      desired,
      reason: `${sentence(wish, limited, limit).slice(0, -1)}${waits}.`,
    };
  }

  #remember(group: GroupSample, consumers: number): Memory {
    const key = keyOf(group);
    const memory = this.#memories.get(key) ?? newMemory(this.#now());
    this.#memories.set(key, memory);
    const { readPerSecond = 0, lag } = group;
    if (memory.perConsumerRate !== undefined) memory.perConsumerRate *= FADING;
    // Only consumers that had no need to wait for entries, all through what the rate was taken from, show their speed.
    const isBusy = lag.kind !== 'unknown' && lag.entries > readPerSecond;
    memory.busySamples = isBusy ? memory.busySamples + 1 : 0;
    if (memory.busySamples > RATE_SAMPLES && consumers > 0 && readPerSecond > 0) {
      memory.perConsumerRate = Math.max(memory.perConsumerRate ?? 0, readPerSecond / consumers);
    }
    return memory;
  }
}

function newMemory(sinceMs: number): Memory {
  return { perConsumerRate: undefined, busySamples: 0, wishes: [], sinceMs };
}

function keyOf({ stream, group }: GroupSample): string {
  return JSON.stringify([stream, group]);
}

function sentence({ reason, consumers }: ScaleWish, limited: number, limit: string): string {
  const capped = limited === consumers ? '' : `, and ${limit}`;
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${capped}.`;
}

function noWish({ problem }: StreamSample, { lag }: GroupSample): string {
  if (problem !== undefined) return `The stream cannot be read: ${problem}.`;
  if (lag.kind === 'unknown') return `The lag is not known: ${lag.reason}.`;
  return 'Too little is known yet of how fast entries come and are read.';
}

function drainSeconds({ addedPerSecond }: StreamSample, { lag, readPerSecond }: GroupSample): number | null {
  if (lag.kind !== 'exact') return null;
  if (lag.entries === 0) return 0;
  if (addedPerSecond === undefined || readPerSecond === undefined) return null;
  const speed = readPerSecond - addedPerSecond;
  return speed > 0 ? Math.ceil(lag.entries / speed) : null;
}
