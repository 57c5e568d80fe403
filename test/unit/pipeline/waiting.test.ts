import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrainWaiters } from '../../../src/pipeline/drain-waiters.js';
import { NumberRanges } from '../../../src/pipeline/number-ranges.js';
import { Backoff, systemRuntime, timeLimitOf } from '../../../src/pipeline/runtime.js';
import { PROPERTY_RUNS } from '../../support/arbitrary-record.js';
import { ManualRuntime } from './pipeline-harness.js';

describe('The wait between two tries', () => {
  it('is by chance between a tenth and the whole of a bound that doubles up to its limit', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const property = fc.property(chance, fc.integer({ min: 0, max: 60 }), (random, tries) => {
      const backoff = new Backoff(() => random, 100, 2_000);
      for (let at = 0; at < tries; at++) backoff.next();
      const bound = Math.min(2_000, 100 * 2 ** tries);
      const wait = backoff.next();
      expect(wait).toBeGreaterThanOrEqual(bound / 10);
      expect(wait).toBeLessThan(bound);
      expect(wait).toBeCloseTo(bound / 10 + random * bound * 0.9);
    });
    fc.assert(property);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff(() => 0.5, 100, 2_000);
    const waits = [backoff.next(), backoff.next(), backoff.next()];
    backoff.reset();
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual(waits);
  });

  it('spreads many producers that lost one server at once', () => {
    const waits = Array.from({ length: 2_000 }, () => new Backoff(Math.random, 100, 2_000).next());
    const perBucket = Array.from({ length: 9 }, (_, at) =>
      waits.filter((wait) => Math.floor(wait / 10) === at + 1),
    );
    expect(perBucket.flat()).toHaveLength(2_000);
    for (const { length } of perBucket) expect(length).toBeLessThan(3 * (2_000 / 9));
  });
});

describe('The system as a runtime', () => {
  it('has a clock that never goes back, and timers that can be cancelled', async () => {
    const before = systemRuntime.now();
    const called: string[] = [];
    const cancel = systemRuntime.after(1, () => called.push('cancelled'), true);
    cancel();
    await new Promise<void>((resolve) => {
      systemRuntime.after(
        5,
        () => {
          called.push('kept');
          resolve();
        },
        true,
      );
    });
    expect(called).toEqual(['kept']);
    expect(systemRuntime.now()).toBeGreaterThan(before);
  });
});

describe('Numbers that will never come', () => {
  it('are counted once each, however often and in whatever pieces they were added', () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(10))
      .map(([from, more]) => [from, from + more] as const);
    const property = fc.property(
      fc.array(range, { maxLength: 10 }),
      fc.array(range, { maxLength: 5 }),
      (added, asked) => {
        const ranges = new NumberRanges();
        const numbers = new Set<number>();
        for (const [from, to] of added) {
          ranges.add(from, to);
          for (let number = from; number <= to; number++) numbers.add(number);
        }
        for (const [from, to] of asked) {
          const expected = [...numbers].filter((number) => number >= from && number <= to).length;
          expect(ranges.countWithin(from, to)).toBe(expected);
        }
        ranges.clear();
        expect(ranges.countWithin(1, 100)).toBe(0);
      },
    );
    fc.assert(property, { numRuns: PROPERTY_RUNS });
  });
});

describe('Those who wait for records to have an outcome', () => {
  interface Waiting {
    readonly runtime: ManualRuntime;
    readonly drain: DrainWaiters;
    oldest: number;
  }

  function waiters(): Waiting {
    const runtime = new ManualRuntime();
    const drain = new DrainWaiters(runtime, () => all.oldest);
    const all: Waiting = { runtime, drain, oldest: Infinity };
    return all;
  }

  it('are told at once when nothing is pending up to their record', async () => {
    const all = waiters();
    all.oldest = 6;
    expect(await all.drain.drained(5, 1_000)).toBe(false);
  });

  it('are told when the oldest pending record is a later one, each in its turn', async () => {
    const all = waiters();
    all.oldest = 1;
    const told: number[] = [];
    const waiting = [3, 1, 2].map((target) => all.drain.drained(target, 1_000).then(() => told.push(target)));
    all.drain.check();
    await Promise.resolve();
    expect(told).toEqual([]);
    for (const oldest of [2, 3, 4]) {
      all.oldest = oldest;
      all.drain.check();
      await new Promise(setImmediate);
    }
    await Promise.all(waiting);
    expect(told).toEqual([1, 2, 3]);
  });

  it('are told by their deadline that the time was up, and only once', async () => {
    const all = waiters();
    all.oldest = 1;
    const waiting = all.drain.drained(1, 100);
    all.runtime.advance(99);
    all.runtime.advance(1);
    expect(await waiting).toBe(true);
    all.oldest = Infinity;
    all.drain.check();
  });

  it('for any change at all are told at the next one, or by their deadline', async () => {
    const all = waiters();
    const told: string[] = [];
    const first = all.drain.nextChange(100).then(() => told.push('a change'));
    all.drain.check();
    await first;
    const second = all.drain.nextChange(100).then(() => told.push('the deadline'));
    all.runtime.advance(99);
    await new Promise(setImmediate);
    expect(told).toEqual(['a change']);
    all.runtime.advance(1);
    await second;
    expect(told).toEqual(['a change', 'the deadline']);
  });

  it('for an answer get it, or what stands in for it when it comes too late', async () => {
    const all = waiters();
    expect(await all.drain.within(Promise.resolve('answer'), 100, 'late')).toBe('answer');
    const late = all.drain.within(new Promise<string>(() => {}), 100, 'late');
    all.runtime.advance(100);
    expect(await late).toBe('late');
  });
});

describe('The time that a caller gives', () => {
  it.each([
    [{ timeoutMs: 5 }, 5],
    [{ timeoutMs: 0 }, 0],
    [{ timeoutMs: -5 }, 0],
    [{ timeoutMs: Infinity }, 2 ** 31 - 1],
    [{ timeoutMs: 1e12 }, 2 ** 31 - 1],
    [{ timeoutMs: Number.NaN }, 70],
    [{ timeoutMs: '9' }, 70],
    [{ timeoutMs: null }, 70],
    [{}, 70],
    [undefined, 70],
    [null, 70],
  ])('is what a timer can hold, or the default where it is none: %j', (options, limit) => {
    expect(timeLimitOf(options, 70)).toBe(limit);
  });

  it('is not up at once where a timer cannot hold it', async () => {
    const called: number[] = [];
    const cancels = [2 ** 31, 1e12, Infinity].map((ms) =>
      systemRuntime.after(ms, () => called.push(ms), true),
    );
    await new Promise<void>((resolve) => {
      systemRuntime.after(20, resolve, true);
    });
    for (const cancel of cancels) cancel();
    expect(called).toEqual([]);
  });
});
