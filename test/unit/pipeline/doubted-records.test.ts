import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DoubtedRecords } from '../../../src/pipeline/doubted-records.js';
import { PROPERTY_RUNS } from '../../support/arbitrary-record.js';

type Takes = (number: number) => boolean;

/** Sends each list of numbers as a request, all at once, and returns what was refused and what was given up. */
function volley(
  doubts: DoubtedRecords,
  requests: readonly (readonly number[])[],
  takes: Takes,
): { readonly refused: number[]; readonly givenUp: number[] } {
  const refused: number[] = [];
  const givenUp: number[] = [];
  const sent = requests.map((numbers) => ({ request: doubts.sending(), numbers }));
  for (const { request, numbers } of sent) {
    const taken = numbers.map(takes);
    const passed = taken.filter(Boolean).length;
    doubts.passed(request, passed);
    numbers.forEach((number, at) => {
      const later = taken.slice(at + 1);
      const refusal = { request, passed, hasLater: later.length > 0, tookLater: later.includes(true) };
      if (taken[at] === true) doubts.settled(number);
      else if (doubts.isToBeSetAside(number, refusal)) givenUp.push(number);
      else refused.push(number);
    });
    for (const number of givenUp) doubts.settled(number);
  }
  return { refused, givenUp };
}

describe('Records that a server refuses without a known reason', () => {
  it('are never given up where it takes so many writes and refuses all that come after, however often', () => {
    const round = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }),
      quota: fc.integer({ min: 0, max: 12 }),
    });
    const property = fc.property(fc.array(round, { maxLength: 30 }), (rounds) => {
      const doubts = new DoubtedRecords();
      let next = 1;
      let again: number[] = [];
      for (const { sizes, quota } of rounds) {
        let left = quota;
        const fresh = sizes.map((size) => Array.from({ length: size }, () => next++));
        const done = volley(doubts, [again, ...fresh], () => left-- > 0);
        expect(done.givenUp).toEqual([]);
        expect(doubts.size).toBe(done.refused.length);
        again = done.refused;
      }
    });
    fc.assert(property, { numRuns: PROPERTY_RUNS });
  });

  it('are given up after three tries each, and no others, where it takes all but them', () => {
    const bad = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 19 });
    const property = fc.property(bad, fc.boolean(), (numbers, isSplit) => {
      const doubts = new DoubtedRecords();
      const isTaken: Takes = (number) => !numbers.includes(number);
      const givenUp: number[] = [];
      let again = Array.from({ length: 20 }, (_, at) => at + 1);
      let next = 21;
      for (let rounds = 0; again.length > 0; rounds++) {
        expect(rounds).toBeLessThan(5);
        const requests = isSplit ? again.map((number) => [number]) : [again];
        const done = volley(doubts, [...requests, [next++]], isTaken);
        givenUp.push(...done.givenUp);
        again = done.refused;
      }
      expect(givenUp.toSorted((a, b) => a - b)).toEqual(numbers.toSorted((a, b) => a - b));
      expect(doubts.size).toBe(0);
    });
    fc.assert(property, { numRuns: PROPERTY_RUNS });
  });

  it('are kept where nothing else is stored', () => {
    const doubts = new DoubtedRecords();
    for (let round = 0; round < 50; round++) {
      const refusal = { request: doubts.sending(), passed: 0, hasLater: true, tookLater: true };
      expect(doubts.isToBeSetAside(1, refusal)).toBe(false);
    }
    doubts.passed(doubts.sending(), 1);
    const refusal = { request: doubts.sending(), passed: 0, hasLater: true, tookLater: true };
    expect(doubts.isToBeSetAside(1, refusal)).toBe(true);
  });
});
