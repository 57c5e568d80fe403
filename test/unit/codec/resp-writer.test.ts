import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bulk, RespWriter } from '../../../src/codec/resp-writer.js';
import { arbitraryText, PROPERTY_RUNS, throughUtf8 } from '../../support/arbitrary-record.js';
import { RespCommandParser } from '../../support/resp-parser.js';

/** What a server makes of the bytes: they are the arguments of a command. */
function parsed(writer: RespWriter, count: number): string[] {
  const bytes = Buffer.concat([Buffer.from(`*${count}\r\n`), writer.bytes.subarray(0, writer.length)]);
  const commands = new RespCommandParser().push(bytes);
  return commands.flat().map((arg) => arg.toString('utf8'));
}

type Value =
  { readonly text: string } | { readonly integer: number } | { readonly time: readonly [number, number] };

function arbitraryValue(): fc.Arbitrary<Value> {
  // Around the length where another way of copying takes over, and around those where the header grows.
  const sized = fc.tuple(
    fc.constantFrom(9, 10, 47, 48, 49, 99, 100, 999, 1_000, 9_999),
    fc.constantFrom('a', 'é', '😀'),
  );
  return fc.oneof(
    arbitraryText().map((text) => ({ text })),
    sized.map(([length, unit]) => ({ text: unit.repeat(length) })),
    sized.map(([length, unit]) => ({ text: 'a'.repeat(length - 1) + unit })),
    fc.maxSafeNat().map((integer) => ({ integer })),
    fc.constantFrom(0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1).map((integer) => ({ integer })),
    fc
      .tuple(fc.integer({ min: 1e9, max: 1e10 - 1 }), fc.integer({ min: 0, max: 1e9 - 1 }))
      .map((time) => ({ time })),
  );
}

function write(writer: RespWriter, value: Value): string {
  if ('text' in value) {
    writer.text(value.text);
    return throughUtf8(value.text);
  }
  if ('integer' in value) {
    writer.integer(value.integer);
    return String(value.integer);
  }
  const [seconds, nanoseconds] = value.time;
  writer.nanoseconds(seconds, nanoseconds);
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
}

describe('What the writer writes', () => {
  it('is read back by a RESP parser, value for value, however large its buffer was at the start', () => {
    const values = fc.array(arbitraryValue(), { maxLength: 12 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 64 }), (given, capacity) => {
        const writer = new RespWriter(capacity);
        const expected = given.map((value) => write(writer, value));
        expect(parsed(writer, given.length)).toEqual(expected);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('is what a constant bulk string is, too', () => {
    fc.assert(
      fc.property(arbitraryText(), (text) => {
        const writer = new RespWriter();
        writer.text(text);
        expect(bulk(text).equals(writer.bytes.subarray(0, writer.length))).toBe(true);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('of a number is what String makes of it, or nothing', () => {
    const decimals = fc.tuple(fc.maxSafeNat(), fc.constantFrom(1, 10, 100, 1_000, 1e4, 1e6));
    const numbers = fc.oneof(
      fc.double(),
      fc.integer(),
      decimals.map(([digits, divisor]) => digits / divisor),
      fc.integer({ min: 0, max: 100_000 }).map((thousandths) => thousandths / 1_000),
      fc.constantFrom(
        0,
        -0,
        0.001,
        0.5,
        1e12,
        2 ** 53,
        2 ** 53 - 1,
        1e15 + 0.5,
        999_999_999_999.999,
        1e21,
        NaN,
      ),
    );
    let written = 0;
    fc.assert(
      fc.property(numbers, (number) => {
        const writer = new RespWriter(1);
        if (!writer.number(number)) {
          expect(writer.length).toBe(0);
          return;
        }
        written++;
        expect(parsed(writer, 1)).toEqual([String(number)]);
        expect(Object.is(number, -0)).toBe(false);
      }),
      { numRuns: PROPERTY_RUNS },
    );
    expect(written).toBeGreaterThan(PROPERTY_RUNS / 4);
  });

  it('begins with how many strings follow, where it is a command', () => {
    const writer = new RespWriter(1);
    writer.array(2);
    writer.text('get');
    writer.raw(bulk('naïve'));
    const [command] = new RespCommandParser().push(Buffer.from(writer.bytes.subarray(0, writer.length)));
    expect(command?.map(String)).toEqual(['get', 'naïve']);
  });

  it('begins anew after a reset, and gives the memory of a huge record back', () => {
    const writer = new RespWriter();
    writer.text('x'.repeat(3_000_000));
    writer.reset();
    expect(writer.bytes.length).toBeLessThan(100_000);
    writer.text('next');
    expect(parsed(writer, 1)).toEqual(['next']);
  });
});
