import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/record/log-record.js';
import { DEFAULT_LIMITS, Normalizer, type NormalizeLimits } from '../../../src/record/normalize.js';

function normalize(value: unknown, limits?: Partial<NormalizeLimits>): unknown {
  return new Normalizer(limits).value(value);
}

function attributesOf(source: object, limits?: Partial<NormalizeLimits>): Attributes {
  const target: Attributes = {};
  new Normalizer(limits).attributes(source, target);
  return target;
}

describe('values that a log call is given', () => {
  it('keeps strings, numbers, booleans and null as they are, NaN, infinities and -0 included', () => {
    for (const value of ['', 'text', 1.5, Number.NaN, Infinity, -Infinity, -0, true, false, null]) {
      expect(normalize(value)).toBe(value);
    }
  });

  it('writes a bigint as its digits, and does not spend milliseconds on an enormous one', () => {
    const normalizer = new Normalizer();
    expect(normalizer.value(-12_345_678_901_234_567_890n)).toBe('-12345678901234567890');
    expect(normalizer.value(2n ** 1_000_000n)).toBe('[BigInt]');
    expect(normalizer.truncations).toBe(1);
  });

  it('names symbols, functions and classes', () => {
    function save() {}
    class OrdersService {}
    expect(normalize([Symbol('x'), save, () => 1, OrdersService])).toEqual([
      'Symbol(x)',
      '[Function save]',
      '[Function (anonymous)]',
      '[class OrdersService]',
    ]);
  });

  it('leaves undefined out of objects and puts null for it in arrays', () => {
    expect(normalize({ a: undefined, b: [undefined, 1] })).toStrictEqual({ b: [null, 1] });
    expect(normalize(undefined)).toBeUndefined();
  });

  it('writes dates as ISO texts, and says of an invalid date that it is one', () => {
    expect(normalize([new Date(0), new Date(8.64e15), new Date(Number.NaN)])).toEqual([
      '1970-01-01T00:00:00.000Z',
      '+275760-09-13T00:00:00.000Z',
      'Invalid Date',
    ]);
  });

  it('writes a regular expression as its source text', () => {
    expect(normalize(/a+b/gi)).toBe('/a+b/gi');
  });

  it('turns a Map with string keys into an object, any other Map into pairs, a Set into an array', () => {
    expect(normalize(new Map([['a', new Map([['b', 1]])]]))).toEqual({ a: { b: 1 } });
    expect(
      normalize(
        new Map<unknown, unknown>([
          [1, 'x'],
          [{ id: 2 }, 'y'],
        ]),
      ),
    ).toEqual([
      [1, 'x'],
      [{ id: 2 }, 'y'],
    ]);
    expect(normalize(new Set([1, 'a', { b: 2 }]))).toEqual([1, 'a', { b: 2 }]);
  });

  it('unboxes boxed primitives', () => {
    expect(normalize([Object(1), Object('a'), Object(false), Object(2n), Object(Symbol('s'))])).toEqual([
      1,
      'a',
      false,
      '2',
      'Symbol(s)',
    ]);
  });

  it('keeps short binary values whole and the first 64 bytes of long ones, with type and length', () => {
    const normalizer = new Normalizer();
    expect(normalizer.value(Buffer.from('hello'))).toEqual({
      type: 'Buffer',
      byteLength: 5,
      base64: 'aGVsbG8=',
    });
    expect(normalizer.value(new Uint8Array(64).fill(1))).toEqual({
      type: 'Uint8Array',
      byteLength: 64,
      base64: Buffer.alloc(64, 1).toString('base64'),
    });
    expect(normalizer.truncations).toBe(0);
    expect(normalizer.value(new Float64Array(100))).toEqual({
      type: 'Float64Array',
      byteLength: 800,
      base64: Buffer.alloc(64).toString('base64'),
    });
    expect(normalizer.value(new Uint8Array([9, 8, 7]).subarray(1))).toMatchObject({
      byteLength: 2,
      base64: 'CAc=',
    });
    expect(normalizer.value(new Uint8Array([1, 2]).buffer)).toMatchObject({
      type: 'ArrayBuffer',
      base64: 'AQI=',
    });
    expect(normalizer.value(new DataView(new ArrayBuffer(1)))).toMatchObject({
      type: 'DataView',
      byteLength: 1,
    });
    expect(normalizer.truncations).toBe(1);
  });

  it('writes URLs without user and password', () => {
    expect(normalize(new URL('redis://app:hunter2@cache:6379/1'))).toBe('redis://cache:6379/1');
    expect(normalize(new URL('https://example.org/a?b=c#d'))).toBe('https://example.org/a?b=c#d');
    expect(normalize(new URLSearchParams({ a: '1', b: 'x y' }))).toBe('a=1&b=x+y');
  });

  it('names requests, sockets, streams, promises, timers and database handles instead of spelling them out', () => {
    const request = new IncomingMessage(new Socket());
    class DataSource {
      readonly options = { password: 'p' };
      createQueryRunner(): void {}
    }
    class FastifyLikeRequest {
      readonly raw = request;
    }
    const timer = setTimeout(() => undefined, 0);
    clearTimeout(timer);
    const values = {
      request,
      response: new ServerResponse(request),
      stream: new PassThrough(),
      web: new ReadableStream(),
      signal: new AbortController().signal,
      promise: Promise.resolve(1),
      weak: new WeakMap(),
      timer,
      database: new DataSource(),
      fastify: new FastifyLikeRequest(),
    };
    expect(normalize(values)).toEqual({
      request: '[IncomingMessage]',
      response: '[ServerResponse]',
      stream: '[PassThrough]',
      web: '[ReadableStream]',
      signal: '[AbortSignal]',
      promise: '[Promise]',
      weak: '[WeakMap]',
      timer: '[Timeout]',
      database: '[DataSource]',
      fastify: '[FastifyLikeRequest]',
    });
  });

  it('writes the own enumerable properties of class instances, and never their private or inherited ones', () => {
    class Base {
      get computed(): string {
        return 'no';
      }
    }
    class Order extends Base {
      readonly #secret = 'no';
      readonly id = 7;
      reveal(): string {
        return this.#secret;
      }
    }
    expect(normalize(new Order())).toStrictEqual({ id: 7 });
    expect(normalize(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }))).toStrictEqual(
      { own: 2 },
    );
  });

  it('writes what toJSON returns, also for emitters, as document classes have both', () => {
    const document = { on: () => 0, emit: () => 0, toJSON: () => ({ id: 1, at: new Date(0) }) };
    expect(normalize({ document })).toEqual({ document: { id: 1, at: '1970-01-01T00:00:00.000Z' } });
    expect(normalize([{ toJSON: () => undefined }, { toJSON: () => 5n }])).toEqual([null, '5']);
  });

  it('writes an error inside other values with type, message, stack, code, causes and its own properties', () => {
    const error = Object.assign(new TypeError('bad', { cause: new Error('root') }), {
      code: 'E_BAD',
      status: 400,
    });
    expect(normalize({ error })).toEqual({
      error: {
        type: 'TypeError',
        message: 'bad',
        stack: error.stack,
        code: 'E_BAD',
        cause: expect.objectContaining({ type: 'Error', message: 'root' }),
        status: 400,
      },
    });
    expect(normalize(new AggregateError([new RangeError('a'), 'b'], 'both'))).toMatchObject({
      type: 'AggregateError',
      errors: [{ type: 'RangeError', message: 'a' }, 'b'],
    });
  });

  it('follows a chain of causes five deep', () => {
    let error = new Error('0');
    for (let level = 1; level <= 20; level++) error = new Error(String(level), { cause: error });
    const messages: unknown[] = [];
    let current = normalize(error) as { message?: unknown; cause?: unknown } | string;
    while (typeof current === 'object') {
      messages.push(current.message);
      current = current.cause as typeof current;
    }
    expect(messages).toEqual(['20', '19', '18', '17', '16', '15']);
    expect(current).toBe('[Depth]');
  });

  it('writes every error of a record in full, however many there are', () => {
    const errors = Array.from({ length: 50 }, (_, index) => new Error(String(index)));
    expect(normalize(errors)).toMatchObject(errors.map(({ message }) => ({ type: 'Error', message })));
  });

  it('says how many properties of an error are missing', () => {
    for (const count of [126, 200, 10_000]) {
      const own = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
      const normalizer = new Normalizer();
      const copy = normalizer.value(Object.assign(new Error('e'), own)) as Attributes;
      const { type, message, stack, '…': more, ...kept } = copy;
      expect([type, message, typeof stack, normalizer.truncations]).toEqual(['Error', 'e', 'string', 1]);
      expect(more).toBe(`${count - Object.keys(kept).length} more`);
    }
  });

  it('treats errors, Maps and dates of another realm like those of its own, as test runners need', () => {
    expect(normalize(runInNewContext('new RangeError("far")'))).toMatchObject({
      type: 'RangeError',
      message: 'far',
    });
    expect(normalize(runInNewContext('new Map([["a", new Date(0)]])'))).toEqual({
      a: '1970-01-01T00:00:00.000Z',
    });
    expect(normalize(runInNewContext('({ a: [1] })'))).toEqual({ a: [1] });
  });

  it('keeps NUL, ANSI sequences, U+2028 and CR LF without loss', () => {
    const text = 'a\0b\u001b[31mc\u2028d\r\ne\u202ef';
    expect(normalize({ [text]: text })).toEqual({ [text]: text });
  });

  it('replaces lone surrogates in values and keys by U+FFFD and keeps pairs', () => {
    expect(normalize({ 'k\udc00': 'a\ud800b😀' })).toEqual({ 'k\ufffd': 'a\ufffdb😀' });
    expect(normalize(`${'x'.repeat(500)}\ud800`)).toBe(`${'x'.repeat(500)}\ufffd`);
  });

  it('keeps __proto__ and constructor as data and pollutes nothing', () => {
    const copy = normalize(
      JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    );
    expect(Object.keys(copy as object)).toEqual(['__proto__', 'constructor']);
    expect(JSON.stringify(copy)).toBe(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const attributes = attributesOf(new Map([['__proto__', { polluted: 1 }]]));
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
  });

  it('is a snapshot: what changes after the call changes nothing in the record', () => {
    const source = { list: [1], map: new Map([['a', { n: 1 }]]), bytes: Buffer.from('a'), nested: { n: 1 } };
    const copy = normalize(source);
    const before = JSON.stringify(copy);
    source.list.push(2);
    source.map.set('a', { n: 2 });
    source.bytes[0] = 0;
    source.nested.n = 2;
    expect(JSON.stringify(copy)).toBe(before);
  });
});

