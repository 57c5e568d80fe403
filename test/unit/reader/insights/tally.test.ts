import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../../src/consumer/entry.js';
import { inParts, tally } from '../../../../src/reader/insights/tally.js';
import type { LogRecord } from '../../../../src/record/log-record.js';

function entry(id: string, record: Partial<LogRecord>, service?: unknown): LogEntry {
  const complete = {
    hrTime: [1, 0],
    hrTimeObserved: [1, 0],
    resource: { attributes: service === undefined ? {} : { 'service.name': service } },
    instrumentationScope: { name: '' },
    attributes: {},
    droppedAttributesCount: 0,
    ...record,
  } satisfies LogRecord as LogRecord;
  return { id, record: complete, deliveryCount: 1, producer: undefined, seq: undefined, key: id };
}

describe('A batch', () => {
  it('is sorted by level, service, time of arrival and template, with the last record as the example', () => {
    const buckets = tally(
      [
        entry('1999-0', { body: 'Order 1 failed', severityNumber: 17 }, 'shop'),
        entry('2000-0', { body: 'Order 2 failed', severityNumber: 18 }, 'shop'),
        entry('2500-1', { body: 'Order 3 failed', severityNumber: 20 }, 'shop'),
        entry('2500-0', { body: 'Order 4 failed', severityNumber: 17 }, 'shop'),
        entry('2500-2', { body: 'Ready' }),
      ],
      { bucketMs: 1_000, countBy: 'template' },
    );
    expect(buckets.map(({ section, start }) => `${section}@${start}`)).toEqual([
      'error:shop@1000',
      'error:shop@2000',
      'info:@2000',
    ]);
    const [, second] = buckets;
    expect(second?.messages).toMatchObject([
      { firstMs: 2_000, lastMs: 2_500, entryIds: ['2000-0', '2500-1', '2500-0'] },
    ]);
    expect(buckets[0]?.messages[0]?.id).toBe(second?.messages[0]?.id);
    expect(JSON.parse(second?.messages[0]?.detail ?? '')).toEqual({
      template: 'Order <n> failed',
      sample: 'Order 4 failed',
      entryId: '2500-0',
    });
  });

  it('is sorted by what an application names as fingerprint, and by the whole text where texts are counted', () => {
    const attributes = { 'log.fingerprint': 'payment-refused' };
    const long = 'x'.repeat(5_000);
    const bodies = ['Visa said no', 'Amex said no', `${long}a`, `${long}b`];
    const entries = bodies.map((body, i) => entry(`5-${i}`, { body, ...(i < 2 ? { attributes } : {}) }));
    const templates = (countBy: 'template' | 'text'): unknown[] =>
      tally(entries, { bucketMs: 1_000, countBy }).flatMap(({ messages }) =>
        messages.map(({ detail }) => JSON.parse(detail) as unknown),
      );
    expect(templates('template')).toMatchObject([
      { template: 'payment-refused', sample: 'Amex said no', entryId: '5-1' },
      { template: long.slice(0, 500), entryId: '5-3' },
    ]);
    expect(templates('text')).toHaveLength(4);
  });

  it('of many messages is counted in several calls, with each message in one of them', () => {
    const bodies = Array.from({ length: 250 }, (_, i) => 'x'.repeat(i));
    const buckets = tally(
      bodies.map((body, i) => entry(`${i * 20}-0`, { body })),
      { bucketMs: 1_000, countBy: 'text' },
    );
    const parts = inParts(buckets, 100);
    expect(parts.map((part) => part.reduce((sum, { messages }) => sum + messages.length, 0))).toEqual([
      100, 100, 50,
    ]);
    const all = parts.flat().flatMap(({ start, messages }) => messages.map(({ id }) => `${start} ${id}`));
    expect(all).toEqual(buckets.flatMap(({ start, messages }) => messages.map(({ id }) => `${start} ${id}`)));
    expect(inParts([], 100)).toEqual([]);
  });

  it('of endless texts and names keeps only the beginnings of them, whatever they hold', () => {
    const body = `${'word '.repeat(2_000)}\u{1f600}`;
    const [bucket] = tally([entry('5-0', { body }, 's'.repeat(1_000))], { bucketMs: 1_000, countBy: 'text' });
    expect(bucket?.section).toBe(`info:${'s'.repeat(100)}`);
    expect(bucket?.messages[0]?.detail.length).toBeLessThan(1_200);
    const odd = ['\ud800', '\0', '', 5, null, [], { a: 1n }, Symbol.iterator, true];
    for (const value of odd) {
      const [only] = tally([entry('5-0', { body: value }, value)], { bucketMs: 1_000, countBy: 'template' });
      expect(() => JSON.parse(only?.messages[0]?.detail ?? '') as unknown).not.toThrow();
    }
  });
});
