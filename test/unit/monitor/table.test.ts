import fc from 'fast-check';
import { renderTable } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { groupSample, sampleWith } from './samples.js';

describe('The table for the terminal', () => {
  it('has a line for every group, and a sentence for each that needs somebody', () => {
    const fine = groupSample({ group: 'fine', readPerSecond: 120.4 });
    const losing = groupSample({
      group: 'etl',
      status: 'LOSING',
      lag: { kind: 'at-least', entries: 5_000 },
      timeBehindMs: 240_000,
      pending: 12,
      readPerSecond: 2.34,
      lost: { kind: 'exact', entries: 7 },
      advice: '7 entries were trimmed before they were read.',
    });
    const table = renderTable(sampleWith([fine, losing], { addedPerSecond: 130 }));
    expect(table).toBe(
      [
        'STREAM     LENGTH  IN/S  GROUP  STATUS     LAG  BEHIND  PENDING  READ/S  LOST',
        'logs:shop     100   130  fine   OK           0       0        0     120     0',
        '                         etl    LOSING  >=5000   4 min       12     2.3     7',
        '',
        'logs:shop etl: LOSING. 7 entries were trimmed before they were read.',
        '',
      ].join('\n'),
    );
  });

  it('says unknown where nothing is known, and never 0', () => {
    const unknown = { kind: 'unknown', reason: 'no' } as const;
    const group = groupSample({ status: 'UNKNOWN', lag: unknown, lost: unknown, timeBehindMs: undefined });
    const [, line = ''] = renderTable(sampleWith([group])).split('\n');
    expect(line).toMatch(/UNKNOWN\s+unknown\s+unknown\s+0\s+\?\s+unknown$/);
  });

  it('lists consumers on request, by the rules of redis-streams', () => {
    const consumers = [{ name: 'c1', idleMs: 294_191, inactiveMs: undefined, pending: 5 }];
    const table = renderTable(sampleWith([groupSample({ consumers })]), { consumers: { batchSize: 10 } });
    expect(table).toMatch(/c1 +5 min +5 +IDLE/);
  });

  it('obeys nothing that a name holds', () => {
    const hostile = '\u001B[2J\u009B31m\r\n\u202E\u200B\u2028\uD800name';
    const group = groupSample({ group: hostile, status: 'STUCK', advice: `see ${hostile}` });
    const consumers = [{ name: hostile, idleMs: 0, inactiveMs: undefined, pending: 0 }];
    const table = renderTable(sampleWith([{ ...group, consumers }], { stream: hostile }), {
      consumers: true,
    });
    expect(table).not.toMatch(/[^\n\P{C}]/u);
    expect(table).toContain('\\u001b[2J\\u009b31m\\u000d\\u000a\\u202e\\u200b\\u2028\\ud800name');
  });

  it('is a fixed number of lines, whatever names there are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.string({ unit: 'binary', maxLength: 12 }),
        (group, stream) => {
          const table = renderTable(sampleWith([groupSample({ group })], { stream }));
          expect(table.split('\n')).toHaveLength(3);
        },
      ),
    );
  });

  it('is coloured only on request', () => {
    const sample = sampleWith([groupSample({ status: 'STALLED' })]);
    expect(renderTable(sample)).not.toContain('\u001B');
    expect(renderTable(sample, { color: true })).toContain('\u001B[31mSTALLED\u001B[0m');
  });
});
