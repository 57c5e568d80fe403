import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCall } from './any-call.js';
import { CALL_GROUPS } from './calls.js';
import type { CanonicalRecord } from './canonical.js';
import { consoleRecords, writtenLines } from './console-oracle.js';
import { GENERATIONS } from './nest-generations.js';
import { readCallSubject } from './subject.js';

describe.each(GENERATIONS)('On $name a log call makes the records that ConsoleLogger makes', (generation) => {
  const subject = readCallSubject(generation);

  it.each(CALL_GROUPS)('of $name', async ({ calls }) => {
    for (const call of calls) {
      const records = await subject.run(call);
      expect(records, call.name).toStrictEqual(await consoleRecords(call, generation));
    }
  });

  it('of any arguments', async () => {
    await fc.assert(
      fc.asyncProperty(anyCall, async (call) => {
        expect(await subject.run(call), call.name).toStrictEqual(await consoleRecords(call, generation));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe.each(GENERATIONS)(
  'On $name the records compared with are those that ConsoleLogger writes',
  (generation) => {
    // JSON mode throws for what is circular and makes no lazy message (Nest 11), and it writes errors of another
    // realm as "{}" (both).
    const groups = CALL_GROUPS.filter(({ name }) => !/circular|another realm|within a lazy/.test(name));

    it.each(groups)('of $name', async ({ calls }) => {
      for (const call of calls) {
        const records = await consoleRecords(call, generation);
        const lines = await writtenLines(call, generation);
        expect(lines.map(headOf), call.name).toStrictEqual(records.map(headOf));
        lines.forEach((line, index) => expectSameContent(line, records[index], call.name));
      }
    });
  },
);

function headOf({ level, context, stack }: Record<string, unknown> | CanonicalRecord): unknown {
  return { level, context, stack };
}

function expectSameContent(
  line: Record<string, unknown>,
  record: CanonicalRecord | undefined,
  name: string,
): void {
  if (line['error'] !== undefined) expect(record?.error, name).toStrictEqual(line['error']);
  // Errors within a value, and errors as messages but for the first of Nest 12, are printed by inspect.
  if (/Error|Declined/.test(JSON.stringify([line['message'], line['params']]))) return;
  expect(record?.params ?? {}, name).toStrictEqual(line['params'] ?? {});
  if ('message' in line) expect(record?.message, name).toStrictEqual(line['message']);
}
