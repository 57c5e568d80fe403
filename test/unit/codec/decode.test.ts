import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { describe, expect, it } from 'vitest';
import { decodeLogRecord, type DecodedLogRecord, type DecodeOptions } from '../../../src/codec/decode.js';

const TIME = ['timestamp', '1763700000000000000'];
const SCOPE = ['otel.scope.name', 'http', 'otel.scope.version', '1', 'otel.scope.attributes', '{"a":1}'];

function decoded(fields: readonly string[], options?: DecodeOptions): DecodedLogRecord {
  const result = decodeLogRecord(fields, options);
  if (result.status === 'malformed') throw new Error(result.reason);
  return result;
}

describe('A decoded entry', () => {
  it('says who wrote it, or nothing where the entry does not', () => {
    expect(decoded([...TIME, 'producer', 'p', 'seq', '7'])).toMatchObject({ producer: 'p', seq: 7 });
    expect(decoded([...TIME, 'producer', '', 'seq', ''])).toMatchObject({
      producer: undefined,
      seq: undefined,
    });
  });

  it('shares one frozen scope with all entries of the same scope, and none with others', () => {
    const scope = decoded([...TIME, ...SCOPE]).record.instrumentationScope;
    expect(decoded([...TIME, ...SCOPE]).record.instrumentationScope).toBe(scope);
    expect(Object.isFrozen(scope)).toBe(true);
    const others = [
      ['otel.scope.version', '2'],
      ['otel.scope.schema_url', 'u'],
      ['otel.scope.attributes', '{}'],
    ];
    for (const other of [
      ...others,
      ['otel.scope.dropped_attributes_count', '1'],
      ['otel.scope.name', 'https'],
    ]) {
      expect(decoded([...TIME, ...SCOPE, ...other]).record.instrumentationScope).not.toBe(scope);
    }
  });

  it('keeps scopes apart whose parts only look the same when put together', () => {
    const one = decoded([...TIME, 'otel.scope.name', 'a', 'otel.scope.version', 'bc']).record;
    const two = decoded([...TIME, 'otel.scope.name', 'ab', 'otel.scope.version', 'c']).record;
    expect(two.instrumentationScope).toMatchObject({ name: 'ab', version: 'c' });
    expect(one.instrumentationScope).toMatchObject({ name: 'a', version: 'bc' });
  });

  it('is grouped by OTLP under one resource and one scope', () => {
    const options = { resource: () => '{"attributes":{"service.name":"orders"}}' };
    const records = Array.from(
      { length: 10 },
      () => decoded([...TIME, ...SCOPE, 'resource', 'h'], options).record,
    );
    const size = (some: unknown[]): number =>
      ProtobufLogsSerializer.serializeRequest(some as ReadableLogRecord[])?.length ?? 0;
    const [first] = records;
    const perRecord = size(records.slice(0, 2)) - size([first]);
    // Every record but the first adds its own bytes only (and the outer lengths take a byte more each).
    expect(size(records) - size([first])).toBeLessThanOrEqual(9 * perRecord + 4);
    expect(perRecord).toBeLessThan(size([first]) / 1.5);
  });

  it('knows the name of its service, and what it lacks, where the resource is not at hand', () => {
    const fields = [...TIME, 'service.name', 'orders', 'resource', 'abc'];
    const failing = (): never => {
      throw new Error('connection lost');
    };
    const lookups: DecodeOptions[] = [
      {},
      { resource: () => undefined },
      { resource: () => '{' },
      { resource: failing },
    ];
    for (const options of lookups) {
      const { record, missingResource } = decoded(fields, options);
      expect(missingResource).toBe('abc');
      expect(record.resource.attributes).toEqual({ 'service.name': 'orders' });
    }
  });

  it('asks for no resource where the entry names none', () => {
    const asked: string[] = [];
    const resource = (hash: string): undefined => void asked.push(hash);
    expect(decoded([...TIME, 'resource', ''], { resource }).missingResource).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('has attributes that are its own, and changes no prototype', () => {
    const fields = [
      ...TIME,
      '__proto__',
      '{"polluted":1}',
      'constructor',
      'x',
      'attributes',
      '{"__proto__":2,"z":3}',
    ];
    const { attributes } = decoded(fields).record;
    expect(Object.entries(attributes)).toEqual([
      ['__proto__', 2],
      ['constructor', 'x'],
      ['z', 3],
    ]);
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('has a span where any of the three fields says so', () => {
    expect(decoded(TIME).record.spanContext).toBeUndefined();
    expect(decoded([...TIME, 'trace_flags', '01']).record.spanContext).toEqual({
      traceId: '',
      spanId: '',
      traceFlags: 1,
    });
  });
});

describe('A malformed entry', () => {
  it('is called so for a reason that repeats nothing of it', () => {
    const secret = 'hunter2';
    const entries = [
      ['timestamp', secret],
      [...TIME, secret],
      [...TIME, 'v', secret],
      [...TIME, 'seq', secret],
      [...TIME, 'trace_id', secret],
      [...TIME, secret, '{"hunter2'],
      [...TIME, 'attributes', secret],
    ];
    for (const entry of entries) {
      const result = decodeLogRecord(entry);
      expect(result.status).toBe('malformed');
      expect(JSON.stringify(result)).not.toContain(secret);
    }
  });

  it('may be anything at run time, and nothing is thrown', () => {
    for (const fields of [undefined, null, 5, [1, 2], ['timestamp', null], [...TIME, null, null]]) {
      expect(decodeLogRecord(fields as unknown as string[]).status).toBe('malformed');
    }
  });
});
