/** The cases of which generate.ts makes vectors.json: what goes in, and what a reader must get out. */
import type { DecodedLogRecord } from '../../../src/codec/decode.js';
import type { EncodeOptions } from '../../../src/codec/encode.js';
import type { Attributes, LogRecord } from '../../../src/record/log-record.js';
import { mapOf } from '../../support/arbitrary-record.js';

export interface WriteCase {
  readonly name: string;
  readonly record: LogRecord;
  readonly layout?: EncodeOptions['attributes'];
  /** What a reader gets, where the wire cannot carry the record as it was. */
  readonly read?: LogRecord;
}

export interface ReadCase {
  readonly name: string;
  readonly fields: readonly string[];
  readonly resources?: Readonly<Record<string, string>>;
  /** Undefined: the entry is malformed. */
  readonly record?: LogRecord;
  readonly entry?: Partial<DecodedLogRecord>;
}

const BASE: LogRecord = {
  hrTime: [1_763_700_000, 123_456_789],
  hrTimeObserved: [1_763_700_000, 123_456_789],
  severityNumber: 9,
  severityText: 'log',
  body: 'order placed',
  resource: { attributes: { 'service.name': 'orders' } },
  instrumentationScope: { name: 'OrdersService' },
  attributes: {},
  droppedAttributesCount: 0,
};

function write(name: string, parts: Partial<LogRecord>, more: Partial<WriteCase> = {}): WriteCase {
  return { name, record: { ...BASE, ...parts }, ...more };
}

function attribute(name: string, value: unknown): WriteCase {
  return write(name, { attributes: { a: value } });
}

function body(name: string, value: unknown): WriteCase {
  return write(name, { body: value });
}

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

const HEAD_CASES: readonly WriteCase[] = [
  write('a record with nothing but its time has twelve fields', {
    severityNumber: undefined,
    severityText: undefined,
    body: undefined,
    resource: { attributes: {} },
    instrumentationScope: { name: '' },
  }),
  write('an ordinary record', { attributes: { 'order.id': 'ord_1', amount: 12.5, items: 3, paid: true } }),
  write('an unknown time is 0', { hrTime: [0, 0], hrTimeObserved: [0, 0] }),
  write('a time below a second has no leading zeros', { hrTime: [0, 7], hrTimeObserved: [0, 7] }),
  write('nanoseconds are exact beyond 2^53', {
    hrTime: [1_763_700_000, 1],
    hrTimeObserved: [1_763_700_000, 1],
  }),
  write('the last time that OTLP knows', {
    hrTime: [18_446_744_073, 709_551_615],
    hrTimeObserved: [18_446_744_073, 709_551_615],
  }),
  write('an observed time that differs has a field', { hrTimeObserved: [1_763_700_001, 0] }),
  write('severity 0 is not the same as none', { severityNumber: 0 }),
  write('the most severe record', { severityNumber: 24, severityText: 'EMERGENCY' }),
  write('the severity text is no value: it is never quoted', { severityText: 'null' }),
  write('a span has hex ids and flags of two digits', { spanContext: SPAN }),
  write('a span that is not sampled still has its flags', { spanContext: { ...SPAN, traceFlags: 0 } }),
  write('all eight flags', { spanContext: { ...SPAN, traceFlags: 255 } }),
  write('a full scope', {
    instrumentationScope: {
      name: 'http',
      version: '1.2.3',
      schemaUrl: 'https://opentelemetry.io/schemas/1.45.0',
      attributes: { kind: 'server', port: 80, $only: undefined },
      droppedAttributesCount: 2,
    },
  }),
  write('scope attributes of one key with a dollar are wrapped', {
    instrumentationScope: { name: 'http', attributes: { $num: 'NaN' } },
  }),
  write('an event has a name, and a record may have lost attributes', {
    eventName: 'order.placed',
    droppedAttributesCount: 3,
  }),
  write('a resource with a schema URL and values that JSON lacks', {
    resource: {
      attributes: { 'service.name': 'orders', 'process.pid': 1, load: NaN, ids: ['a', 'b'] },
      schemaUrl: 'https://opentelemetry.io/schemas/1.45.0',
    },
  }),
];

const BODY_CASES: readonly WriteCase[] = [
  body('no body is the empty field', undefined),
  body('the empty text as a body is quoted', ''),
  body('a body that is null', null),
  body('a body that is a map', { order: { id: 1, lines: [{ sku: 'x' }] } }),
  body('a body that is bytes', new Uint8Array([0, 1, 254, 255])),
  body(
    'a body with line breaks, NUL and an escape sequence is written as it is',
    'a\r\nb\u0000\u001b[31mred',
  ),
  body('a body beyond the basic plane', 'grüße 😀 \u2028'),
];

