import fc from 'fast-check';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInThisContext } from 'node:vm';
import { ConsoleLogger as ConsoleLogger12 } from '@nestjs/common';
import { ConsoleLogger as ConsoleLogger11 } from 'nest-common-11';
import { describe, expect, it } from 'vitest';
import {
  type CallReading,
  detectCallStyle,
  readCall,
  resolveMessage,
} from '../../../src/nest/logger/call-arguments.js';
import { isSeparateStack, isStructuredStack } from '../../../src/nest/logger/call-stack.js';
import { LEVELS } from '../../../src/record/severity.js';
import * as v from './values.js';

const STYLES: readonly CallReading[] = [
  { style: 'structured', context: 'Own' },
  { style: 'separate', context: undefined },
];
const STRUCTURED: CallReading = { style: 'structured', context: undefined };

function fail(): never {
  throw new TypeError('hostile');
}

const HOSTILE_TRAPS: ProxyHandler<object> = {
  get: fail,
  has: fail,
  ownKeys: fail,
  getPrototypeOf: fail,
  getOwnPropertyDescriptor: fail,
  apply: fail,
};

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const HOSTILE: readonly unknown[] = [
  new Proxy({}, HOSTILE_TRAPS),
  new Proxy([], HOSTILE_TRAPS),
  new Proxy(() => 'text', HOSTILE_TRAPS),
  new Proxy(new Error('x'), HOSTILE_TRAPS),
  revoked({}),
  revoked(() => 'text'),
  Object.defineProperty({}, 'secret', { get: fail, enumerable: true }),
  Object.defineProperty(new Error('x'), 'message', { get: fail }),
  Object.defineProperty(class {}, 'name', { get: fail }),
  Object.create(Object.defineProperty({}, 'constructor', { get: fail })),
  { constructor: fail },
  fail,
  () => fail,
  () => Promise.reject(new Error('late')),
];

describe('Reading the arguments of a log call', () => {
  it('never throws, however hostile they are', () => {
    const pool = [...HOSTILE, 'Ctx', v.stack, {}, undefined];
    // Drawn by number: fast-check itself looks into the values that it draws.
    const picks = fc.array(fc.nat(pool.length - 1));
    fc.assert(
      fc.property(
        fc.constantFrom(...LEVELS),
        fc.constantFrom(...STYLES),
        picks,
        (level, reading, numbers) => {
          const args = numbers.map((number) => pool[number]);
          expect(() => readCall(level, args, reading)).not.toThrow();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('leaves the arguments as they were', () => {
    const args = Object.freeze([
      'm',
      Object.freeze({ a: 1 }),
      Object.freeze({ a: 2 }),
      v.lazyText,
      v.error,
      'Ctx',
    ]);
    for (const reading of STYLES) {
      expect(() => readCall('error', args, reading)).not.toThrow();
    }
  });

  it('keeps the other parameters of a call when one of them cannot be read', () => {
    const odd = Object.defineProperty({ a: 1 }, 'b', { get: fail, enumerable: true });
    const { params } = readCall('log', ['m', odd, { c: 3 }], STRUCTURED);
    expect({ ...params }).toEqual({ a: 1, b: '[unreadable]', c: 3 });
  });

  it('keeps a parameter called __proto__, and no object inherits from it', () => {
    const tampered = JSON.parse('{"__proto__":{"admin":true}}') as object;
    const { params } = readCall('log', ['m', { a: 1 }, tampered], STRUCTURED);
    expect(Object.keys(params ?? {})).toEqual(['a', '__proto__']);
    expect(params?.['admin']).toBeUndefined();
  });

  it('gives the very error that was logged, in whatever place it came', () => {
    expect(readCall('error', [v.declined, undefined, 'Ctx'], STRUCTURED).error).toBe(v.declined);
    expect(readCall('log', ['m', [1], v.declined, { a: 1 }], STRUCTURED).error).toBe(v.declined);
    expect(readCall('log', [v.foreignError], STRUCTURED).error).toBe(v.foreignError);
  });

  it('reads an argument of ten megabytes that is no stack trace', () => {
    const long = `${'x'.repeat(10_000_000)}\n no stack`;
    for (const reading of STYLES) {
      expect(readCall('error', ['m', long], reading)).toMatchObject({ messages: ['m'], context: long });
    }
  });

  it('finds that the installed Nest makes structured records', () => {
    expect(detectCallStyle()).toBe('structured');
  });
});

describe('A lazy message', () => {
  it('is made once per call', () => {
    for (const { style, context } of STYLES) {
      let made = 0;
      readCall('error', [() => ++made, v.stack, 'Ctx'], { style, context });
      expect(made).toBe(1);
    }
  });

  it('that throws is logged as a text that says what it threw', () => {
    expect(resolveMessage(fail)).toBe('[lazy message failed: TypeError: hostile]');
    expect(
      resolveMessage(() => {
        throw HOSTILE[0];
      }),
    ).toBe('[lazy message failed]');
  });

  it('that returns itself for ever is given up', () => {
    const again = (): unknown => again;
    expect(resolveMessage(again)).toMatch(/^\[lazy message failed: .*functions]$/);
  });

  it('that is asynchronous and fails is no unhandled rejection', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): number => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      expect(resolveMessage(() => Promise.reject(new Error('late')))).toBeInstanceOf(Promise);
      await nextTurn();
      await nextTurn();
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(rejections).toEqual([]);
  });

  it('is not confused with a class, whose name is logged even when it has been minified', () => {
    expect(resolveMessage(v.Order)).toBe('Order');
    const minified: unknown = runInThisContext('{const Cart=class{};Cart}');
    expect(resolveMessage(minified)).toBe('Cart');
  });
});

class Reader12 extends ConsoleLogger12 {
  looksLikeStack(text: string): boolean {
    return this.isStackFormat(text);
  }
}

class Reader11 extends ConsoleLogger11 {
  looksLikeStack(text: string): boolean {
    // Declared private in the types of Nest 11.
    return (this as unknown as { isStackFormat(text: string): boolean }).isStackFormat(text);
  }
}

describe('What looks like a stack trace', () => {
  const pieces = fc.constantFrom('\n', '\r', '\u2028', ' ', '\t', '\u00a0', 'at ', ':', '1', '23', 'x', 'at');
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 14 }).map((list) => list.join('')),
    fc
      .tuple(
        fc.constantFrom('', 'E', 'E\r', 'E: x\ny'),
        fc.constantFrom('\n', '\n ', '\n\t', '\n\n '),
        fc.array(pieces),
      )
      .map(([head, gap, rest]) => `${head}${gap}at ${rest.join('')}:1:2`),
  );

  it.each([
    ['Nest 12', new Reader12(), isStructuredStack],
    ['Nest 11', new Reader11(), isSeparateStack],
  ] as const)('is the same to %s and to us', (_name, nest, isStack) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(isStack(text)).toBe(nest.looksLikeStack(text));
      }),
      { numRuns: 10_000 },
    );
  });
});
