import fc from 'fast-check';
import {
  backlogRate,
  consumerHealth,
  type DrainOptions,
  drainStrategy,
  type GroupStatus,
  isRedisLogError,
  type RateOptions,
  rateStrategy,
  ScaleAdvisor,
  type ScaleAdvisorOptions,
} from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { groupSample, sampleWith } from './samples.js';

const MINUTE = 60_000;

interface Seen {
  readonly added?: number;
  readonly read?: number;
  readonly lag?: number;
  readonly pending?: number;
  /** Those that are alive. What is pending is held by dead ones. */
  readonly consumers?: number;
  readonly unknown?: string;
  readonly status?: GroupStatus;
  readonly problem?: string;
}

function seen({ added, read, lag = 0, pending = 0, consumers = 1, ...more }: Seen) {
  const members = Array.from({ length: consumers }, (_, index) => ({
    name: `c${index}`,
    idleMs: 100,
    inactiveMs: undefined,
    pending: 0,
  }));
  const dead = { name: 'dead', idleMs: 3_600_000, inactiveMs: undefined, pending };
  const group = groupSample({
    lag:
      more.unknown === undefined
        ? { kind: 'exact', entries: lag }
        : { kind: 'unknown', reason: more.unknown },
    pending,
    readPerSecond: read,
    consumers: pending === 0 ? members : [...members, dead],
    status: more.status ?? 'OK',
  });
  return sampleWith([group], { addedPerSecond: added, problem: more.problem });
}

function advisorWith(options: ScaleAdvisorOptions = {}) {
  const clock = { ms: 0 };
  const advisor = new ScaleAdvisor({ now: () => clock.ms, ...options });
  const advise = (figures: Seen, afterMs = 0) => {
    clock.ms += afterMs;
    const [advice] = advisor.observe(seen(figures));
    if (advice === undefined) throw new Error('No advice was given.');
    return advice;
  };
  return { advisor, advise };
}

