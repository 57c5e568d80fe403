import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RespWriter } from '../../../src/codec/resp-writer.js';
import { Template, VARIABLE } from '../../../src/codec/template.js';
import type { Batch } from '../../../src/pipeline/batch.js';
import { Fifo } from '../../../src/pipeline/fifo.js';
import { Joining } from '../../../src/pipeline/joined-batch.js';
import { KeptWindow, RETAIN_MAX_BYTES, RETAIN_MS } from '../../../src/pipeline/kept-window.js';
import { StreamQueue } from '../../../src/pipeline/stream-queue.js';

const template = new Template([{ name: 'body', value: VARIABLE }], undefined);
const values = new RespWriter();

/** A batch of records whose values are their numbers. */
function batchOf(first: number, count: number): Batch {
  const queue = new StreamQueue({ records: 0, bytes: 0 });
  for (let at = 0; at < count; at++) {
    values.reset();
    values.text(String(first + at));
    queue.push({ severity: 2, template }, values, first + at);
  }
  const batch = queue.take({ maxRecords: count, maxBytes: 1_000_000 });
  if (batch === undefined) throw new Error('nothing was queued');
  batch.first = first;
  return batch;
}

/** The numbers that a batch's records have as their values. */
function valuesOf(batch: Batch): number[] {
  return Array.from({ length: batch.count }, (_, index) => {
    const { bytes, start, end } = batch.entry(index);
    return Number(bytes.toString('latin1', start + template.idBytes.length, end).split('\r\n')[1]);
  });
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

describe('What is kept for a failover', () => {
  it('costs little for records that were sent alone, and keeps all of the last five seconds', () => {
    const budget = { bytes: 0 };
    const window = new KeptWindow(budget);
    for (let n = 1; n <= 40_000; n++) window.add(batchOf(n, 1), n / 4);
    // 20,000 records of some ten bytes each.
    expect(budget.bytes).toBeLessThan(1_500_000);
    const kept = window.takeAbove(0);
    expect(kept.length).toBeLessThan(200);
    const all = kept.flatMap(valuesOf);
    expect(all).toEqual(numbers(all[0] ?? 0, 40_000));
    expect(all.length).toBeGreaterThanOrEqual((RETAIN_MS - 1) * 4);
    expect(kept.every(({ wasSent }) => wasSent)).toBe(true);
    expect(budget.bytes).toBe(0);
  });

  it('is given back from any number on, in order, and counts what was forgotten', () => {
    const step = fc.record({ count: fc.integer({ min: 1, max: 90 }), gap: fc.nat(3), waitMs: fc.nat(900) });
    const property = fc.property(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (steps, where) => {
        const budget = { bytes: 0 };
        const window = new KeptWindow(budget);
        const added: { readonly n: number; readonly at: number }[] = [];
        let first = 1;
        let now = 0;
        for (const { count, gap, waitMs } of steps) {
          now += waitMs;
          first += gap;
          window.add(batchOf(first, count), now);
          for (let at = 0; at < count; at++) added.push({ n: first + at, at: now });
          first += count;
        }
        const number = Math.floor(where * first);
        const forgotten = window.forgottenThrough;
        const taken = window.takeAbove(number);
        for (const batch of taken) expect(valuesOf(batch)).toEqual(numbers(batch.first, batch.last));
        const expected = added.filter(({ n }) => n > Math.max(number, forgotten)).map(({ n }) => n);
        expect(taken.flatMap(valuesOf)).toEqual(expected);
        expect(added.filter(({ n, at }) => n <= forgotten && at > now - RETAIN_MS)).toEqual([]);
        window.clear();
        expect(budget.bytes).toBe(0);
      },
    );
    fc.assert(property);
  });

  it('never takes more than its memory', () => {
    const budget = { bytes: 0 };
    const window = new KeptWindow(budget);
    for (let n = 0; n < 300; n++) {
      window.add(batchOf(1 + n * 5_000, 5_000), 0);
      expect(budget.bytes).toBeLessThanOrEqual(RETAIN_MAX_BYTES);
    }
  });
});

describe('Batches that are sent together', () => {
  it('are as many as the limits allow, and only such whose numbers follow each other', () => {
    const joining = new Joining({ maxRecords: 5, maxBytes: 1_000 });
    const settled: number[] = [];
    const parts = [batchOf(1, 2), batchOf(3, 1), batchOf(4, 2)];
    for (const part of parts) part.ticket = { settle: (count) => settled.push(count) };
    expect(parts.map((part) => joining.add(part))).toEqual([true, true, true]);
    expect(joining.isFull).toBe(true);
    expect(joining.add(batchOf(6, 1))).toBe(false);
    const joined = joining.join();
    expect(joined && valuesOf(joined)).toEqual([1, 2, 3, 4, 5]);
    joined?.ticket?.settle(4);
    expect(settled).toEqual([]);
    joined?.ticket?.settle(1);
    expect(settled).toEqual([2, 1, 2]);
    const mixed = new Joining({ maxRecords: 5, maxBytes: 1_000 });
    const onDisk = batchOf(3, 1);
    onDisk.ticket = { settle: () => undefined };
    expect([mixed.add(batchOf(1, 1)), mixed.add(batchOf(2, 1)), mixed.add(onDisk)]).toEqual([
      true,
      true,
      false,
    ]);
    // Nothing of them is on disk, so nothing may be taken for written there.
    expect(mixed.join()?.ticket).toBe(undefined);
    const gap = new Joining({ maxRecords: 5, maxBytes: 1_000 });
    expect([gap.add(batchOf(1, 1)), gap.add(batchOf(3, 1))]).toEqual([true, false]);
  });
});

describe('A long list that loses its first items', () => {
  it('is the same as an array', () => {
    const action = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ drop: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ remove: fc.nat(5_000) }),
    );
    const property = fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
      const fifo = new Fifo<number>();
      let expected: number[] = [];
      let next = 0;
      for (const each of actions) {
        if ('push' in each) {
          for (let at = 0; at < each.push; at++) {
            fifo.push(++next);
            expected.push(next);
          }
        } else if ('drop' in each) {
          const count = Math.min(each.drop, expected.length);
          fifo.drop(count);
          expected = expected.slice(count);
        } else {
          fifo.remove(each.remove);
          expected = expected.filter((item) => item !== each.remove);
        }
        expect(fifo.length).toBe(expected.length);
        expect([fifo.first, fifo.last, fifo.at(3)]).toEqual([expected[0], expected.at(-1), expected[3]]);
      }
      expect([...fifo]).toEqual(expected);
    });
    fc.assert(property, { numRuns: 30 });
  });
});
