import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeValue, encodeBody, encodeValue } from '../../../src/codec/value.js';
import { isRedisLogError } from '../../../src/errors.js';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function throwing(): never {
  throw new Error('no');
}

describe('The value rule', () => {
  it('writes ordinary texts and numbers as people read them', () => {
    for (const text of ['GET /orders', 'true story', 'nullable', '2026-11-20', '10.0.0.1', '-', '-x', '']) {
      expect(encodeValue(text)).toBe(text);
    }
    expect(encodeValue(200)).toBe('200');
    expect(encodeValue(-1.5)).toBe('-1.5');
    expect(encodeValue(false)).toBe('false');
  });

  it('tells no body, an empty one and null apart', () => {
    expect([undefined, '', null, 'x'].map(encodeBody)).toEqual(['', '""', 'null', 'x']);
    expect(['', '""', 'null', 'x'].map(decodeBody)).toEqual([undefined, '', null, 'x']);
  });

  it('gives bytes back as a Uint8Array, whichever kind of it they were', () => {
    const pool = Buffer.from('xyz').subarray(1);
    const foreign: unknown = runInNewContext('new Uint8Array([121, 122])');
    for (const bytes of [pool, new Uint8Array([121, 122]), foreign]) {
      const read = decodeValue(encodeValue({ bytes }));
      expect(read).toStrictEqual({ bytes: new Uint8Array([121, 122]) });
    }
  });

  it('takes plain objects of another realm for maps, empty ones too', () => {
    expect(encodeValue(runInNewContext('({ a: {}, b: [] })'))).toBe('{"a":{},"b":[]}');
  });

  it('keeps names of the prototype as data, at every depth, and pollutes nothing', () => {
    const text = '{"__proto__":{"polluted":{"$num":"NaN"}},"constructor":{"prototype":{"polluted":1}}}';
    const read = decodeValue(text) as Record<string, unknown>;
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(encodeValue(read)).toBe(text);
  });

  it('keeps the first 256 levels of what is nested deeper, and readers can read it', () => {
    const text = encodeValue(nested(20_000));
    expect(text).toBe('['.repeat(256) + '"[Too deep]"' + ']'.repeat(256));
    expect(encodeValue(decodeValue(text))).toBe(text);
  });

  it('reads the deepest value that it writes, tags and wrapping included', () => {
    let value: unknown = NaN;
    for (let i = 0; i < 256; i++) value = { $a: value };
    expect(decodeValue(encodeValue(value))).toEqual(value);
  });
});

describe('A value that no log can hold', () => {
  it('is written as what it says it is', () => {
    expect(encodeValue(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"');
    expect(encodeValue(new Date(NaN))).toBe('"Invalid Date"');
    expect(encodeValue(new TypeError('no'))).toBe('"TypeError: no"');
    expect(encodeValue(new Map([[1, 2]]))).toBe('"[object Map]"');
    expect(encodeValue(new URL('http://a/b'))).toBe('"http://a/b"');
    expect(encodeValue(throwing)).toBe('"[Function]"');
    expect(encodeValue([Symbol('x'), throwing])).toBe('["[Symbol]","[Function]"]');
  });

  it('is the map of its own properties if it is an instance of a class, whatever its toJSON does', () => {
    class Order {
      readonly id = 1;
      toJSON = throwing;
    }
    expect(encodeValue(new Order())).toBe('{"id":1,"toJSON":"[Function]"}');
    expect(encodeValue({ toJSON: throwing })).toBe('{"toJSON":"[Function]"}');
  });

  it('that contains itself is cut where it does, and a part that is shared is not', () => {
    const shared = { a: 1 };
    const circle: Record<string, unknown> = { left: shared, right: shared };
    circle['self'] = circle;
    expect(encodeValue(circle)).toBe('{"left":{"a":1},"right":{"a":1},"self":"[Circular]"}');
  });

  it('whose parts throw is replaced, and nothing is thrown', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const hostile = [
      {
        get a() {
          return throwing();
        },
      },
      new Proxy({}, { ownKeys: throwing }),
      new Proxy({}, { getPrototypeOf: throwing }),
      revoked.proxy,
      Object.assign(Object.create({ toString: throwing, inner: {} }) as object, {
        [Symbol.toPrimitive]: throwing,
      }),
    ];
    for (const value of hostile.slice(0, 4)) expect(encodeValue(value)).toBe('"[Unserializable]"');
    for (const value of hostile) expect(typeof encodeValue([value])).toBe('string');
  });

  it('that multiplies by its shared parts is cut before it holds the process up', () => {
    let bomb: unknown = ['x'];
    for (let i = 0; i < 40; i++) bomb = [bomb, bomb];
    const text = encodeValue(bomb);
    expect(text).toContain('[Too large]');
    expect(text.length).toBeLessThan(20_000_000);
  });
});

describe('A list of five million holes', () => {
  it('is cut like any other value of that size', () => {
    const text = encodeValue(Object.assign([], { length: 5_000_000 }));
    expect(text.length).toBeLessThan(20_000_000);
    expect(text.endsWith(',"[Too large]"]')).toBe(true);
  });
});

describe('A text that breaks the value rule', () => {
  const broken = [
    '{',
    '[1',
    '"',
    '"a',
    '{"a":}',
    '{"$num":"1"}',
    '[{"$bytes":"AQ"}]',
    '{"$bigint":"1.5"}',
    '{"$obj":[]}',
  ];

  it.each([...broken, '['.repeat(100_000) + ']'.repeat(100_000)])('is refused: %.20s', (text) => {
    expect(() => decodeValue(text)).toThrow(
      expect.toSatisfy((error) => isRedisLogError(error) && error.code === 'REDIS_LOG_MALFORMED'),
    );
  });

  it('is not repeated by the error, which ends up in logs itself', () => {
    expect(() => decodeValue('{"password":"hunter2"')).not.toThrow(/hunter2/);
    expect(() => decodeValue('{"password":"hunter2"')).toThrow('a value is not JSON');
  });
});