const VALUE_CASES: readonly WriteCase[] = [
  attribute('the empty text is the empty field', ''),
  attribute('a text that looks like a number is quoted', '200'),
  attribute('a text that looks like a number with an exponent is quoted', '-1.5E+3'),
  attribute('a text that only starts like a number is not', '2026-11-20'),
  attribute('a number with a leading zero is a text', '007'),
  attribute('a number with a line break behind it is a text', '1\n'),
  attribute('digits of another script are a text', '\u0661\u0662'),
  attribute('the text true is quoted', 'true'),
  attribute('the text null is quoted', 'null'),
  attribute('the text True is not', 'True'),
  attribute('a text that starts with a brace is quoted', '{not json'),
  attribute('a text that starts with a bracket is quoted', '[error] "x"'),
  attribute('a text that starts with a quote is quoted', '"'),
  attribute('a text that starts with a space is not', ' {}'),
  attribute('true', true),
  attribute('false', false),
  attribute('null', null),
  attribute('undefined', undefined),
  attribute('a large number', 1e21),
  attribute('a small number', 5e-324),
  attribute('a negative integer', -42),
  attribute('not a number', NaN),
  attribute('infinity', Infinity),
  attribute('negative infinity', -Infinity),
  attribute('negative zero', -0),
  attribute('an integer beyond 2^53', 12345678901234567890n),
  attribute('a negative bigint', -1n),
  attribute('no bytes', new Uint8Array()),
  attribute('bytes', new Uint8Array([1, 2, 3, 4])),
  attribute('a list of everything that JSON lacks', [
    NaN,
    -0,
    undefined,
    1n,
    new Uint8Array([255]),
    null,
    'x',
  ]),
  attribute('an empty list and an empty map', [[], {}]),
  attribute('a map that looks like a tag is wrapped', { $num: 'NaN' }),
  attribute('a map that looks like a wrapped one is wrapped again', { $obj: { $obj: 1 } }),
  attribute('a map of one key with any dollar is wrapped, at every depth', [
    { x: { $ref: { $undefined: 1 } } },
  ]),
  attribute('a map of two keys with dollars is not', { $num: 'NaN', $bytes: '' }),
  attribute('texts in lists are JSON texts', ['200', 'true', '']),
  attribute('a lone surrogate in a list survives', ['\ud800']),
  attribute(
    'names of the prototype are ordinary names',
    mapOf([
      ['__proto__', { constructor: NaN }],
      ['b', 1],
    ]),
  ),
];

const LONE: Attributes = { first: 1, 'bad\ud800': 'x', '@last': { $a: 1 } };