describe('The advice to scale', () => {
  it('is OUT at once, by as many as it takes to keep up and to drain the backlog in time', () => {
    const { advise } = advisorWith({ perConsumerRate: 100, drainMs: 100_000 });
    const advice = advise({ added: 250, read: 100, lag: 15_000, consumers: 1 });
    expect(advice).toMatchObject({ decision: 'OUT', consumers: 1, desired: 4, drainSeconds: null });
    expect(advice.reason).toBe(
      '250/s come in, and consumers (1) read 100/s each at most; 15000 entries wait, to be read within 2 min.',
    );
  });

  it('learns what a consumer reads while something waits', () => {
    const { advise } = advisorWith({ drainMs: 100_000 });
    for (let round = 0; round < 5; round++) {
      expect(advise({ added: 300, read: 90, lag: 1_000 })).toMatchObject({ decision: 'STAY', desired: 1 });
    }
    expect(advise({ added: 300, read: 100, lag: 10_000 })).toMatchObject({ decision: 'OUT', desired: 4 });
  });

  it('does not take consumers that keep up for slow ones, because they read no more than there is', () => {
    const { advise } = advisorWith();
    for (let round = 0; round < 10; round++) {
      expect(advise({ added: 240, read: 233, lag: round % 3 })).toMatchObject({
        decision: 'STAY',
        desired: 1,
      });
    }
  });

  it('is IN only when fewer have been enough for the whole time, and STAY before', () => {
    const { advise } = advisorWith({ perConsumerRate: 100, scaleInAfterMs: 5 * MINUTE });
    expect(advise({ added: 350, consumers: 4 })).toMatchObject({ decision: 'STAY', desired: 4 });
    const waiting = advise({ added: 50, consumers: 4 }, MINUTE);
    expect(waiting).toMatchObject({ decision: 'STAY', desired: 4 });
    expect(waiting.reason).toMatch(/; 1 has to be enough for 300 s first\.$/);
    expect(advise({ added: 50, consumers: 4 }, 3 * MINUTE)).toMatchObject({ decision: 'STAY' });
    expect(advise({ added: 150, consumers: 4 }, MINUTE)).toMatchObject({ decision: 'STAY' });
    expect(advise({ added: 50, consumers: 4 }, 2 * MINUTE)).toMatchObject({ decision: 'IN', desired: 2 });
  });

  it('keeps to its limits and says so', () => {
    const { advise } = advisorWith({
      perConsumerRate: 100,
      maxConsumers: 3,
      minConsumers: 2,
      scaleInAfterMs: 0,
    });
    const out = advise({ added: 2_000, lag: 5_000, consumers: 1 });
    expect(out).toMatchObject({ decision: 'OUT', desired: 3 });
    expect(out.reason).toMatch(/, and maxConsumers is 3\.$/);
    const least = advise({ added: 10, consumers: 3 }, 1);
    expect(least).toMatchObject({ decision: 'IN', desired: 2 });
    expect(least.reason).toMatch(/, and minConsumers is 2\.$/);
  });

  it('stays right after hours with little to do: what a consumer can read is not forgotten meanwhile', () => {
    const { advise } = advisorWith();
    const every10s = (figures: Seen) => advise(figures, 10_000);
    for (let round = 0; round < 12; round++) every10s({ added: 100, read: 100, lag: 5_000 });
    for (let round = 0; round < 720; round++) every10s({ added: 10, read: 10 });
    expect(every10s({ added: 10, read: 10, lag: 15 })).toMatchObject({ decision: 'STAY', desired: 1 });
    for (let round = 0; round < 31; round++)
      every10s({ added: 1_000, read: 100, lag: 50_000, consumers: 10 });
    expect(every10s({ added: 10, read: 10, consumers: 10 })).toMatchObject({ decision: 'STAY', desired: 10 });
    for (let round = 0; round < 30; round++) every10s({ added: 10, read: 10, consumers: 10 });
    expect(every10s({ added: 10, read: 10, consumers: 10 })).toMatchObject({ decision: 'IN', desired: 1 });
  });

  it('comes back to what is needed after trouble, when the consumers there are follow it', () => {
    const { advise } = advisorWith();
    let lag = 0;
    let consumers = 1;
    const run = (minutes: number, capacity: number): number => {
      for (let sample = 0; sample < minutes * 6; sample++) {
        const read = Math.min(lag / 10 + 50, capacity * consumers);
        lag += (50 - read) * 10;
        const status = capacity === 0 ? 'STALLED' : 'OK';
        consumers = advise({ added: 50, read, lag: Math.round(lag), consumers, status }, 10_000).desired;
      }
      return consumers;
    };
    expect(run(10, 100)).toBe(1);
    expect(run(10, 0)).toBe(10);
    expect(run(5, 100)).toBe(10);
    expect(run(2, 100)).toBe(1);
    expect(run(20, 1)).toBe(10);
    expect(run(7, 100)).toBe(1);
  });

  it('follows consumers that have become slower, while they show it, and never takes them for slower than they are', () => {
    const { advise } = advisorWith({ drainMs: 100_000, maxConsumers: 1_000 });
    for (let round = 0; round < 6; round++) advise({ added: 300, read: 100, lag: 10_000 });
    expect(advise({ added: 300, read: 50, lag: 10_000 }).desired).toBeLessThanOrEqual(5);
    for (let round = 0; round < 100; round++) advise({ added: 300, read: 50, lag: 10_000 });
    expect(advise({ added: 300, read: 50, lag: 10_000 })).toMatchObject({ desired: 8 });
    // One that hangs reads nothing, which says nothing of its speed.
    for (let round = 0; round < 1_000; round++) advise({ added: 300, read: 0, lag: 10_000 });
    expect(advise({ added: 300, read: 0, lag: 10_000 })).toMatchObject({ desired: 8 });
    // And who reads more can do so, whether more waits or not.
    expect(advise({ added: 400, read: 400, lag: 0 }).reason).toContain('read 400/s each at most');
  });

  it('does not take consumers for slow because they hung while the rate was taken', () => {
    const { advise } = advisorWith();
    const late = { added: 100, lag: 10_000, status: 'STALLED' } as const;
    for (let round = 0; round < 10; round++) advise({ ...late, read: 0 });
    for (const read of [20, 40, 60, 80, 100]) {
      expect(advise({ ...late, status: 'OK', read })).toMatchObject({ decision: 'STAY', desired: 1 });
    }
    expect(advise({ ...late, status: 'OK', read: 100 }).reason).toContain('read 100/s each at most');
  });

  it('does not take consumers for fast because others that are gone read with them', () => {
    const { advise } = advisorWith({ drainMs: 100_000 });
    for (let round = 0; round < 10; round++) advise({ added: 400, read: 400, lag: 1_000, consumers: 4 });
    const { reason } = advise({ added: 400, read: 400, lag: 1_000, consumers: 1 });
    expect(reason).toContain('consumers (1) read 100/s each at most');
  });

  it('is IN as far as consumers were seen to read, where they never had to hurry', () => {
    const { advise } = advisorWith();
    for (let round = 0; round < 10; round++) advise({ added: 400, read: 400, consumers: 4 }, MINUTE);
    expect(advise({ added: 400, read: 400, consumers: 4 }, MINUTE)).toMatchObject({ decision: 'STAY' });
    for (let round = 0; round < 6; round++) advise({ added: 150, read: 150, consumers: 4 }, MINUTE);
    const fewer = advise({ added: 150, read: 150, consumers: 4 }, MINUTE);
    expect(fewer).toMatchObject({ decision: 'IN', desired: 2 });
    expect(fewer.reason).toBe(
      '150/s come in, and consumers (4) were seen to read 100/s each; nothing waits.',
    );
  });

  it('is one more at a time where the group is late and the speed of its consumers was never seen', () => {
    const { advise } = advisorWith();
    const late = { added: 300, read: 0, lag: 10_000, status: 'STALLED' } as const;
    expect(advise(late)).toMatchObject({ decision: 'OUT', desired: 2, reason: 'The group is STALLED.' });
    // Losses are told for a while after they ended.
    expect(advise({ added: 300, read: 300, lag: 100, status: 'LOSING' })).toMatchObject({ decision: 'STAY' });
  });

  it('waits again before it is IN when nothing was known for a while', () => {
    const { advise } = advisorWith({ perConsumerRate: 100 });
    for (let round = 0; round < 10; round++) advise({ added: 350, consumers: 4 }, MINUTE);
    for (let round = 0; round < 10; round++) {
      const advice = advise({ problem: 'Redis cannot be reached', consumers: 4 }, MINUTE);
      expect(advice).toMatchObject({
        decision: 'STAY',
        desired: 4,
        reason: 'The stream cannot be read: Redis cannot be reached.',
      });
    }
    expect(advise({ added: 50, consumers: 4 }, MINUTE)).toMatchObject({ decision: 'STAY' });
    expect(advise({ added: 50, consumers: 4 }, 6 * MINUTE)).toMatchObject({ decision: 'IN', desired: 1 });
  });

  it('counts what dead consumers hold as work, and is never less than minConsumers', () => {
    const { advise } = advisorWith({ perConsumerRate: 100, minConsumers: 2 });
    const advice = advise({ added: 0, read: 0, pending: 800, consumers: 0 });
    expect(advice).toMatchObject({ decision: 'OUT', consumers: 0, desired: 2, lag: 0, pending: 800 });
    expect(advice.reason).toBe(
      '0/s come in, and consumers (0) read 100/s each at most; 800 entries are pending that nobody works on, to be done within 5 min, and minConsumers is 2.',
    );
    expect(advise({ added: 0, pending: 60_000, consumers: 1 })).toMatchObject({ desired: 2 });
    expect(advise({ added: 0, pending: 90_000, consumers: 2 })).toMatchObject({
      decision: 'OUT',
      desired: 3,
    });
    for (const unsure of [{ unknown: 'it is still being counted' }, { problem: 'no connection' }, {}]) {
      for (const consumers of [0, 1]) {
        expect(advise({ ...unsure, consumers })).toMatchObject({ decision: 'OUT', desired: 2 });
      }
    }
    expect(advise({ unknown: 'no figures', consumers: 0 }).reason).toBe(
      'The lag is not known: no figures, and minConsumers is 2.',
    );
    expect(advise({ unknown: 'no figures', consumers: 12 })).toMatchObject({ decision: 'IN', desired: 10 });
  });

  it('goes to zero when nothing waits, is pending or comes in, and only then', () => {
    const working: Seen[] = [
      { added: 0, lag: 1 },
      { added: 0, pending: 1 },
      { added: 0.1 },
      {},
      { added: 0, unknown: 'it is still being counted' },
    ];
    for (const perConsumerRate of [undefined, 100]) {
      const options = perConsumerRate === undefined ? {} : { perConsumerRate };
      for (const figures of working) {
        const { advise } = advisorWith({ ...options, minConsumers: 0 });
        for (let round = 0; round < 20; round++) {
          expect(advise({ ...figures, consumers: 1 }, MINUTE)).toMatchObject({
            decision: 'STAY',
            desired: 1,
          });
        }
        const isKnown = figures.added !== undefined;
        const from = advise({ ...figures, consumers: 0 }, MINUTE);
        expect(from).toMatchObject(
          isKnown ? { decision: 'OUT', desired: 1 } : { decision: 'STAY', desired: 0 },
        );
      }
      const { advise } = advisorWith({ ...options, minConsumers: 0 });
      expect(advise({ added: 0, consumers: 2 })).toMatchObject({ decision: 'STAY', desired: 2 });
      const none = advise({ added: 0, consumers: 2 }, 5 * MINUTE);
      expect(none).toMatchObject({ decision: 'IN', desired: 0 });
      expect(none.reason).toBe('Nothing waits, is pending or comes in.');
      expect(advise({ added: 0, consumers: 0 }, MINUTE)).toMatchObject({ decision: 'STAY', desired: 0 });
    }
  });

  it('is a whole number between the limits, and never zero while there is work, whatever a strategy says', () => {
    const adviseFor = (wish: number) =>
      advisorWith({
        minConsumers: 0,
        maxConsumers: 4,
        scaleInAfterMs: 0,
        strategy: () => ({ consumers: wish, reason: 'so it is' }),
      }).advise({ added: 5, lag: 5, consumers: 2 });
    expect([0, -3, 2.5, Infinity].map((wish) => adviseFor(wish).desired)).toEqual([1, 1, 3, 4]);
    expect(adviseFor(0).reason).toBe(
      'So it is, and there has to be one unless there is certainly nothing to do.',
    );
    expect(adviseFor(Number.NaN)).toMatchObject({ decision: 'STAY', desired: 2 });
    expect(adviseFor(Number.NaN).reason).toBe('The strategy gave no number.');
  });

  it('is to have one where something waits and nobody reads', () => {
    const { advise } = advisorWith();
    const reasons = [{ lag: 5 }, { lag: 1 }, { pending: 5, added: 0 }, { added: 0.25 }].map((figures) => {
      expect(advise({ ...figures, consumers: 0 })).toMatchObject({ decision: 'OUT', desired: 1 });
      return advise({ ...figures, consumers: 0 }).reason;
    });
    expect(reasons).toEqual([
      '5 entries wait and nobody reads.',
      '1 entry waits and nobody reads.',
      '5 entries are pending and nobody works on that.',
      '0.3/s come in and nobody reads.',
    ]);
  });

  it('is STAY when nothing is known, and says what is not', () => {
    expect(advisorWith().advise({ unknown: 'it is still being counted' })).toMatchObject({
      decision: 'STAY',
      lag: null,
      reason: 'The lag is not known: it is still being counted.',
    });
  });

  it('never leaves its limits, and never scales in and out in one breath', () => {
    const step = fc.record({
      added: fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }),
      lag: fc.integer({ min: 0, max: 1_000_000 }),
      pending: fc.integer({ min: 0, max: 10_000 }),
      unknown: fc.option(fc.constant('nobody counted'), { nil: undefined, freq: 10 }),
      read: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
      afterMs: fc.integer({ min: 0, max: 10 * MINUTE }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, isTold) => {
        const told = isTold ? { perConsumerRate: 100 } : {};
        const { advise } = advisorWith({ ...told, minConsumers: 2, maxConsumers: 20 });
        let consumers = 5;
        let lastOutMs = -Infinity;
        let nowMs = 0;
        for (const { afterMs, ...figures } of steps) {
          nowMs += afterMs;
          const { decision, desired } = advise({ ...definedOf(figures), consumers }, afterMs);
          expect(desired).toBeGreaterThanOrEqual(2);
          expect(desired).toBeLessThanOrEqual(20);
          if (decision === 'OUT') lastOutMs = nowMs;
          if (decision === 'IN') expect(nowMs - lastOutMs).toBeGreaterThan(5 * MINUTE - 1);
          consumers = desired;
        }
      }),
    );
  });

  it('names wrong options all at once', () => {
    const wrong = {
      minConsumers: 5,
      maxConsumers: 2,
      strategy: 'fast',
      drain: 1,
    } as unknown as ScaleAdvisorOptions;
    expect(() => new ScaleAdvisor(wrong)).toThrow(
      /strategy: .*\n.*drain: unknown option|drain: unknown.*\n.*strategy/,
    );
    expect(() => new ScaleAdvisor({ minConsumers: 5, maxConsumers: 2 })).toThrow(/minConsumers: got 5/);
  });
});

