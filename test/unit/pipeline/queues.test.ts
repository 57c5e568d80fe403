import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RespWriter } from '../../../src/codec/resp-writer.js';
import { Template, VARIABLE } from '../../../src/codec/template.js';
import { entryValues } from '../../../src/codec/entry.js';
import { type Batch } from '../../../src/pipeline/batch.js';
import { BatchMemoryPool } from '../../../src/pipeline/batch-memory.js';
import { BoundedQueue, type QueueLimits } from '../../../src/pipeline/bounded-queue.js';
import { type EntryView, Lane } from '../../../src/pipeline/lane.js';
import { StreamQueue } from '../../../src/pipeline/stream-queue.js';
import { PROPERTY_RUNS } from '../../support/arbitrary-record.js';

const runs = { numRuns: PROPERTY_RUNS };
const TEMPLATES = [0, 1, 2].map((extra) => {
  const fields = Array.from({ length: 1 + extra }, (_, at) => ({ name: `f${at}`, value: VARIABLE }) as const);
  return new Template(fields, undefined);
});

interface Item {
  readonly ordinal: number;
  readonly severity: number;
  /** Bytes of the body; the entry has a few more. */
  readonly length: number;
}

/** An entry whose content follows from its ordinal and length. */
function contentOf({ ordinal, length }: Item): string {
  return `${ordinal}:`.padEnd(length, 'x');
}

function templateOf({ ordinal }: Item): Template {
  return TEMPLATES[ordinal % TEMPLATES.length] as Template;
}

function valuesOf(item: Item, out: RespWriter): RespWriter {
  out.reset();
  for (let at = 0; at < templateOf(item).variables; at++) out.text(`${at}${contentOf(item)}`);
  return out;
}

function sizeOf(item: Item): number {
  return templateOf(item).idBytes.length + valuesOf(item, new RespWriter()).length;
}

function expectEntry(entry: EntryView | undefined, item: Item | undefined): void {
  expect(entry?.ordinal).toBe(item?.ordinal);
  if (entry === undefined || item === undefined) return;
  const { template, bytes, start, end } = entry;
  expect(template).toBe(templateOf(item));
  expect(bytes.subarray(start, start + template.idBytes.length).equals(template.idBytes)).toBe(true);
  const values = entryValues(template, bytes.subarray(start + template.idBytes.length, end));
  expect(values).toEqual(Array.from({ length: template.variables }, (_, at) => `${at}${contentOf(item)}`));
}

/** Mostly short, now and then longer than a whole chunk of memory. */
function arbitraryLength(): fc.Arbitrary<number> {
  return fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 300 }), weight: 20 },
    { arbitrary: fc.constantFrom(3_000, 5_000, 140_000), weight: 1 },
  );
}

describe('A lane', () => {
  it('gives at both ends what a plain list would give', () => {
    const step = fc.oneof(
      { arbitrary: fc.record({ push: arbitraryLength() }), weight: 5 },
      { arbitrary: fc.constantFrom('shift', 'pop'), weight: 3 },
    );
    const property = fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (script) => {
      const lane = new Lane();
      const out = new RespWriter();
      let list: Item[] = [];
      let ordinal = 0;
      for (const each of script) {
        if (each === 'shift') {
          lane.shift();
          list = list.slice(1);
        } else if (each === 'pop') {
          lane.pop();
          list = list.slice(0, -1);
        } else {
          const item = { ordinal: ++ordinal, severity: 0, length: each.push };
          expect(lane.push(templateOf(item), valuesOf(item, out), item.ordinal)).toBe(sizeOf(item));
          list.push(item);
        }
        expect(lane.size).toBe(list.length);
        expect(lane.oldest()).toBe(list[0]?.ordinal ?? Infinity);
        expectEntry(lane.peek(), list[0]);
        expectEntry(lane.peekNewest(), list.at(-1));
      }
      for (const item of list) {
        expectEntry(lane.peek(), item);
        lane.shift();
      }
      expect(lane.peek()).toBeUndefined();
    });
    fc.assert(property, { numRuns: Math.ceil(PROPERTY_RUNS / 20) });
  });
});

function expectBatch(batch: Batch, items: readonly Item[]): void {
  expect(batch.count).toBe(items.length);
  for (const [at, item] of items.entries()) expectEntry(batch.entry(at), item);
  expect(batch.byteLength).toBe(items.reduce((sum, item) => sum + sizeOf(item), 0));
  expect(batch.payload.length).toBe(batch.byteLength);
  expect(batch.values).toBe(items.reduce((sum, item) => sum + templateOf(item).variables, 0));
  expect(batch.oldestOrdinal).toBe(Math.min(Infinity, ...items.map(({ ordinal }) => ordinal)));
  expect(new Set(batch.templates)).toEqual(new Set(items.map(templateOf)));
  expect(new Set(batch.templates).size).toBe(batch.templates.length);
}

