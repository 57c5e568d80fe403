import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEVELS } from '../../../src/record/severity.js';
import { CALL_GROUPS, callWith, WAYS } from './calls.js';
import type { CanonicalRecord } from './canonical.js';
import { consoleRecords, writtenLines } from './console-oracle.js';
import { GENERATIONS } from './nest-generations.js';
import { readCallSubject } from './subject.js';
import * as v from './values.js';

const values = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('Ctx', 'OrdersService', '', 'a text of some words') },
  { weight: 3, arbitrary: fc.constantFrom(v.stack, v.multilineStack, v.emptyMessageStack, v.almostStack) },
  { weight: 3, arbitrary: fc.constantFrom(undefined, null) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(v).filter((value) => value instanceof Error)) },
  { weight: 4, arbitrary: fc.dictionary(fc.string({ maxLength: 8 }).filter(isOrdinaryKey), fc.jsonValue()) },
  fc.constantFrom(v.order, v.payment, v.date, v.map, v.withoutPrototype, v.foreignObject, v.withError),
  fc.constantFrom(v.lazyText, v.lazyObject, v.lazyError, v.Order),
  fc.array(fc.jsonValue(), { maxLength: 3 }),
  fc.double(),
  fc.string(),
);

/** `Object.assign`, and so Nest, loses a key `__proto__`; a member `toJSON` is for JSON, not for the reading. */
function isOrdinaryKey(key: string): boolean {
  return key !== '__proto__' && key !== 'toJSON';
}

describe.each(GENERATIONS)('On $name a log call makes the records that ConsoleLogger makes', (generation) => {
  const subject = readCallSubject(generation);

  it.each(CALL_GROUPS)('of $name', async ({ calls }) => {
    for (const call of calls) {
      const records = await subject.run(call);
      expect(records, call.name).toStrictEqual(await consoleRecords(call, generation));
    }
  });

  it('of any arguments', async () => {
    const calls = fc
      .tuple(
        fc.array(values, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...LEVELS),
        fc.constantFrom(...WAYS),
      )
      .map(([args, level, way]) => callWith(args, level, way));
    await fc.assert(
      fc.asyncProperty(calls, async (call) => {
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
