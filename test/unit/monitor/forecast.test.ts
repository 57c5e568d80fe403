import { describe, expect, it } from 'vitest';
import { type ForecastInput, losingInMs } from '../../../src/monitor/forecast.js';
import { inWords } from '../../../src/monitor/words.js';

const input = (given: Partial<ForecastInput>): ForecastInput => ({
  lag: 1_000,
  pending: 0,
  addedPerSecond: 100,
  readPerSecond: 50,
  timeBehindMs: 10_000,
  maxLength: undefined,
  maxAgeMs: undefined,
  ...given,
});

describe('The forecast of loss', () => {
  it('is the room that is left at the speed at which it fills', () => {
    expect(losingInMs(input({ maxLength: 13_000 }))).toBe(240_000);
    expect(losingInMs(input({ maxLength: 13_000, pending: 2_000 }))).toBe(200_000);
    expect(losingInMs(input({ maxLength: 500 }))).toBe(0);
  });

  it('is by age the time that is left, while reading slows the ageing down', () => {
    expect(losingInMs(input({ maxAgeMs: 60_000, readPerSecond: 0 }))).toBe(50_000);
    expect(losingInMs(input({ maxAgeMs: 60_000 }))).toBe(100_000);
  });

  it('is the nearer of both', () => {
    expect(losingInMs(input({ maxLength: 13_000, maxAgeMs: 60_000 }))).toBe(100_000);
  });

  it('is none for a group that keeps up, that has read all, or of which too little is known', () => {
    expect(losingInMs(input({ maxLength: 13_000, readPerSecond: 100, maxAgeMs: 60_000 }))).toBeUndefined();
    expect(losingInMs(input({ maxLength: 13_000, lag: 0 }))).toBeUndefined();
    expect(losingInMs(input({}))).toBeUndefined();
    expect(losingInMs(input({ maxLength: 13_000, readPerSecond: undefined }))).toBeUndefined();
  });
});

describe('A time in words', () => {
  it.each([
    [240, 'less than a second'],
    [12_000, '12 s'],
    [240_000, '4 min'],
    [3 * 3_600_000, '3 h'],
    [10 * 86_400_000, '10 days'],
  ])('of %i ms is "%s"', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });
});
