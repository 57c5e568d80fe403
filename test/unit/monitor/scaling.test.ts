import fc from 'fast-check';
import {
  backlogRate,
  consumerHealth,
  drainStrategy,
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
  readonly consumers?: number;
}

function seen({ added, read, lag = 0, pending = 0, consumers = 1 }: Seen) {
  const members = Array.from({ length: consumers }, (_, index) => ({
    name: `c${index}`,
    idleMs: 100,
    inactiveMs: undefined,
    pending: 0,
  }));
  const group = groupSample({
    lag: { kind: 'exact', entries: lag },
    pending,
    readPerSecond: read,
    consumers: members,
  });
  return sampleWith([group], { addedPerSecond: added });
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
    expect(waiting.reason).toMatch(/; 1 have to be enough for 300 s first\.$/);
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

  it('is to have one where something waits and nobody reads', () => {
    const { advise } = advisorWith();
    expect(advise({ lag: 5, consumers: 0 })).toMatchObject({ decision: 'OUT', desired: 1 });
  });

  it('is STAY when nothing is known, and says what is not', () => {
    const group = groupSample({ lag: { kind: 'unknown', reason: 'it is still being counted' } });
    const advisor = new ScaleAdvisor();
    const [advice] = advisor.observe(sampleWith([group]));
    expect(advice).toMatchObject({
      decision: 'STAY',
      lag: null,
      reason: 'The lag is not known: it is still being counted.',
    });
  });

  it('never leaves its limits, and never scales in and out in one breath', () => {
    const step = fc.record({
      added: fc.integer({ min: 0, max: 5_000 }),
      lag: fc.integer({ min: 0, max: 1_000_000 }),
      afterMs: fc.integer({ min: 0, max: 10 * MINUTE }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { advise } = advisorWith({ perConsumerRate: 100, minConsumers: 2, maxConsumers: 20 });
        let consumers = 5;
        let lastOutMs = -Infinity;
        let nowMs = 0;
        for (const { added, lag, afterMs } of steps) {
          nowMs += afterMs;
          const { decision, desired } = advise({ added, lag, consumers }, afterMs);
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

describe('A strategy', () => {
  it('can be your own, and drain() knows nothing without figures', () => {
    const { advise } = advisorWith({ strategy: () => ({ consumers: 7, reason: 'because' }) });
    expect(advise({ consumers: 2 })).toMatchObject({ desired: 7, reason: 'Because.' });
    const stream = sampleWith([groupSample({})]).streams[0];
    const [group] = stream?.groups ?? [];
    if (stream === undefined || group === undefined) throw new Error('There is no sample.');
    expect(drainStrategy()({ stream, group, consumers: 1, perConsumerRate: undefined })).toBeUndefined();
  });
});
