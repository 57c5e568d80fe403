import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTimestamp, parseCount, parseTimestamp } from '../../../src/codec/timestamp.js';
import type { HrTime } from '../../../src/record/log-record.js';
import { arbitraryTime, PROPERTY_RUNS } from '../../support/arbitrary-record.js';

describe('A timestamp', () => {
  it('is the exact number of nanoseconds, and comes back as it was', () => {
    fc.assert(
      fc.property(arbitraryTime(), (time) => {
        const text = formatTimestamp(time);
        expect(text).toBe(String(BigInt(time[0]) * 1_000_000_000n + BigInt(time[1])));
        expect(parseTimestamp(text)).toEqual(time);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('before 1970, or of no number at all, is 0, which is read as unknown', () => {
    const times = [
      [-1, 0],
      [-1, 999_999_999],
      [0, -1],
      [NaN, 0],
      [1, NaN],
      [Infinity, 0],
      [1, -Infinity],
    ];
    for (const time of times as HrTime[]) expect(formatTimestamp(time)).toBe('0');
    for (const time of [undefined, null, 5, [], ['1', '2'], {}]) {
      expect(formatTimestamp(time as unknown as HrTime)).toBe('0');
    }
  });

  it('carries nanoseconds above a second, and fractions, into the right place', () => {
    expect(formatTimestamp([5, 1_000_000_000])).toBe('6000000000');
    expect(formatTimestamp([5, -1])).toBe('4999999999');
    expect(formatTimestamp([1.5, 0.9])).toBe('1500000000');
    expect(formatTimestamp([1_763_700_000, 123_456_789.75])).toBe('1763700000123456789');
  });

  it('after the last moment that OTLP knows is that moment', () => {
    for (const time of [
      [18_446_744_073, 709_551_616],
      [18_446_744_074, 0],
      [1e300, 0],
    ] as HrTime[]) {
      expect(formatTimestamp(time)).toBe('18446744073709551615');
    }
  });

  it('that is not 1 to 20 digits up to 2^64 - 1 is none', () => {
    const texts = [
      '',
      '-1',
      '+1',
      '1.5',
      '1e3',
      ' 1',
      '1 ',
      'a',
      '\u0661',
      '18446744073709551616',
      '9'.repeat(20),
    ];
    for (const text of [...texts, '000000000000000000001']) expect(parseTimestamp(text)).toBeUndefined();
  });
});

describe('A count', () => {
  it('is read up to 2^53 - 1, and nothing else is', () => {
    expect(parseCount('0')).toBe(0);
    expect(parseCount('9007199254740991')).toBe(9_007_199_254_740_991);
    for (const text of ['', '-1', '1.0', '9007199254740992', '1e3', 'x', '99999999999999999']) {
      expect(parseCount(text)).toBeUndefined();
    }
  });
});
