import * as v from 'valibot';
import { RedisLogError } from '../../errors.js';
import { whole } from '../../options/schema.js';
import { systemRuntime } from '../../pipeline/runtime.js';
import { checkOptions } from '../options.js';
import type { GroupSample, MonitorSample, StreamSample } from '../types.js';
import { ConsumerSpeed } from './consumer-speed.js';
import { drainStrategy } from './strategies.js';
import type { ScaleAdvice, ScaleDecision, ScaleInput, ScaleStrategy, ScaleWish } from './types.js';
import { WishMemory } from './wish-memory.js';
import { abandoned, hasWork } from './work.js';

/** Options of {@link ScaleAdvisor}. An unknown key is an error. Numbers are whole, times in milliseconds. */
export interface ScaleAdvisorOptions {
  /** Default 1. With 0 a group has none when nothing waits, is pending or comes in, and only then. */
  readonly minConsumers?: number;
  /** Default 10. */
  readonly maxConsumers?: number;
  /** What one consumer reads, in entries per second. Default: as measured while more waited than was read. */
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
  readonly speed: ConsumerSpeed;
  readonly wishes: WishMemory;
}

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
    const { consumerIdleMs = 60_000, perConsumerRate } = this.#options;
    const live = group.consumers.filter(({ idleMs }) => idleMs < consumerIdleMs);
    const consumers = live.length;
    const memory = this.#memoryOf(group);
    memory.speed.note(group, consumers);
    const input = {
      stream,
      group,
      consumers,
      abandoned: abandoned(group, live),
      perConsumerRate: perConsumerRate ?? memory.speed.measured,
      seenPerConsumer: memory.speed.seen,
    };
    const wish = stream.problem === undefined ? this.#strategy(input) : undefined;
    const isUsable = wish !== undefined && !Number.isNaN(Math.ceil(wish.consumers));
    const none = wish === undefined ? noWish(stream, group) : 'the strategy gave no number';
    const { desired, reason } = this.#settle(input, isUsable ? wish : { consumers, reason: none }, memory);
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

  /** Between the limits, and not below what was wished for lately. What is there counts as wished for where nothing is known. */
  #settle(input: ScaleInput, wish: ScaleWish, { wishes }: Memory): { desired: number; reason: string } {
    const { maxConsumers = 10, scaleInAfterMs = 300_000 } = this.#options;
    const { consumers } = input;
    const { least, why } = this.#least(input);
    const wished = Math.ceil(wish.consumers);
    const limited = Math.min(maxConsumers, Math.max(least, wished));
    const highest = wishes.note(limited, this.#now()) ?? Infinity;
    // More at once. Fewer only when that was enough for long, but above the limit is above it now.
    const desired = Math.max(limited, Math.min(consumers, maxConsumers, highest));
    const limit = wished > maxConsumers ? `maxConsumers is ${maxConsumers}` : why;
    const capped = limited === wished ? '' : `, and ${limit}`;
    const waits =
      limited < desired
        ? `; ${limited} ${limited === 1 ? 'has' : 'have'} to be enough for ${scaleInAfterMs / 1000} s first`
        : '';
    const reason = `${wish.reason.charAt(0).toUpperCase()}${wish.reason.slice(1)}${capped}${waits}.`;
    return { desired, reason };
  }

  #least({ stream, group, consumers }: ScaleInput): { readonly least: number; readonly why: string } {
    const { minConsumers = 1 } = this.#options;
    // Of a stream that cannot be read nothing is known, and nobody need be woken for it.
    const needsOne = stream.problem === undefined && hasWork(stream, group, consumers);
    if (minConsumers > 0 || !needsOne) return { least: minConsumers, why: `minConsumers is ${minConsumers}` };
    return { least: 1, why: 'there has to be one unless there is certainly nothing to do' };
  }

  #memoryOf(group: GroupSample): Memory {
    const key = keyOf(group);
    const known = this.#memories.get(key);
    if (known !== undefined) return known;
    const { scaleInAfterMs = 300_000 } = this.#options;
    const memory = { speed: new ConsumerSpeed(), wishes: new WishMemory(scaleInAfterMs, this.#now()) };
    this.#memories.set(key, memory);
    return memory;
  }
}

function keyOf({ stream, group }: GroupSample): string {
  return JSON.stringify([stream, group]);
}

function noWish({ problem }: StreamSample, { lag }: GroupSample): string {
  if (problem !== undefined) return `the stream cannot be read: ${problem}`;
  if (lag.kind === 'unknown') return `the lag is not known: ${lag.reason}`;
  return 'too little is known yet of how fast entries come and are read';
}

function drainSeconds({ addedPerSecond }: StreamSample, { lag, readPerSecond }: GroupSample): number | null {
  if (lag.kind !== 'exact') return null;
  if (lag.entries === 0) return 0;
  if (addedPerSecond === undefined || readPerSecond === undefined) return null;
  const speed = readPerSecond - addedPerSecond;
  return speed > 0 ? Math.ceil(lag.entries / speed) : null;
}