const NAME_CASES: readonly WriteCase[] = [
  write('attributes with our names have a prefix', {
    attributes: {
      timestamp: 1,
      body: 'x',
      'service.name': 'y',
      'otel.event.name': 'z',
      v: 1,
      attributes: 'a',
    },
  }),
  write('attributes whose names start as ours do have a prefix', {
    attributes: { '@later': 1, 'attributes.': 2, 'attributes.a': 3, 'attributes.attributes.a': 4 },
  }),
  write('names that only look like ours have none', {
    attributes: { Timestamp: 1, attribute: 2, 'a@': 3, V: 4 },
  }),
  write('names of the prototype, numbers and the empty name are ordinary names', {
    attributes: mapOf([
      ['1', 'one'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['', 'empty'],
    ]),
  }),
  write('from a name that UTF-8 cannot carry on, attributes are one map', { attributes: LONE }),
  write(
    'a lone surrogate in a text becomes U+FFFD',
    { body: 'a\ud800b' },
    {
      read: { ...BASE, body: 'a\ufffdb' },
    },
  ),
  write('attributes as one JSON field', { attributes: { a: '1', b: NaN, timestamp: 2 } }, { layout: 'json' }),
  write('no attributes as one JSON field', {}, { layout: 'json' }),
  write(
    'attributes as one JSON field, with one name that starts with a dollar',
    { attributes: { $bytes: 'AA==' } },
    {
      layout: 'json',
    },
  ),
  write(
    'some attributes as fields, the others behind them',
    { attributes: { a: 1, b: 2, c: 3 } },
    {
      layout: ['c', 'b'],
      read: { ...BASE, attributes: { b: 2, c: 3, a: 1 } },
    },
  ),
];

export const WRITE_CASES: readonly WriteCase[] = [
  ...HEAD_CASES,
  ...BODY_CASES,
  ...VALUE_CASES,
  ...NAME_CASES,
];

const TEXT = '{"attributes":{"service.name":"orders"}}';
const TIME = ['timestamp', '1763700000123456789'];
const NOTHING: LogRecord = {
  ...BASE,
  severityNumber: undefined,
  severityText: undefined,
  body: undefined,
  resource: { attributes: {} },
  instrumentationScope: { name: '' },
};

export const READ_CASES: readonly ReadCase[] = [
  { name: 'the time alone is an entry', fields: TIME, record: NOTHING },
  {
    name: 'fields may come in any order',
    fields: ['z', '1', 'body', 'x', 'resource', 'h', ...TIME, 'severity_number', '17'],
    resources: { h: TEXT },
    record: { ...NOTHING, severityNumber: 17, body: 'x', attributes: { z: 1 }, resource: BASE.resource },
  },
  {
    name: 'who wrote an entry, and its number',
    fields: [...TIME, 'producer', 'k3J9x0aPq2Lm', 'seq', '9007199254740991'],
    record: NOTHING,
    entry: { producer: 'k3J9x0aPq2Lm', seq: 9_007_199_254_740_991 },
  },
  {
    name: 'without the text of its resource, a record knows its service',
    fields: [...TIME, 'service.name', 'orders', 'resource', 'abcdefghijkl'],
    record: { ...NOTHING, resource: BASE.resource },
    entry: { missingResource: 'abcdefghijkl' },
  },
  {
    name: 'a resource whose text is none is missing',
    fields: [...TIME, 'resource', 'h'],
    resources: { h: '{"attributes":[]}' },
    record: NOTHING,
    entry: { missingResource: 'h' },
  },
  { name: 'fields of a later version are skipped', fields: [...TIME, '@later', '{'], record: NOTHING },
  {
    name: 'exactly one prefix is taken off',
    fields: [...TIME, 'attributes.attributes.a', '1', 'attributes.b', '2'],
    record: { ...NOTHING, attributes: { 'attributes.a': 1, b: 2 } },
  },
  {
    name: 'a tag of a later version stays the map that it is',
    fields: [...TIME, 'a', '{"$later":{"$num":"-0"}}'],
    record: { ...NOTHING, attributes: { a: { $later: -0 } } },
  },
  {
    name: 'an escaped dollar sign is a dollar sign',
    fields: [...TIME, 'a', '{"\\u0024num":"NaN"}'],
    record: { ...NOTHING, attributes: { a: NaN } },
  },
  { name: 'malformed: no time', fields: ['body', 'x'] },
  { name: 'malformed: an empty time', fields: ['timestamp', ''] },
  { name: 'malformed: a time with a sign', fields: ['timestamp', '-1'] },
  { name: 'malformed: a time with a fraction', fields: ['timestamp', '1.5'] },
  { name: 'malformed: a time above 64 bits', fields: ['timestamp', '18446744073709551616'] },
  { name: 'malformed: a name without a value', fields: [...TIME, 'a'] },
  { name: 'malformed: an unknown version', fields: [...TIME, 'v', '2'] },
  { name: 'malformed: a severity above 24', fields: [...TIME, 'severity_number', '25'] },
  { name: 'malformed: a severity that is no number', fields: [...TIME, 'severity_number', 'warn'] },
  {
    name: 'malformed: a trace id in capitals',
    fields: [...TIME, 'trace_id', '0AF7651916CD43DD8448EB211C80319C'],
  },
  { name: 'malformed: a span id that is too short', fields: [...TIME, 'span_id', 'b7ad'] },
  { name: 'malformed: trace flags of one digit', fields: [...TIME, 'trace_flags', '1'] },
  { name: 'malformed: a number that is none', fields: [...TIME, 'seq', '1e3'] },
  { name: 'malformed: JSON that ends early', fields: [...TIME, 'a', '{"b":'] },
  { name: 'malformed: JSON with something behind it', fields: [...TIME, 'a', '"b" c'] },
  { name: 'malformed: a number that JSON does not have', fields: [...TIME, 'a', '[NaN]'] },
  { name: 'malformed: base64 without its padding', fields: [...TIME, 'a', '{"$bytes":"AQ"}'] },
  { name: 'malformed: a special number that is not special', fields: [...TIME, 'a', '{"$num":"1"}'] },
  { name: 'malformed: a bigint with a leading zero', fields: [...TIME, 'a', '{"$bigint":"01"}'] },
  { name: 'malformed: an undefined that is not 1', fields: [...TIME, 'a', '{"$undefined":true}'] },
  { name: 'malformed: a wrapped map that needed no wrapping', fields: [...TIME, 'a', '{"$obj":{"b":1}}'] },
  { name: 'malformed: attributes that are no map', fields: [...TIME, 'attributes', '[]'] },
  { name: 'malformed: attributes that are bytes', fields: [...TIME, 'attributes', '{"$bytes":""}'] },
  { name: 'malformed: scope attributes that are no map', fields: [...TIME, 'otel.scope.attributes', '"x"'] },
];
