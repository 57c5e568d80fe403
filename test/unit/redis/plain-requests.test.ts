import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLogRecord } from '../../../src/codec/encode.js';
import { FieldsEncoder } from '../../../src/codec/entry-encoder.js';
import { LEADING_FIELDS } from '../../../src/codec/names.js';
import { encodeResource } from '../../../src/codec/resource.js';
import { RespWriter } from '../../../src/codec/resp-writer.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { BoundedQueue } from '../../../src/pipeline/bounded-queue.js';
import type { Batch } from '../../../src/pipeline/batch.js';
import { streamKeys } from '../../../src/redis/keys.js';
import { type PlainBatch, PlainRequests } from '../../../src/redis/plain-requests.js';
import { arbitraryRecord, throughUtf8 } from '../../support/arbitrary-record.js';
import { RespCommandParser } from '../../support/resp-parser.js';

const LIMITS = { maxRecords: 1_000, maxBytes: 1 << 24 };
const keys = streamKeys('logs');

function batchOf(records: readonly LogRecord[], first: number): Batch {
  const encoder = new FieldsEncoder();
  const out = new RespWriter();
  const queue = new BoundedQueue({ ...LIMITS, overflow: 'drop-newest' }, () => undefined).openStream();
  records.forEach((record, ordinal) => {
    const template = encoder.encode(record, out);
    queue.push({ severity: 2, template }, out, ordinal);
  });
  const batch = queue.take(LIMITS);
  if (batch === undefined) throw new Error('no records');
  batch.first = first;
  return batch;
}

/** The commands as a server reads them, each from its own bytes. */
function commandsOf({ bytes, ends }: PlainBatch): string[][] {
  return ends.map((end, index) => {
    const parser = new RespCommandParser();
    const commands = parser.push(Buffer.from(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)));
    expect(commands).toHaveLength(1);
    return (commands[0] ?? []).map(String);
  });
}

/** Names and values as they are stored, those included that the batch fills in. */
function entryOf(record: LogRecord, producer: string, seq: number): string[] {
  const fields = encodeLogRecord(record);
  fields[2 * LEADING_FIELDS.indexOf('producer') + 1] = producer;
  fields[2 * LEADING_FIELDS.indexOf('seq') + 1] = String(seq);
  return fields;
}

describe('A batch as plain commands', () => {
  it('has one XADD a record, with the fields that encodeLogRecord gives, its producer and its number', () => {
    const requests = new PlainRequests(keys, 'stream', { maxLength: undefined, maxAgeMs: undefined });
    const records = fc.array(arbitraryRecord(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 8 }), (given, first) => {
        const sent = requests.batch(batchOf(given, first), 'producer-1', undefined);
        const appends = commandsOf(sent).slice(sent.first, sent.end);
        const expected = given.map((record, index) =>
          ['xadd', 'logs', '*', ...entryOf(record, 'producer-1', first + index)].map(throughUtf8),
        );
        expect(appends).toEqual(expected);
        sent.answered();
      }),
      { numRuns: 40 },
    );
  });

  it('makes sure of its resources first, and trims last', () => {
    const requests = new PlainRequests(keys, 'stream', { maxLength: 1_000, maxAgeMs: 60_000 });
    const [record] = fc.sample(arbitraryRecord(), 1) as [LogRecord];
    const { hash, text } = encodeResource(record.resource);
    const sent = requests.batch(batchOf([record], 1), 'p', 100_000);
    const commands = commandsOf(sent);
    expect(commands.slice(0, sent.first)).toEqual([
      ['hsetnx', '{logs}:resources', hash, text].map(throughUtf8),
      ['zadd', '{logs}:resources:seen', '100000', hash],
    ]);
    expect(commands.slice(sent.end)).toEqual([
      ['xtrim', 'logs', 'MAXLEN', '~', '1000'],
      ['xtrim', 'logs', 'MINID', '~', '40000'],
    ]);
  });

  it('for a list is one RPUSH a record, of the values alone', () => {
    const requests = new PlainRequests(keys, 'list', { maxLength: 10, maxAgeMs: undefined });
    const [record] = fc.sample(arbitraryRecord(), 1) as [LogRecord];
    const commands = commandsOf(requests.batch(batchOf([record], 7), 'p', undefined));
    const values = entryOf(record, 'p', 7).filter((_, index) => index % 2 === 1);
    expect(commands.at(-2)).toEqual(['rpush', 'logs', ...values].map(throughUtf8));
    expect(commands.at(-1)).toEqual(['ltrim', 'logs', '-10', '-1']);
  });

  it('names the producer that it is made for, also when several take turns', () => {
    const requests = new PlainRequests(keys, 'stream', { maxLength: undefined, maxAgeMs: undefined });
    const [record] = fc.sample(arbitraryRecord(), 1) as [LogRecord];
    const batch = batchOf([record], 1);
    for (const producer of ['one', 'two', 'one']) {
      const [, append] = commandsOf(requests.batch(batch, producer, undefined));
      expect(append?.[append.indexOf('producer') + 1]).toBe(producer);
    }
  });
});
