import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIds, FIRST_ID, idBefore } from '../../../src/redis/entry-id.js';
import { GapWatch } from '../../../src/reader/gap-watch.js';
import { Heap } from '../../../src/reader/heap.js';
import { toBound } from '../../../src/reader/moment.js';
import { TailMerge } from '../../../src/reader/tail-merge.js';

const id = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  .map(([ms, seq]) => `${ms}-${seq}`);

describe('Entry ids', () => {
  it('are compared as the numbers that they are', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        const [aMs = 0n, aSeq = 0n] = a.split('-').map(BigInt);
        const [bMs = 0n, bSeq = 0n] = b.split('-').map(BigInt);
        const expected = aMs === bMs ? (aSeq === bSeq ? 0 : aSeq < bSeq ? -1 : 1) : aMs < bMs ? -1 : 1;
        expect(Math.sign(compareIds(a, b))).toBe(expected);
        if (a !== FIRST_ID) expect(compareIds(idBefore(a), a)).toBeLessThan(0);
      }),
    );
    expect(compareIds('5', '5-0')).toBe(0);
  });
});

describe('The heap', () => {
  it('hands out what it was given in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>((a, b) => a - b);
        for (const number of numbers) heap.push(number);
        expect(numbers.map(() => heap.pop())).toEqual(numbers.toSorted((a, b) => a - b));
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});

describe('A moment', () => {
  const now = Date.UTC(2026, 10, 21, 12);

  it.each([
    ['15m', now - 900_000],
    ['-2h', now - 7_200_000],
    ['1.5s', now - 1_500],
    ['now', now],
    ['2026-11-21T10:00:00Z', now - 7_200_000],
    ['2026-11-21', now - 43_200_000],
    [1_790_000_000_000, 1_790_000_000_000],
    [new Date(5), 5],
    ['1790000000000-3', 1_790_000_000_000],
  ])('is understood: %s', (text, ms) => {
    expect(toBound(text, now)?.ms).toBe(ms);
  });

  it.each(['yesterday', '', '15', '15 minutes', '2026', 'm', '-', new Date(Number.NaN), Number.NaN])(
    'is not guessed: %s',
    (text) => {
      const isId = text === '15' || text === '2026';
      expect(toBound(text, now)).toEqual(isId ? { id: text, ms: Number(text) } : undefined);
    },
  );
});

/** A stream as far as ids and trimming go. */
class FakeStream {
  ids: string[] = [];
  added = 0;
  #clock = 0;

  add(count: number): void {
    for (let i = 0; i < count; i++) this.ids.push(`${++this.#clock}-0`);
    this.added += count;
  }

  trim(length: number): void {
    this.ids = this.ids.slice(-length);
  }

  info() {
    return {
      length: this.ids.length,
      firstId: this.ids[0] ?? FIRST_ID,
      lastId: `${this.#clock}-0`,
      entriesAdded: this.added,
    };
  }

  after(cursor: string, count: number): string[] {
    return this.ids.filter((each) => compareIds(each, cursor) > 0).slice(0, count);
  }
}

describe('A tail that watches for gaps', () => {
  it('misses exactly what was trimmed before it came to it', () => {
    const steps = fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 20 }).map((count) => ({ kind: 'add', count })),
        fc.integer({ min: 1, max: 15 }).map((count) => ({ kind: 'trim', count })),
        fc.integer({ min: 1, max: 10 }).map((count) => ({ kind: 'read', count })),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const stream = new FakeStream();
        const watch = new GapWatch(FIRST_ID, undefined);
        let seen = 0;
        let missed = 0;
        const read = (count: number): number => {
          const ids = stream.after(watch.cursor, count);
          seen += ids.length;
          const gap = watch.read(ids, stream.info());
          if (gap !== undefined) {
            expect(gap.missed).toBeGreaterThan(0);
            missed += gap.missed ?? 0;
          }
          return ids.length;
        };
        for (const { kind, count } of all) {
          if (kind === 'add') stream.add(count);
          else if (kind === 'trim') stream.trim(count);
          else read(count);
        }
        while (read(10) > 0);
        expect(seen + missed).toBe(stream.added);
      }),
    );
  });

  it('says so when a stream was deleted, and when one with lower ids took its place', () => {
    const stream = new FakeStream();
    stream.add(10);
    const watch = new GapWatch(FIRST_ID, stream.info());
    expect(watch.read(stream.after(FIRST_ID, 10), stream.info())).toBeUndefined();
    expect(watch.read([], undefined)).toEqual({ missed: undefined, reason: 'deleted' });
    expect(watch.read([], undefined)).toBeUndefined();
    const other = new FakeStream();
    other.add(10);
    const second = new GapWatch(FIRST_ID, other.info());
    second.read(other.after(FIRST_ID, 10), other.info());
    const young = { length: 2, firstId: '1-1', lastId: '1-2', entriesAdded: 2 };
    expect(second.read([], young)).toEqual({ missed: undefined, reason: 'recreated' });
    expect(second.cursor).toBe(FIRST_ID);
  });

  it('goes back without a word when a failover forgot the last entries', () => {
    const stream = new FakeStream();
    stream.add(10);
    const watch = new GapWatch(FIRST_ID, undefined);
    watch.read(stream.after(FIRST_ID, 10), stream.info());
    const promoted = { length: 8, firstId: '1-0', lastId: '8-0', entriesAdded: 8 };
    expect(watch.read([], promoted)).toBeUndefined();
    expect(watch.cursor).toBe('8-0');
  });
});

describe('Streams of a tail', () => {
  const entry = (each: string) => ({ id: each, fields: [] });

  it('are held at the end of a full page until the one behind it has caught up', () => {
    const merge = new TailMerge(['a', 'b']);
    const rest = { after: FIRST_ID, isFull: false };
    merge.add(
      [
        { ...rest, stream: 'a', entries: [entry('1-0'), entry('2-0')], last: '2-0', isFull: true },
        { ...rest, stream: 'b', entries: [entry('1-5'), entry('9-0')], last: '9-0' },
      ],
      false,
    );
    expect([merge.take(), merge.take(), merge.take(), merge.take()].map((each) => each?.entry.id)).toEqual([
      '1-0',
      '1-5',
      '2-0',
      undefined,
    ]);
    expect([merge.isDue('a', false), merge.isDue('b', false), merge.positionOf('b')]).toEqual([
      true,
      false,
      '1-5',
    ]);
    merge.add([{ ...rest, stream: 'a', entries: [entry('3-0')], last: '3-0' }], false);
    expect([merge.take(), merge.take()].map((each) => each?.entry.id)).toEqual(['3-0', '9-0']);
    expect(merge.isEmpty).toBe(true);
  });
});
