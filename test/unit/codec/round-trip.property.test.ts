import { isDeepStrictEqual } from 'node:util';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLogRecord } from '../../../src/codec/decode.js';
import { encodeLogRecord, type EncodeOptions } from '../../../src/codec/encode.js';
import { OPTIONAL_FIELDS, LEADING_FIELDS } from '../../../src/codec/names.js';
import { encodeResource } from '../../../src/codec/resource.js';
import { decodeValue, encodeValue } from '../../../src/codec/value.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import {
  arbitraryName,
  arbitraryRecord,
  arbitraryText,
  arbitraryValue,
  mapOf,
  PROPERTY_RUNS,
  throughUtf8,
} from '../../support/arbitrary-record.js';

const runs = { numRuns: PROPERTY_RUNS };

function otlpBytes(records: readonly LogRecord[]): string {
  const bytes = ProtobufLogsSerializer.serializeRequest([...records] as ReadableLogRecord[]);
  if (bytes === undefined) throw new Error('the serializer gave no bytes');
  return Buffer.from(bytes).toString('hex');
}

function throughRedis(record: LogRecord, options?: EncodeOptions): LogRecord {
  const fields = encodeLogRecord(record, options).map(throughUtf8);
  const resource = encodeResource(record.resource);
  const texts = new Map([[resource.hash, throughUtf8(resource.text)]]);
  const decoded = decodeLogRecord(fields, { resource: (hash) => texts.get(hash) });
  if (decoded.status === 'malformed') throw new Error(decoded.reason);
  expect(decoded.missingResource).toBeUndefined();
  return decoded.record;
}

function sorted(record: LogRecord): LogRecord {
  const entries = Object.entries(record.attributes);
  return { ...record, attributes: mapOf(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

describe('A record that went through Redis', () => {
  it('serializes to the same OTLP bytes as the original', () => {
    fc.assert(
      fc.property(arbitraryRecord(), (record) => otlpBytes([throughRedis(record)]) === otlpBytes([record])),
      runs,
    );
  });

  it('serializes to the same OTLP bytes when its attributes were one JSON field', () => {
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        return otlpBytes([throughRedis(record, { attributes: 'json' })]) === otlpBytes([record]);
      }),
      runs,
    );
  });

  it('has the same attributes when only some of them were fields', () => {
    fc.assert(
      fc.property(arbitraryRecord(), fc.array(arbitraryName()), (record, attributes) => {
        return otlpBytes([sorted(throughRedis(record, { attributes }))]) === otlpBytes([sorted(record)]);
      }),
      runs,
    );
  });

  it('leaves no trace on the prototype of objects, whatever its names are', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        const { attributes } = throughRedis(record);
        return Object.getPrototypeOf(attributes) === Object.prototype;
      }),
      runs,
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });
});

describe('A value that went through Redis', () => {
  it('is the same value, to the sign of zero and the type of bytes', () => {
    fc.assert(
      fc.property(arbitraryValue(), (value) => {
        const read = decodeValue(throughUtf8(encodeValue(value)));
        // A bare text goes as UTF-8, which has no lone surrogates; texts inside JSON keep them.
        return isDeepStrictEqual(
          typeof read === 'string' ? throughUtf8(read) : read,
          typeof value === 'string' ? throughUtf8(value) : value,
        );
      }),
      runs,
    );
  });
});

describe('Whatever an entry holds', () => {
  const fieldName = fc.oneof(fc.constantFrom(...LEADING_FIELDS, ...OPTIONAL_FIELDS), arbitraryName());
  const fieldValue = fc.oneof(
    arbitraryText(),
    arbitraryValue().map(encodeValue),
    fc.constantFrom('{"$num":1}', '{"$bytes":"?"}', '{"$obj":{}}', '{"$bigint":"x"}', '{"$undefined":0}'),
  );
  const timestamp = fc.oneof({ arbitrary: fc.constant('1763700000000000000'), weight: 9 }, fieldValue);
  const pairs = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 20 });
  const almostEntry = fc
    .tuple(timestamp, pairs)
    .map(([time, others]) => ['timestamp', time, ...others.flat()]);

  it('decoding never throws, and says either what the record is or what is wrong', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fieldValue), almostEntry, fc.array(fc.string())), (fields) => {
        const decoded = decodeLogRecord(fields, { resource: () => fields[0] });
        return decoded.status === 'ok' ? decoded.record !== undefined : decoded.reason.length > 10;
      }),
      runs,
    );
  });

  it('what is decoded can be sent as OTLP, and stored again without a change', () => {
    fc.assert(
      fc.property(almostEntry, (fields) => {
        const decoded = decodeLogRecord(fields);
        if (decoded.status === 'malformed') return;
        expect(otlpBytes([throughRedis(decoded.record)])).toBe(otlpBytes([decoded.record]));
      }),
      runs,
    );
  });
});

describe('Whatever a record is at run time', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withUnicodeString: true,
  });
  const almostRecord = fc.record(
    {
      hrTime: anything,
      hrTimeObserved: anything,
      spanContext: anything,
      severityNumber: anything,
      severityText: anything,
      body: anything,
      eventName: anything,
      resource: fc.oneof(anything, fc.record({ attributes: anything, schemaUrl: anything })),
      instrumentationScope: fc.oneof(anything, fc.record({ name: anything, attributes: anything })),
      attributes: anything,
      droppedAttributesCount: anything,
    },
    { requiredKeys: [] },
  );

  it('encoding never throws, and readers can decode what it wrote', () => {
    fc.assert(
      fc.property(
        fc.oneof(anything, almostRecord),
        fc.constantFrom('fields', 'json'),
        (record, attributes) => {
          const fields = encodeLogRecord(record as unknown as LogRecord, {
            attributes: attributes as 'fields',
          });
          expect(decodeLogRecord(fields.map(throughUtf8)).status).toBe('ok');
        },
      ),
      runs,
    );
  });
});