function arbitraryItems(maxLength: number): fc.Arbitrary<Item[]> {
  const item = fc.record({
    severity: fc.integer({ min: 0, max: 5 }),
    length: fc.integer({ min: 0, max: 200 }),
  });
  return fc
    .array(item, { maxLength })
    .map((items) => items.map((each, at) => ({ ...each, ordinal: at + 1 })));
}

function filled(items: readonly Item[]): { queue: StreamQueue; totals: { records: number; bytes: number } } {
  const totals = { records: 0, bytes: 0 };
  const queue = new StreamQueue(totals);
  const out = new RespWriter();
  for (const item of items) {
    queue.push({ severity: item.severity, template: templateOf(item) }, valuesOf(item, out), item.ordinal);
  }
  return { queue, totals };
}

describe('The queue of a stream', () => {
  it('gives records of all severities back in the order of their arrival, in batches within the limits', () => {
    const limits = fc.record({
      maxRecords: fc.integer({ min: 1, max: 10 }),
      maxBytes: fc.integer({ min: 1, max: 2_000 }),
    });
    const property = fc.property(arbitraryItems(40), limits, (items, { maxRecords, maxBytes }) => {
      const { queue, totals } = filled(items);
      let rest = items;
      for (
        let batch = queue.take({ maxRecords, maxBytes });
        batch;
        batch = queue.take({ maxRecords, maxBytes })
      ) {
        expectBatch(batch, rest.slice(0, batch.count));
        expect(batch.count).toBeLessThanOrEqual(maxRecords);
        // One record goes however large it is; the next one would have broken a limit.
        if (batch.count > 1) expect(batch.byteLength).toBeLessThanOrEqual(maxBytes);
        const next = rest[batch.count];
        if (next !== undefined && batch.count < maxRecords) {
          expect(batch.byteLength + sizeOf(next)).toBeGreaterThan(maxBytes);
        }
        rest = rest.slice(batch.count);
        const bytes = rest.reduce((sum, item) => sum + sizeOf(item), 0);
        expect([queue.size, queue.bytes, totals]).toEqual([
          rest.length,
          bytes,
          { records: rest.length, bytes },
        ]);
        expect(queue.oldest()).toBe(rest[0]?.ordinal ?? Infinity);
      }
      expect(rest).toEqual([]);
    });
    fc.assert(property, runs);
  });
});

describe('A batch', () => {
  it('that is cut gives the same records under the same numbers, whatever its own first number', () => {
    const cut = fc.tuple(
      arbitraryItems(12).filter((items) => items.length > 0),
      fc.nat(1_000),
      fc.nat(),
      fc.nat(),
    );
    const property = fc.property(cut, ([items, before, one, other]) => {
      const batch = filled(items).queue.take({ maxRecords: 100, maxBytes: 1e6 }) as Batch;
      batch.first = before + 1;
      batch.wasSent = one % 2 === 0;
      expect(batch.last).toBe(before + items.length);
      const [from = 0, to = 0] = [one % items.length, other % items.length].toSorted((a, b) => a - b);
      const part = batch.slice(batch.first + from, batch.first + to);
      expectBatch(part, items.slice(from, to + 1));
      expect([part.first, part.last, part.wasSent]).toEqual([
        batch.first + from,
        batch.first + to,
        batch.wasSent,
      ]);
      expectBatch(batch, items);
    });
    fc.assert(property, runs);
  });

  it('never holds more values than one command of Redis may have arguments', () => {
    const wide = new Template(
      Array.from({ length: 980 }, (_, at) => ({ name: `f${at}`, value: VARIABLE }) as const),
      undefined,
    );
    const queue = new StreamQueue({ records: 0, bytes: 0 });
    const out = new RespWriter();
    out.reset();
    for (let at = 0; at < 980; at++) out.text('');
    for (let at = 0; at < 1_200; at++) queue.push({ severity: 2, template: wide }, out, at + 1);
    const batch = queue.take({ maxRecords: 5_000, maxBytes: 1e9 });
    expect(batch?.values).toBeLessThanOrEqual(500_000);
    expect(batch?.count).toBeGreaterThan(500);
    expect(queue.size).toBe(1_200 - (batch?.count ?? 0));
  });
});

