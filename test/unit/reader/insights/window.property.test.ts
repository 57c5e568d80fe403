import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketsOf, isWindow, spanOf } from '../../../../src/reader/insights/window.js';

const NOW = 1_790_000_123_456;

describe('A window', () => {
  it.each<[window: unknown, from: number, to: number]>([
    ['15m', NOW - 900_000, NOW],
    ['1.5h', NOW - 5_400_000, NOW],
    ['2d', NOW - 172_800_000, NOW],
    [60_000, NOW - 60_000, NOW],
    [{ from: '1h' }, NOW - 3_600_000, NOW],
    [{ from: '2h', to: '1h' }, NOW - 7_200_000, NOW - 3_600_000],
    [{ from: new Date(NOW - 5), to: 'now' }, NOW - 5, NOW],
    [{ from: '2026-09-21T00:00:00Z', to: 1_789_950_000_000 }, 1_789_948_800_000, 1_789_950_000_000],
  ])('of %j is a span of time', (window, from, to) => {
    expect(isWindow(window)).toBe(true);
    expect(spanOf(window as string, NOW)).toEqual({ from, to });
  });

  it.each([
    undefined,
    null,
    '',
    'soon',
    '15',
    '-1h',
    '5y',
    0,
    -1,
    Number.NaN,
    {},
    { to: 1 },
    { from: {} },
    { from: '1h', too: 1 },
    [],
  ])('is not made of %j', (window) => {
    expect(isWindow(window)).toBe(false);
  });

  it('is covered by its buckets, without gap or overlap, as far as they are kept, and so is the time before', () => {
    fc.assert(
      fc.property(
        fc.record({
          bucketMs: fc.integer({ min: 1_000, max: 1_000_000 }),
          keptBuckets: fc.integer({ min: 2, max: 300 }),
          since: fc.integer({ min: NOW - 100_000_000, max: NOW }),
          from: fc.integer({ min: NOW - 100_000_000, max: NOW }),
          length: fc.integer({ min: 0, max: 100_000_000 }),
        }),
        ({ bucketMs, keptBuckets, since, from, length }) => {
          const to = from + length;
          const oldest = Math.floor(NOW / bucketMs) * bucketMs - (keptBuckets - 1) * bucketMs;
          const window = bucketsOf({ from, to }, { bucketMs, keptBuckets, since, until: NOW }, NOW);
          const { starts, before } = window;
          expect(starts.length).toBeLessThanOrEqual(keptBuckets);
          for (const [at, start] of starts.entries()) {
            expect(start % bucketMs).toBe(0);
            expect(start).toBe(window.from + at * bucketMs);
          }
          if (starts.length === 0) {
            expect(to).toBeLessThan(oldest);
            return;
          }
          expect(window.from).toBe(Math.max(oldest, Math.floor(from / bucketMs) * bucketMs));
          // Every moment of it that is kept and not in the future is in a bucket.
          const end = (starts.at(-1) ?? 0) + bucketMs;
          expect(end).toBeGreaterThan(Math.min(to, NOW));
          expect(window.to).toBe(Math.min(NOW, end));
          if (before === undefined) return;
          expect(before).toEqual(starts.map((start) => start - starts.length * bucketMs));
          expect(before[0]).toBeGreaterThanOrEqual(Math.max(oldest, since));
        },
      ),
    );
  });
});