describe('The tables in the README of redis-streams', () => {
  it('of the monitor: the same status for the same idle time and pending items', () => {
    const table: [idleMs: number, pending: number, status: string][] = [
      [923, 7, 'OK'],
      [294_191, 5, 'IDLE'],
      [361_502, 8, 'IDLE'],
      [8_658, 11, 'TOO MANY PENDING'],
      [11_734, 58, 'TOO MANY PENDING'],
      [14_216, 1, 'OK'],
    ];
    for (const [idleMs, pending, status] of table) {
      expect(consumerHealth({ idleMs, pending }, { batchSize: 10 })).toBe(status);
    }
    expect(consumerHealth({ idleMs: 30_000, pending: 10 }, { batchSize: 10 })).toBe('OK');
  });

  it('of the scaler: the same rate and decision for the same length and pending items', () => {
    const strategy = rateStrategy({ scaleOutPercent: 60, scaleInPercent: 20 });
    const decide = (lag: number, pending: number, consumers = 3): string => {
      const { advise } = advisorWith({ strategy, scaleInAfterMs: 0 });
      return advise({ lag, pending, consumers }).decision;
    };
    expect([backlogRate(11, 83), decide(11, 83)]).toEqual([13.253, 'IN']);
    expect([backlogRate(18, 79), decide(18, 79)]).toEqual([22.7848, 'STAY']);
    expect([backlogRate(0, 0), decide(0, 0)]).toEqual([0, 'STAY']);
    expect([backlogRate(5, 0), decide(5, 0)]).toEqual([0, 'OUT']);
    expect([backlogRate(500, 10), decide(500, 10)]).toEqual([100, 'OUT']);
    expect([backlogRate(0, 10), decide(0, 10)]).toEqual([1, 'IN']);
    expect(decide(1, 100, 1)).toBe('STAY');
  });
});

