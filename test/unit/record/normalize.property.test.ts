import { ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceptionAttributes } from '../../../src/record/exception.js';
import type { Attributes } from '../../../src/record/log-record.js';
import { Normalizer } from '../../../src/record/normalize.js';

const anything = fc.anything({
  maxDepth: 5,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});

const TRAPS = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const;

/** Puts a value into something that is awkward to read. */
const wrappers: readonly ((value: unknown, pick: number) => unknown)[] = [
  (value) => ({ value }),
  (value) => Object.assign(Array.from({ length: 3 }), { 1: value }),
  (value) => Object.assign(new Error('wrapped', { cause: value }), { own: value }),
  (value) => new AggregateError([value], 'several'),
  (value) =>
    new Map<unknown, unknown>([
      [value, value],
      ['text', value],
    ]),
  (value) => ({ toJSON: () => value }),
  (value) =>
    Object.defineProperty({ value }, 'loud', {
      enumerable: true,
      get: () => {
        throw value;
      },
    }),
  (value) => {
    const loop: Record<string, unknown> = { value };
    loop['self'] = loop;
    return loop;
  },
  (value, pick) => {
    const trap = TRAPS[pick % TRAPS.length] ?? 'get';
    return new Proxy(
      { value },
      {
        [trap]: () => {
          throw value;
        },
      },
    );
  },
  (value) => {
    const { proxy, revoke } = Proxy.revocable({ value }, {});
    revoke();
    return proxy;
  },
  (value) =>
    new (class Holder {
      readonly #hidden = value;
      readonly shown = value;
      reveal(): unknown {
        return this.#hidden;
      }
    })(),
];

/** A value and the layers around it: built inside the property, as fast-check itself looks into what it generates. */
const hostile = fc.record({
  core: anything,
  layers: fc.array(fc.tuple(fc.nat(wrappers.length - 1), fc.nat(TRAPS.length - 1)), { maxLength: 12 }),
});

function build({ core, layers }: { core: unknown; layers: [number, number][] }): unknown {
  let value = core;
  for (const [index, pick] of layers) value = wrappers[index]?.(value, pick);
  return value;
}

/** Throws where a value is not of the data model; returns its size in bytes of UTF-8. */
function sizeOf(value: unknown): number {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return 8;
  if (typeof value === 'string') {
    ok(Buffer.from(value).toString() === value, 'a lone surrogate');
    return Buffer.byteLength(value);
  }
  ok(typeof value === 'object', typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  ok(prototype === Object.prototype || prototype === Array.prototype, 'neither a plain object nor an array');
  let size = 0;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    ok('value' in descriptor, 'an accessor');
    if (descriptor.enumerable === true) size += Buffer.byteLength(key) + sizeOf(descriptor.value);
  }
  ok(Object.getOwnPropertySymbols(value).length === 0, 'a symbol');
  return size;
}

const MAX_RECORD = 2_000;
/** A character may be three bytes where one is charged; what was begun when the budget ended may be finished. */
const MOST_BYTES = MAX_RECORD * 3 + 256 * 3 + 1_000;

describe('whatever is logged', () => {
  it('becomes values of the data model that JSON can write, and nothing throws', () => {
    const normalizer = new Normalizer();
    fc.assert(
      fc.property(hostile, (recipe) => {
        normalizer.begin();
        const copy = normalizer.value(build(recipe));
        if (copy === undefined) return;
        sizeOf(copy);
        const json = JSON.stringify(copy);
        expect(Buffer.from(json).toString()).toBe(json);
      }),
      { numRuns: 1_000 },
    );
  });

  it('becomes attributes within the limits of a record, next to what it was as an exception', () => {
    const normalizer = new Normalizer({ maxRecordBytes: MAX_RECORD, maxStringBytes: 500, maxEntries: 20 });
    fc.assert(
      fc.property(hostile, fc.array(hostile, { maxLength: 5 }), (recipe, recipes) => {
        const value = build(recipe);
        const more = recipes.map(build);
        normalizer.begin();
        const target: Attributes = {};
        normalizer.attributes({ value, more }, target);
        for (const source of more) {
          if (typeof source === 'object' && source !== null) normalizer.attributes(source, target);
        }
        expect(Object.keys(target).length).toBeLessThanOrEqual(20);
        expect(sizeOf(target)).toBeLessThanOrEqual(MOST_BYTES);
        exceptionAttributes(value, target, normalizer);
        sizeOf(target);
      }),
      { numRuns: 500 },
    );
  });

  it('is not changed by logging it', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const before = fc.stringify(value);
        new Normalizer().value(value);
        expect(fc.stringify(value)).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  it('comes out the same when it is logged again: plain data is only copied', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const normalizer = new Normalizer();
        const once = normalizer.value(value);
        if (normalizer.truncations > 0) return;
        expect(new Normalizer().value(once)).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });
});