describe('The memory of batches that are forgotten', () => {
  const LIMITS = { maxRecords: 10, maxBytes: 1e8 };

  function taken(items: readonly Item[], queue: StreamQueue): Batch {
    const out = new RespWriter();
    for (const item of items) {
      queue.push({ severity: item.severity, template: templateOf(item) }, valuesOf(item, out), item.ordinal);
    }
    return queue.take(LIMITS) as Batch;
  }

  const memoryOf = (batch: Batch): unknown => batch.entry(0).bytes.buffer;
  const item = (ordinal: number): Item => ({ ordinal, severity: 2, length: 500 });

  it('holds later ones, and never what a batch that is still kept has in it', () => {
    let reused = 0;
    const step = fc.tuple(
      fc.array(arbitraryLength(), { minLength: 1, maxLength: 10 }),
      fc.constantFrom('keep', 'forget', 'forget', 'lend', 'send twice'),
    );
    const property = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new StreamQueue({ records: 0, bytes: 0 });
      const live: { batch: Batch; items: readonly Item[]; fate: string }[] = [];
      const seen = new Set<unknown>();
      let ordinal = 0;
      for (const [lengths, fate] of steps) {
        const items = lengths.map((length) => ({ ordinal: ++ordinal, severity: 2, length }));
        const batch = taken(items, queue);
        if (seen.has(memoryOf(batch))) reused++;
        seen.add(memoryOf(batch));
        if (fate === 'lend') void batch.payload;
        for (let sent = 0; sent < (fate === 'send twice' ? 2 : 1); sent++) batch.behind(Buffer.from('head'));
        live.push({ batch, items, fate });
        const gone = live.length > 3 ? live.shift() : undefined;
        if (gone !== undefined && gone.fate !== 'keep') gone.batch.forget();
        for (const kept of live) {
          for (const [at, each] of kept.items.entries()) expectEntry(kept.batch.entry(at), each);
        }
      }
    });
    fc.assert(property, runs);
    expect(reused).toBeGreaterThan(PROPERTY_RUNS / 10);
  });

  it('is not used again while somebody may read it: where the batch went to the disk, or was sent more than once', () => {
    const queue = new StreamQueue({ records: 0, bytes: 0 });
    const fates: ((batch: Batch) => unknown)[] = [
      (batch) => batch.behind(Buffer.from('head')),
      (batch) => batch.payload,
      (batch) => [batch.behind(Buffer.from('head')), batch.behind(Buffer.from('again'))],
    ];
    const isReused = fates.map((fate, at) => {
      // Every third is of the same template.
      const batch = taken([item(6 * at)], queue);
      const memory = memoryOf(batch);
      fate(batch);
      batch.forget();
      return memoryOf(taken([item(6 * at + 3)], queue)) === memory;
    });
    expect(isReused).toEqual([true, false, false]);
  });

  it('is not written to while an earlier request may still be read from it', () => {
    const large = taken(
      [{ ordinal: 1, severity: 2, length: 20_000 }],
      new StreamQueue({ records: 0, bytes: 0 }),
    );
    const first = large.behind(Buffer.from('head of the first request'));
    const sent = Buffer.from(first);
    const second = large.behind(Buffer.from('and a longer one of the next try'));
    expect(first.equals(sent)).toBe(true);
    expect(second.toString('latin1')).toBe(
      sent.toString('latin1').replace('head of the first request', 'and a longer one of the next try'),
    );
  });

  it('is bounded, however many batches are forgotten at once', () => {
    const pool = new BatchMemoryPool();
    const given = new Set<unknown>();
    for (const [count, bytes] of [
      [1_000, 600],
      [1_000, 200_000],
    ] as const) {
      const memories = Array.from({ length: count }, () => pool.take(16, bytes));
      for (const memory of memories) {
        given.add(memory);
        pool.give(memory);
      }
      let held = 0;
      while (given.has(pool.take(16, bytes))) held++;
      expect(held).toBeGreaterThan(0);
      expect(held).toBeLessThanOrEqual(64);
      expect(held * bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    }
  });

  it('fits the batch that gets it: neither too small nor much too large', () => {
    const size = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 64, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 30 }), (sizes) => {
        const pool = new BatchMemoryPool();
        for (const [records, bytes] of sizes) {
          const { bytes: room, ends, ordinals, templates } = pool.take(records, bytes);
          expect(room.length).toBeGreaterThanOrEqual(bytes);
          expect(room.length).toBeLessThanOrEqual(bytes * 1.25 + 1_024);
          expect(ends.length).toBeGreaterThanOrEqual(records);
          expect(ends.length).toBeLessThanOrEqual(2 * (records + 16));
          expect([ordinals.length, templates]).toEqual([ends.length, []]);
          pool.give({ bytes: room, ends, ordinals, templates });
        }
      }),
      runs,
    );
  });

  it('is nothing any more to the batch that had it', () => {
    const batch = taken([item(1)], new StreamQueue({ records: 0, bytes: 0 }));
    batch.forget();
    batch.forget();
    expect(batch.heldBytes).toBe(8);
    expect(() => batch.behind(Buffer.from('head'))).toThrow('forgotten');
  });
});

