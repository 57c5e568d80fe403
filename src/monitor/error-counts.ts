import type { BucketCounts, InsightsReader } from '../redis/insights-reader.js';
import { parseSection, type Section } from '../reader/insights/section.js';

/** Errors have a severity of 17 or above: two of the classes that are counted. */
const ERROR_LEVELS = ['error', 'fatal'] as const;

export interface ErrorSection {
  readonly service: string;
  readonly level: (typeof ERROR_LEVELS)[number];
}

/** Records that were counted, and how many of them are errors. */
export interface ErrorTotals {
  total: number;
  errors: number;
}

/** An error message, and how often it came: at least so often. */
export interface CountedError extends ErrorSection {
  readonly id: string;
  count: number;
}

/** The counts of one span, or of several. */
export interface ErrorCounts extends ErrorTotals {
  /** The errors by their ids. */
  readonly messages: Map<string, CountedError>;
}

export interface CountedSpan {
  readonly stream: string;
  readonly bucketMs: number;
  readonly start: number;
  /** `<level>:<service>` of all that is counted. */
  readonly sections: readonly string[];
}

export function noErrors(): ErrorCounts {
  return { total: 0, errors: 0, messages: new Map() };
}

/** Reads what was counted in a span and adds it to `sum`. */
export async function addSpan(reader: InsightsReader, span: CountedSpan, sum: ErrorCounts): Promise<void> {
  const { stream, bucketMs, start, sections } = span;
  const add = async (name: string): Promise<void> => {
    const section = parseSection(name);
    if (section === undefined) return;
    const bucket = await reader.bucket(stream, { section: name, bucketMs, start });
    addBucket(bucket, errorSection(section), sum);
  };
  await Promise.all(sections.map(add));
}

/** `of` is undefined for records that are no errors. */
function addBucket({ counts, errors }: BucketCounts, of: ErrorSection | undefined, sum: ErrorCounts): void {
  for (const [id, count] of counts) {
    sum.total += count;
    if (of === undefined) continue;
    sum.errors += count;
    const message = sum.messages.get(id) ?? { ...of, id, count: 0 };
    message.count += count - (errors.get(id) ?? 0);
    sum.messages.set(id, message);
  }
}

function errorSection({ service, level: named }: Section): ErrorSection | undefined {
  const level = ERROR_LEVELS.find((known) => known === named);
  return level === undefined ? undefined : { service, level };
}