describe('limits', () => {
  it('cuts a long string between two characters and says how long it was', () => {
    const normalizer = new Normalizer({ maxStringBytes: 1_000 });
    const cut = normalizer.value('😀é'.repeat(5_000)) as string;
    expect(cut).toMatch(/^(😀é)+😀?… \[truncated, 15000 chars\]$/u);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1_000);
    expect(Buffer.byteLength(cut)).toBeGreaterThan(990);
    expect(normalizer.truncations).toBe(1);
  });

  it('keeps a string of exactly the limit whole', () => {
    const text = 'é'.repeat(DEFAULT_LIMITS.maxStringBytes / 2);
    expect(normalize(text)).toBe(text);
    expect(normalize(`${text}x`)).not.toBe(`${text}x`);
  });

  it('cuts a key of a megabyte to 256 bytes', () => {
    const normalizer = new Normalizer();
    const [key] = Object.keys(normalizer.value({ ['é'.repeat(500_000)]: 1 }) as object);
    expect(key).toMatch(/^é+…$/);
    expect(Buffer.byteLength(key ?? '')).toBeLessThanOrEqual(256);
    expect(normalizer.truncations).toBe(1);
    expect(normalize({ '': 1, 5: 2 })).toEqual({ '': 1, 5: 2 });
  });

  it('writes eight containers inside one another, and [Depth] for the next', () => {
    let value: unknown = {};
    for (let level = 0; level < 100_000; level++) value = { next: value };
    const normalizer = new Normalizer();
    let current = normalizer.value(value);
    let depth = 0;
    while (typeof current === 'object') {
      depth++;
      current = (current as { next: unknown }).next;
    }
    expect([depth, current, normalizer.truncations]).toEqual([8, '[Depth]', 1]);
  });

  it('says [Circular] for an object inside itself, and copies an object that is merely met twice', () => {
    const shared = { a: 1 };
    const loop: Record<string, unknown> = { first: shared, second: shared };
    loop['self'] = loop;
    loop['list'] = [loop];
    loop['map'] = new Map([['loop', loop]]);
    expect(normalize(loop)).toEqual({
      first: { a: 1 },
      second: { a: 1 },
      self: '[Circular]',
      list: ['[Circular]'],
      map: { loop: '[Circular]' },
    });
    expect(attributesOf(loop)).toMatchObject({ self: '[Circular]', second: { a: 1 } });
  });

  it('ends when toJSON returns the object itself, something around it, or ever more objects', () => {
    const itself = { a: 1, toJSON: (): unknown => itself };
    expect(normalize(itself)).toMatchObject({ a: 1 });
    const around = { toJSON: (): unknown => ({ around }) };
    expect(normalize(around)).toEqual({ around: '[Circular]' });
    const endless = (): object => ({ toJSON: endless });
    expect(normalize(endless())).toBe('[Depth]');
  });

  it('keeps 128 entries of a container and says how many there were', () => {
    const normalizer = new Normalizer();
    const list = normalizer.value(Array.from({ length: 1_000 }, (_, index) => index)) as unknown[];
    expect([list.length, list[127], list[128]]).toEqual([129, 127, '… 872 more']);
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index]));
    const object = normalizer.value(wide) as Attributes;
    expect([Object.keys(object).length, object['k127'], object['…']]).toEqual([129, 127, '19872 more']);
    const map = normalizer.value(new Map(Object.entries(wide))) as Attributes;
    expect(map).toEqual(object);
    expect((normalizer.value(new Set(Object.keys(wide))) as unknown[])[128]).toBe('… 19872 more');
    expect(normalizer.truncations).toBe(4);
  });

  it('reads no item of an array beyond the last that it keeps', () => {
    const read: string[] = [];
    const list = new Proxy(Array.from<number>({ length: 5_000_000 }), {
      get(target, key, receiver): unknown {
        read.push(String(key));
        return Reflect.get(target, key, receiver);
      },
    });
    expect((normalize(list) as unknown[]).length).toBe(129);
    expect(read.length).toBeLessThan(200);
  });

  it('stays near the bytes of a record, whatever the shape', () => {
    let bush: unknown = 'leaf';
    for (let level = 0; level < 8; level++) bush = Array.from({ length: 128 }, () => bush);
    const long = Object.fromEntries(
      Array.from({ length: 128 }, (_, index) => [`k${index}`, 'é'.repeat(30_000)]),
    );
    const list = Array.from({ length: 128 }, () => Array.from({ length: 128 }, () => 'x'.repeat(200)));
    for (const value of [bush, long, list]) {
      const normalizer = new Normalizer();
      const size = Buffer.byteLength(JSON.stringify(normalizer.value(value)));
      expect(size).toBeLessThanOrEqual(DEFAULT_LIMITS.maxRecordBytes * 1.1);
      expect(normalizer.truncations).toBeGreaterThan(0);
    }
  });

  it('gives each record the whole budget again', () => {
    const normalizer = new Normalizer();
    for (let record = 0; record < 10; record++) {
      normalizer.begin();
      expect(normalizer.value('x'.repeat(60_000))).toHaveLength(60_000);
      expect(normalizer.truncations).toBe(0);
    }
  });
});