/** The rules of the bounded queue, word by word: what goes, and whether there is room then. */
class SimpleQueue {
  items: (Item & { readonly stream: number })[] = [];
  readonly #limits: QueueLimits;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.items.reduce((sum, item) => sum + sizeOf(item), 0);
  }

  makeRoom(severity: number, size: number): { readonly room: boolean; readonly shed: number[] } {
    const { maxRecords, maxBytes, overflow } = this.#limits;
    const shed: number[] = [];
    while (this.items.length >= maxRecords || this.bytes + size > maxBytes) {
      const least = Math.min(...this.items.map((item) => item.severity));
      const goes =
        this.items.length > 0 && (least < severity || (least === severity && overflow === 'drop-oldest'));
      if (!goes) return { room: false, shed };
      const victim = this.#victim(this.items.filter((item) => item.severity === least));
      shed.push(victim);
      this.items = this.items.filter((item) => item.ordinal !== victim);
    }
    return { room: true, shed };
  }

  #victim(candidates: readonly (Item & { readonly stream: number })[]): number {
    const ordinals = candidates.map(({ ordinal }) => ordinal);
    if (this.#limits.overflow === 'drop-oldest') return Math.min(...ordinals);
    // The stream that has most of them gives its newest one; the first stream, where several have as many.
    const count = (stream: number): number => candidates.filter((item) => item.stream === stream).length;
    const longest = [0, 1, 2].reduce((best, stream) => (count(stream) > count(best) ? stream : best), 0);
    return Math.max(...candidates.filter((item) => item.stream === longest).map(({ ordinal }) => ordinal));
  }
}

describe('The bounded queue', () => {
  const limits = fc.record({
    maxRecords: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.integer({ min: 250, max: 3_000 }),
    overflow: fc.constantFrom('drop-oldest', 'drop-newest'),
  });

  it('sheds exactly what its rules name, and stays within both bounds at every moment', () => {
    const record = fc.record({
      severity: fc.integer({ min: 0, max: 5 }),
      stream: fc.nat(2),
      length: fc.integer({ min: 0, max: 60 }),
    });
    const property = fc.property(limits, fc.array(record, { maxLength: 60 }), (given, records) => {
      const shed: number[] = [];
      const queue = new BoundedQueue(given, (_, entry) => shed.push(entry.ordinal));
      const streams = [queue.openStream(), queue.openStream(), queue.openStream()];
      const simple = new SimpleQueue(given);
      const out = new RespWriter();
      for (const [at, each] of records.entries()) {
        const item = { ...each, ordinal: at + 1 };
        shed.length = 0;
        const room = queue.makeRoom(item.severity, sizeOf(item));
        expect({ room, shed: [...shed] }).toEqual(simple.makeRoom(item.severity, sizeOf(item)));
        if (room) {
          streams[item.stream]?.push(
            { severity: item.severity, template: templateOf(item) },
            valuesOf(item, out),
            item.ordinal,
          );
          simple.items.push(item);
        }
        expect(queue.totals).toEqual({ records: simple.items.length, bytes: simple.bytes });
        expect(queue.totals.records).toBeLessThanOrEqual(given.maxRecords);
        expect(queue.totals.bytes).toBeLessThanOrEqual(given.maxBytes);
      }
    });
    fc.assert(property, runs);
  });

  it('drops no error while a lesser record waits, and takes no lesser one for it', () => {
    const property = fc.property(limits, fc.array(fc.nat(5), { maxLength: 80 }), (given, severities) => {
      const lost: number[] = [];
      const queue = new BoundedQueue({ ...given, maxBytes: 1e6 }, (_, entry) =>
        lost.push(severities[entry.ordinal - 1] ?? -1),
      );
      const stream = queue.openStream();
      const out = new RespWriter();
      for (const [at, severity] of severities.entries()) {
        const waiting = [0, 1, 2, 3, 4, 5].filter((each) => stream.sizeOf(each) > 0);
        lost.length = 0;
        const item = { ordinal: at + 1, severity, length: 5 };
        if (!queue.makeRoom(severity, sizeOf(item))) lost.push(severity);
        else stream.push({ severity, template: templateOf(item) }, valuesOf(item, out), item.ordinal);
        for (const each of lost) expect(each).toBe(Math.min(severity, ...waiting));
      }
    });
    fc.assert(property, runs);
  });
});
