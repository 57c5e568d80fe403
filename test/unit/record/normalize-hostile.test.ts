import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/record/log-record.js';
import { Normalizer } from '../../../src/record/normalize.js';

function normalize(value: unknown): unknown {
  return new Normalizer().value(value);
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** An object whose every operation throws. */
function spiteful(thrown: unknown): object {
  const fail = (): never => {
    throw thrown;
  };
  return new Proxy(
    {},
    {
      get: fail,
      has: fail,
      ownKeys: fail,
      getPrototypeOf: fail,
      getOwnPropertyDescriptor: fail,
    },
  );
}

/** The quickest of several tries: what the code needs, without what the machine does beside it. */
function quickestMs(task: () => unknown): number {
  let quickest = Infinity;
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    task();
    quickest = Math.min(quickest, performance.now() - start);
  }
  return quickest;
}

describe('values that defend themselves', () => {
  it('marks a getter that throws and keeps what is beside it', () => {
    const source = {
      before: 1,
      get broken(): never {
        throw new TypeError('no');
      },
      after: { deep: 2 },
    };
    const expected = { before: 1, broken: '[Threw: TypeError]', after: { deep: 2 } };
    expect(normalize(source)).toEqual(expected);
    const target: Attributes = {};
    new Normalizer().attributes(source, target);
    expect(target).toEqual(expected);
  });

  it('marks revoked proxies, whatever they stood for', () => {
    expect(normalize({ a: revoked({}), b: revoked([]), c: revoked(() => 0), d: 1 })).toEqual({
      a: '[Threw: TypeError]',
      b: '[Threw: TypeError]',
      c: '[Threw: TypeError]',
      d: 1,
    });
    const target: Attributes = {};
    new Normalizer().attributes(revoked({}), target);
    expect(target).toEqual({ value: '[Threw: TypeError]' });
  });

  it('marks proxies whose traps throw, even when they throw something hostile', () => {
    expect(normalize([spiteful(new RangeError('x')), 1])).toEqual(['[Threw: RangeError]', 1]);
    expect(normalize([spiteful('a text'), spiteful(null), spiteful(undefined)])).toEqual([
      '[Threw: string]',
      '[Threw: object]',
      '[Threw: undefined]',
    ]);
    expect(normalize(spiteful(spiteful(1)))).toBe('[Threw: Error]');
    expect(normalize(spiteful({ name: 'N'.repeat(1_000) }))).toBe(`[Threw: ${'N'.repeat(64)}…]`);
  });

  it('marks a toJSON that throws, and lets one that rejects not end the process', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const broken = {
        toJSON(): never {
          throw new SyntaxError('no');
        },
      };
      const late = { toJSON: () => Promise.reject(new Error('late')) };
      expect(normalize({ broken, late, c: 1 })).toEqual({
        broken: '[Threw: SyntaxError]',
        late: '[Promise]',
        c: 1,
      });
      // Node reports rejections that nobody took once the microtasks are done: an immediate comes after that.
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });

  it('never asks an object for a primitive', () => {
    const refuse = (): never => {
      throw new Error('asked');
    };
    const value = { [Symbol.toPrimitive]: refuse };
    expect(normalize([value, new Map([[value, value]])])).toEqual([{}, [[{}, {}]]]);
  });

  it('copes with objects that pretend to be built in', () => {
    const fakes = [Map, Set, Date, RegExp, Promise, URL, URLSearchParams, Uint8Array, ArrayBuffer, WeakMap];
    for (const { prototype } of fakes) {
      expect(() => normalize({ fake: Object.create(prototype as object) as unknown })).not.toThrow();
    }
    class Endless extends Set<number> {
      override *[Symbol.iterator](): SetIterator<number> {
        for (;;) yield 1;
      }
    }
    expect(normalize(new Endless([1, 2]))).toEqual([1, 2]);
    const boasting = new Proxy([1], { get: (_, key) => (key === 'length' ? 1e21 : 1) });
    expect(normalize(boasting)).toHaveLength(129);
  });

  it('marks the broken parts of an error and keeps the rest', () => {
    const error = new Error('kept');
    for (const key of ['stack', 'name', 'code', 'cause', 'errors', 'extra']) {
      Object.defineProperty(error, key, {
        enumerable: true,
        get: () => {
          throw new EvalError(key);
        },
      });
    }
    expect(normalize({ error })).toEqual({
      error: {
        type: '[Threw: EvalError]',
        message: 'kept',
        stack: '[Threw: EvalError]',
        code: '[Threw: EvalError]',
        cause: '[Threw: EvalError]',
        errors: '[Threw: EvalError]',
        extra: '[Threw: EvalError]',
      },
    });
  });

  it('works on when a getter logs through the same normaliser', () => {
    const normalizer = new Normalizer();
    const inner: unknown[] = [];
    const source = {
      a: { b: 1 },
      get logs(): number {
        normalizer.begin();
        inner.push(normalizer.value(source.a));
        return 2;
      },
      c: { d: [3] },
    };
    expect(normalizer.value(source)).toEqual({ a: { b: 1 }, logs: 2, c: { d: [3] } });
    expect(inner).toEqual([{ b: 1 }]);
    expect(normalizer.value(source.c)).toEqual({ d: [3] });
  });

  it('ends a getter that logs its own object for ever', () => {
    const normalizer = new Normalizer();
    const source = {
      get self(): unknown {
        return normalizer.value(source);
      },
    };
    // Each level is copied again by the one around it, so that only the outermost remain.
    expect(JSON.stringify(normalizer.value(source))).toBe(`${'{"self":'.repeat(8)}"[Depth]"${'}'.repeat(8)}`);
  });

  it('keeps nothing of the caller alive once the call is over', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const normalizer = new Normalizer();
    const logged = (): WeakRef<object>[] => {
      const nested = { list: [{}] };
      const error = new Error('e', { cause: nested });
      const source = { nested, error };
      normalizer.value(nested);
      normalizer.attributes(source, {});
      return [new WeakRef(source), new WeakRef(nested), new WeakRef(nested.list), new WeakRef(error)];
    };
    const references = logged();
    // A WeakRef holds its object until the current job ends.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(references.map((reference) => reference.deref())).toEqual(Array.from(references, () => undefined));
  });
});

describe('time', () => {
  it('takes less than 5 ms for a string of 100 MB, flat or joined from parts', () => {
    const flat = Buffer.alloc(100_000_000, 'a').toString('latin1');
    const normalizer = new Normalizer();
    expect(quickestMs(() => normalizer.value(flat))).toBeLessThan(5);
    expect(quickestMs(() => normalizer.value('joined'.repeat(17_000_000)))).toBeLessThan(5);
    expect(normalizer.value(flat)).toBe('… [truncated, 100000000 chars]');
  });

  it('takes less than 1 ms for a sparse array of five million, and for a chain 100,000 deep', () => {
    const sparse: unknown[] = [];
    sparse[4_999_999] = 1;
    let deep: unknown = 0;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const normalizer = new Normalizer();
    expect(quickestMs(() => normalizer.value(sparse))).toBeLessThan(1);
    expect(quickestMs(() => normalizer.value(deep))).toBeLessThan(1);
  });

  it('takes less than 5 ms for a Map of a million, and less than 20 ms for an object of 20,000 keys', () => {
    const map = new Map(Array.from({ length: 1_000_000 }, (_, index) => [`k${index}`, index]));
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index]));
    const normalizer = new Normalizer();
    expect(quickestMs(() => normalizer.value(map))).toBeLessThan(5);
    expect(quickestMs(() => normalizer.value(wide))).toBeLessThan(20);
  });
});
