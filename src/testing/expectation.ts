import type { CollectedRecord } from './collected-record.js';
import { describeRecord } from './describe-record.js';

/** One link of a query. */
export interface Condition {
  /** As it stands in the message of a failure: `at error`. */
  readonly name: string;
  readonly test: (record: CollectedRecord) => boolean;
}

/** What was expected of a query, and what there is. */
export interface WrongCount {
  readonly wanted: string;
  readonly found: readonly CollectedRecord[];
  readonly records: readonly CollectedRecord[];
  readonly conditions: readonly Condition[];
  /** The assertion that was called: the stack of the failure begins above it. */
  readonly assertion: (...args: never[]) => unknown;
}

/** As many as help; a long list hides the one that matters. */
const MAX_SHOWN = 5;

/** Says what was looked for, and shows what was found instead. */
export function wrongCount({ wanted, found, records, conditions, assertion }: WrongCount): Error {
  const noun = wanted.endsWith(' 1') ? 'record' : 'records';
  const query = [`${wanted} ${noun}`, ...conditions.map(({ name }) => name)].join(', ');
  const lines = [`Expected ${query}; found ${found.length}${found.length > 0 ? ':' : '.'}`];
  if (found.length > 0) lines.push(...list(found.map(describeRecord)));
  else lines.push(...nearest(records, conditions));
  const error = new Error(lines.join('\n'));
  // Not `AssertionError`: of those Jest hides the message below a comparison of values that there are none of.
  error.name = 'LogAssertionError';
  Error.captureStackTrace(error, assertion);
  return error;
}

/** Those that meet most of the conditions, each with the conditions that it does not meet. */
function nearest(records: readonly CollectedRecord[], conditions: readonly Condition[]): string[] {
  if (records.length === 0) return ['Nothing was logged at all.'];
  const judged = records.map((record) => ({ record, unmet: conditions.filter(({ test }) => !test(record)) }));
  judged.sort((one, other) => one.unmet.length - other.unmet.length);
  const texts = judged.map(
    ({ record, unmet }) =>
      `${describeRecord(record)}\n    not ${unmet.map(({ name }) => name).join(', not ')}`,
  );
  return [
    records.length === 1 ? 'The only record:' : `Nearest of ${records.length} records:`,
    ...list(texts),
  ];
}

function list(texts: readonly string[]): string[] {
  const lines = texts.slice(0, MAX_SHOWN).map((text) => `  ${text}`);
  const more = texts.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}