describe('attributes', () => {
  it('takes the own enumerable properties of objects, Maps and class instances', () => {
    class Dto {
      readonly id = 1;
      readonly note = undefined;
    }
    expect(attributesOf({ a: 1, b: { c: [true] } })).toStrictEqual({ a: 1, b: { c: [true] } });
    expect(attributesOf(new Map([['a', 1]]))).toEqual({ a: 1 });
    expect(attributesOf(new Dto())).toStrictEqual({ id: 1 });
    expect(attributesOf({ toJSON: () => ({ id: 2 }) })).toEqual({ id: 2 });
  });

  it('keeps what has no named parts as the attribute "value"', () => {
    expect(attributesOf([1, 2])).toEqual({ value: [1, 2] });
    expect(attributesOf(new Date(0))).toEqual({ value: '1970-01-01T00:00:00.000Z' });
    expect(attributesOf(new Map([[1, 2]]))).toEqual({ value: [[1, 2]] });
    expect(attributesOf(new PassThrough())).toEqual({ value: '[PassThrough]' });
    expect(attributesOf(new Error('e'))).toMatchObject({ type: 'Error', message: 'e' });
  });

  it('keeps 128 attributes of a record, over several calls, and counts the others', () => {
    const normalizer = new Normalizer();
    const target: Attributes = { already: 1 };
    normalizer.attributes(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, i])), target);
    normalizer.attributes(new Map(Array.from({ length: 10_000 }, (_, i) => [`b${i}`, i])), target);
    normalizer.attribute('late', 1, target);
    expect(Object.keys(target)).toHaveLength(128);
    expect(normalizer.droppedAttributes).toBe(1 + 100 + 10_000 + 1 - 128);
    normalizer.begin();
    expect(normalizer.droppedAttributes).toBe(0);
  });
});
