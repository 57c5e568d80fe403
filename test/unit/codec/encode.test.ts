import { describe, expect, it } from 'vitest';
import { decodeLogRecord } from '../../../src/codec/decode.js';
import { encodeLogRecord } from '../../../src/codec/encode.js';
import { LEADING_FIELDS } from '../../../src/codec/names.js';
import { encodeResource } from '../../../src/codec/resource.js';
import type { Attributes, LogRecord } from '../../../src/record/log-record.js';

const RECORD: LogRecord = {
  hrTime: [1_763_700_000, 0],
  hrTimeObserved: [1_763_700_000, 0],
  resource: { attributes: { 'service.name': 'orders' } },
  instrumentationScope: { name: 'OrdersService' },
  attributes: {},
  droppedAttributesCount: 0,
};

function fieldsOf(pairs: readonly string[]): Map<string | undefined, string | undefined> {
  const fields = new Map<string | undefined, string | undefined>();
  for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i], pairs[i + 1]);
  return fields;
}

function encoded(parts: object): Map<string | undefined, string | undefined> {
  return fieldsOf(encodeLogRecord({ ...RECORD, ...parts } as LogRecord));
}

function numbered(count: number): Attributes {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, i]));
}

describe('An encoded record', () => {
  it('always has the twelve leading fields first and in one order, so that Redis stores their names once', () => {
    const full = { body: 'x', eventName: 'e', severityNumber: 9, attributes: { a: 1 } };
    for (const pairs of [encodeLogRecord(RECORD), encodeLogRecord({ ...RECORD, ...full })]) {
      expect(pairs.filter((_, i) => i % 2 === 0).slice(0, 12)).toEqual(LEADING_FIELDS);
    }
  });

  it('names its resource, and leaves producer and number to the writer', () => {
    const fields = encoded({});
    expect(fields.get('resource')).toBe(encodeResource(RECORD.resource).hash);
    expect(fields.get('service.name')).toBe('orders');
    expect([fields.get('producer'), fields.get('seq')]).toEqual(['', '']);
  });

  it('has an observed time only where it is another one', () => {
    expect(encoded({ hrTimeObserved: [1_763_700_000, 1] }).get('observed_timestamp')).toBe(
      '1763700000000000001',
    );
    expect(encoded({ hrTimeObserved: [1_763_699_999, 1_000_000_000] }).has('observed_timestamp')).toBe(false);
    expect(encoded({ hrTimeObserved: undefined }).has('observed_timestamp')).toBe(false);
  });

  it('has at most 1,000 fields, and the attributes above that in one, in their order', () => {
    for (const count of [987, 988, 989, 1_500]) {
      const pairs = encodeLogRecord({ ...RECORD, attributes: numbered(count) });
      expect(pairs.length / 2).toBe(Math.min(count + 12, 1_000));
      expect(fieldsOf(pairs).has('attributes')).toBe(count > 988);
      const decoded = decodeLogRecord(pairs);
      expect(decoded.status === 'ok' && Object.entries(decoded.record.attributes)).toEqual(
        Object.entries(numbered(count)),
      );
    }
  });

  it('keeps to 1,000 fields when most of its attributes are asked for as fields', () => {
    const attributes = numbered(1_500);
    const pairs = encodeLogRecord({ ...RECORD, attributes }, { attributes: Object.keys(attributes) });
    expect(pairs.length / 2).toBe(1_000);
    const decoded = decodeLogRecord(pairs);
    expect(decoded.status === 'ok' && decoded.record.attributes).toEqual(attributes);
  });

  it('never has ids that readers would refuse', () => {
    const traceId = '0AF7651916CD43DD8448EB211C80319C';
    const fields = encoded({ spanContext: { traceId, spanId: 'xyz', traceFlags: 257 } });
    expect(fields.get('trace_id')).toBe(traceId.toLowerCase());
    expect(fields.get('span_id')).toBe('');
    expect(fields.get('trace_flags')).toBe('01');
    const wrong = encoded({ spanContext: { traceId: 'z'.repeat(32), spanId: 5, traceFlags: NaN } });
    expect([wrong.get('trace_id'), wrong.get('span_id'), wrong.get('trace_flags')]).toEqual(['', '', '00']);
  });

  it('leaves out a severity and counts that the data model does not know', () => {
    for (const severityNumber of [-1, 25, 1.5, NaN, '9', null]) {
      expect(encoded({ severityNumber }).get('severity_number')).toBe('');
    }
    for (const droppedAttributesCount of [-1, 1.5, NaN, 1e300, '1', null]) {
      expect(encoded({ droppedAttributesCount }).has('otel.dropped_attributes_count')).toBe(false);
    }
  });

  it('does not change when the record changes afterwards', () => {
    const attributes = { list: [1] };
    const pairs = encodeLogRecord({ ...RECORD, attributes });
    attributes.list.push(2);
    expect(fieldsOf(pairs).get('list')).toBe('[1]');
  });

  it('keeps what can be read of a record whose getters throw', () => {
    const attributes = {
      ok: 1,
      get bad(): never {
        throw new Error('no');
      },
    };
    const fields = encoded({ body: 'x', attributes });
    expect(fields.get('body')).toBe('x');
    expect(fields.get('ok')).toBe('1');
    expect(fields.get('attributes')).toBe('{"[Unserializable]":true}');
  });

  it('exists even for what is no record at all', () => {
    for (const record of [
      undefined,
      null,
      5,
      'x',
      [],
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
    ]) {
      const decoded = decodeLogRecord(encodeLogRecord(record as unknown as LogRecord));
      expect(decoded.status).toBe('ok');
    }
  });
});