function definedOf<T extends object>(figures: T): Seen {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as Seen;
}

function problemsOf(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    if (!isRedisLogError(error)) throw error;
    expect(error.code).toBe('REDIS_LOG_INVALID_OPTIONS');
    return error.message.split('\n').slice(1);
  }
  return [];
}

describe('A strategy', () => {
  it('names options that are wrong, all at once', () => {
    const wrong = { scaleOut: 3, scaleOutPercent: 101, scaleInPercent: Number.NaN, other: 1 };
    expect(problemsOf(() => rateStrategy(wrong as RateOptions))).toEqual([
      '- scaleOutPercent: got 101. Give a number from 0 to 100, or leave it out.',
      '- scaleInPercent: got NaN. Give a number from 0 to 100, or leave it out.',
      '- scaleOut: unknown option. Leave it out.',
      '- other: unknown option. Leave it out.',
    ]);
    const crossed = { scaleOutPercent: 5, scaleInPercent: 20 };
    expect(problemsOf(() => rateStrategy(crossed))).toEqual([
      '- scaleInPercent: is 20. Give at most scaleOutPercent, 5.',
    ]);
    expect(problemsOf(() => rateStrategy({ scaleOutPercent: 5 }))).toHaveLength(1);
    expect(problemsOf(() => drainStrategy({ drainMs: -1, drain: 2 } as DrainOptions))).toHaveLength(2);
    for (const none of [7, null]) {
      expect(problemsOf(() => rateStrategy(none as RateOptions))).toHaveLength(1);
      expect(problemsOf(() => new ScaleAdvisor(none as ScaleAdvisorOptions))).toHaveLength(1);
    }
    expect(problemsOf(() => rateStrategy({ scaleOutPercent: 12.5, scaleInPercent: 12.5 }))).toEqual([]);
    expect(problemsOf(() => drainStrategy({ drainMs: undefined } as object))).toEqual([]);
  });

  it('can be your own, and drain() knows nothing without figures', () => {
    const { advise } = advisorWith({ strategy: () => ({ consumers: 7, reason: 'because' }) });
    expect(advise({ consumers: 2 })).toMatchObject({ desired: 7, reason: 'Because.' });
    const stream = sampleWith([groupSample({})]).streams[0];
    const [group] = stream?.groups ?? [];
    if (stream === undefined || group === undefined) throw new Error('There is no sample.');
    const input = { stream, group, perConsumerRate: undefined, seenPerConsumer: undefined, abandoned: 0 };
    expect(drainStrategy()({ ...input, consumers: 1 })).toBeUndefined();
  });
});
