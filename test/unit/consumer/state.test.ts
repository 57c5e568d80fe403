import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/consumer/dead-letters.js';
import type { LogEntry } from '../../../src/consumer/entry.js';
import { HeldEntries } from '../../../src/consumer/held-entries.js';
import { NumberRanges, rangesByProducer } from '../../../src/consumer/number-ranges.js';
import { compareIds, idBefore } from '../../../src/redis/entry-id.js';

const arbitraryId = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 48n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  .map(([ms, sequence]) => `${ms}-${sequence}`);

function entry(seq: number, producer: string | undefined = 'p'): LogEntry {
  return { id: `1-${seq}`, producer, seq, key: `${producer}:${seq}`, deliveryCount: 1, record: {} as never };
}

describe('Entry ids', () => {
  it('are ordered as numbers, and each has one right before it', () => {
    fc.assert(
      fc.property(arbitraryId, arbitraryId, (a, b) => {
        const number = (id: string): bigint => {
          const [ms = '', sequence = ''] = id.split('-');
          return (BigInt(ms) << 64n) + BigInt(sequence);
        };
        expect(Math.sign(compareIds(a, b))).toBe(number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0);
        if (number(a) > 0n) expect(number(idBefore(a))).toBe(number(a) - 1n);
      }),
    );
  });
});

describe('The note of what is handled', () => {
  it('has exactly the numbers that were put into it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (numbers) => {
        const [note] = rangesByProducer(numbers.map((number) => entry(number)));
        const ranges = new NumberRanges(note?.ranges);
        const all = Array.from({ length: 62 }, (_, at) => at);
        expect(all.filter((number) => ranges.has(number))).toEqual(
          [...new Set(numbers)].sort((a, b) => a - b),
        );
      }),
    );
  });

  it('is one for each producer, and none for entries of nobody', () => {
    const entries = [entry(1), entry(2), entry(9, 'q'), { ...entry(3), producer: undefined }];
    expect(rangesByProducer(entries)).toEqual([
      { producer: 'p', ranges: '1-2' },
      { producer: 'q', ranges: '9-9' },
    ]);
    expect(new NumberRanges(undefined).has(1)).toBe(false);
  });
});

describe('What waits for its next try', () => {
  it('comes when it is due, in the order of the times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), (times) => {
        const held = new HeldEntries();
        for (const [at, dueAt] of times.entries()) held.retry([entry(at)], dueAt);
        expect(held.waiting).toBe(times.length);
        const taken: number[] = [];
        for (let now = 0; now <= 50; now++) {
          for (let due = held.takeDue(now); due; due = held.takeDue(now))
            taken.push(times[due[0]?.seq ?? -1] ?? -1);
          expect(held.nextDueAt).toBeGreaterThan(now);
        }
        expect(taken).toEqual(times.toSorted((a, b) => a - b));
        expect(held).toMatchObject({ waiting: 0, size: times.length, nextDueAt: Infinity });
      }),
    );
  });
});

describe('What a dead letter says of an error', () => {
  it('is its name and the first line, short, and without credentials', () => {
    expect(errorText(new TypeError('a https://u:p@h/x\nsecret'))).toBe('TypeError: a https://[Redacted]@h/x');
    expect(errorText(new Error('x'.repeat(1_000))).length).toBe(303);
    expect(errorText('text')).toBe('a thrown string');
    expect(errorText(null)).toBe('a thrown null');
    const hostile = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('no');
      },
    });
    expect(errorText(hostile)).toBe('an error that cannot be read');
  });
});
