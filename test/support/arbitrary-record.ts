/** fast-check arbitraries for everything that the OpenTelemetry log data model allows, its traps first. */
import fc from 'fast-check';
import type {
  Attributes,
  HrTime,
  InstrumentationScope,
  LogRecord,
  Resource,
  SpanContext,
} from '../../src/record/log-record.js';

/** Runs of each property: `PROPERTY_RUNS`, 2,000 where it is not set. */
export const PROPERTY_RUNS = Number(process.env['PROPERTY_RUNS'] ?? 2_000);

/** What a text becomes on its way through Redis: lone surrogates are lost. */
export function throughUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** A plain object with these own properties, `__proto__` among them if need be. */
export function mapOf(entries: readonly (readonly [string, unknown])[]): Attributes {
  const map: Attributes = {};
  for (const [name, value] of entries) {
    Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return map;
}

const CONFUSING_TEXTS = [
  ...['', ' ', 'true', 'false', 'null', ' true', 'True', 'undefined', 'NaN', 'Infinity', '-Infinity', '-'],
  ...[
    '0',
    '-0',
    '00',
    '01',
    '1.',
    '.5',
    '1.5',
    '-1.5E-3',
    '1e5',
    '1e999',
    '+1',
    '0x10',
    '1_000',
    '1\n',
    '1 ',
  ],
  ...['\u0661', '12345678901234567890', '{', '[', '"', '{}', '[]', '""', '"a"', '[1]', '{"a":1}', ' {}'],
  ...['{"$num":"NaN"}', '{"$bytes":"AA=="}', '$num', '\u0000', 'a\u0000b', '\u001b[31mred\u001b[0m'],
  ...['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800', '\ufffd', '\ufeffbom', '\u2028', '\r\n', '😀', 'é'],
];

const CONFUSING_NAMES = [
  ...['', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'length', 'then'],
  ...['0', '1', '10', '-1', '4294967295', '$', '$num', '$bytes', '$bigint', '$undefined', '$obj', '$other'],
  ...['timestamp', 'severity_number', 'body', 'trace_id', 'resource', 'producer', 'seq', 'service.name', 'v'],
  ...['otel.scope.name', 'otel.scope.attributes', 'otel.event.name', 'observed_timestamp', 'attributes'],
  ...['attributes.', 'attributes.a', 'attributes.attributes.a', 'attribute', '@', '@later', 'a@', 'order.id'],
  ...['\ud800', '\udc00', 'a\ud800', '\u0000', '\ufffd', '😀'],
];

export function arbitraryText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...CONFUSING_TEXTS),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '😀', '"', '{', '$', '\\', 'a') }),
    fc.double().map(String),
    fc.json({ maxDepth: 2 }),
  );
}

export function arbitraryName(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...CONFUSING_NAMES),
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.stringMatching(/^[a-z]{1,8}(\.[a-z_]{1,8}){0,2}$/),
  );
}

function arbitraryLeaf(): fc.Arbitrary<unknown> {
  return fc.oneof(
    arbitraryText(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, 2 ** 53, -(2 ** 63), 2 ** 63, 5e-324, 1e21),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.uint8Array({ maxLength: 8 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  );
}

/** Any value of the data model, nested. (The SDK's serializer writes a bigint as the empty value.) */
export function arbitraryValue(): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown; list: unknown[]; map: Attributes }>((tie) => ({
    value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, arbitraryLeaf(), tie('list'), tie('map')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.array(fc.tuple(arbitraryName(), tie('value')), { maxLength: 3 }).map(mapOf),
  }));
  return value;
}

export function arbitraryAttributes(maxLength = 6): fc.Arbitrary<Attributes> {
  return fc.array(fc.tuple(arbitraryName(), arbitraryValue()), { maxLength }).map(mapOf);
}

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

export function arbitraryTime(): fc.Arbitrary<HrTime> {
  return fc.oneof(
    fc.tuple(
      fc.integer({ min: 1_500_000_000, max: 2_500_000_000 }),
      fc.integer({ min: 0, max: 999_999_999 }),
    ),
    fc.tuple(
      fc.constant(1_763_700_000),
      fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
    ),
    fc.tuple(fc.integer({ min: 0, max: 18_446_744_072 }), fc.integer({ min: 0, max: 999_999_999 })),
    fc.constantFrom<HrTime>([0, 0], [0, 1], [1, 0], [18_446_744_073, 709_551_615]),
  );
}

function arbitraryHex(length: number): fc.Arbitrary<string> {
  const digits = fc.string({
    unit: fc.constantFrom(...'0123456789abcdef'),
    minLength: length,
    maxLength: length,
  });
  return fc.oneof({ arbitrary: digits, weight: 9 }, { arbitrary: fc.constant(''), weight: 1 });
}

export function arbitrarySpanContext(): fc.Arbitrary<SpanContext> {
  return fc.record({
    traceId: arbitraryHex(32),
    spanId: arbitraryHex(16),
    traceFlags: fc.integer({ min: 0, max: 255 }),
  });
}

export function arbitraryResource(): fc.Arbitrary<Resource> {
  const named = fc
    .tuple(arbitraryText(), arbitraryAttributes(3))
    .map(([name, others]) => mapOf([['service.name', name], ...Object.entries(others)]));
  return fc.record({
    attributes: fc.oneof(named, arbitraryAttributes(4)),
    schemaUrl: optional(arbitraryText()),
  });
}

const arbitraryDroppedCount = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

export function arbitraryScope(): fc.Arbitrary<InstrumentationScope> {
  return fc.record({
    name: arbitraryText(),
    version: optional(arbitraryText()),
    schemaUrl: optional(arbitraryText()),
    attributes: optional(arbitraryAttributes(3)),
    droppedAttributesCount: optional(arbitraryDroppedCount),
  });
}

/** A record as the SDK hands it to an exporter. */
export function arbitraryRecord(): fc.Arbitrary<LogRecord> {
  return fc.record({
    hrTime: arbitraryTime(),
    hrTimeObserved: arbitraryTime(),
    spanContext: optional(arbitrarySpanContext()),
    severityNumber: optional(fc.integer({ min: 0, max: 24 })),
    severityText: optional(arbitraryText()),
    body: arbitraryValue(),
    eventName: optional(arbitraryText()),
    resource: arbitraryResource(),
    instrumentationScope: arbitraryScope(),
    attributes: arbitraryAttributes(),
    droppedAttributesCount: arbitraryDroppedCount,
  });
}
