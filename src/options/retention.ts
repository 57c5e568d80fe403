import type { Problems } from './problems.js';
import type { ResolvedRetention, RetentionOptions } from './retention-types.js';

const DEFAULT_MAX_LENGTH = 1_000_000;
/** A group may lag behind by as much again before it loses anything. */
const HARD_FACTOR = 2;

type Given = { readonly [K in keyof RetentionOptions]?: RetentionOptions[K] | undefined };
type Values = Readonly<Record<string, unknown>>;

/** Complete from options that are valid. */
export function completeRetention(given: Given | false = {}): ResolvedRetention {
  if (given === false) return { maxLength: undefined, maxAgeMs: undefined };
  const { maxLength = DEFAULT_MAX_LENGTH, maxAgeMs, maxMemoryShare, keepFor: groups } = given;
  const { hardMaxLength = HARD_FACTOR * maxLength } = given;
  const keepFor = groups === undefined ? undefined : { groups: [...new Set(groups)], hardMaxLength };
  return { maxLength, maxAgeMs, maxMemoryShare, keepFor };
}

/** A limit that wins over nothing, or that leaves less than is to be kept, is a misunderstanding. */
export function checkRetention({ retention }: Values, problems: Problems): void {
  const { hardMaxLength, keepFor, maxLength = DEFAULT_MAX_LENGTH } = fieldsOf(retention);
  if (typeof hardMaxLength !== 'number') return;
  const subject = 'retention.hardMaxLength';
  if (keepFor === undefined) {
    problems.add(subject, 'there is no keepFor. Give the groups to keep entries for, or leave it out');
  } else if (typeof maxLength === 'number' && hardMaxLength < maxLength) {
    problems.add(subject, `got ${hardMaxLength}. Give at least maxLength, ${maxLength}, or leave it out`);
  }
}

/** Lists are read from one end by whoever comes; they have neither groups nor another order than their own. */
export function checkLists({ format, partitions, retention }: Values, problems: Problems): void {
  const { target = format } = fieldsOf(format);
  if (target !== 'list' && target !== 'plumelog') return;
  const advice = 'is not for lists. Leave it out, or use another format';
  const { count = partitions } = fieldsOf(partitions);
  if (count !== undefined && count !== 1) problems.add('partitions', advice);
  for (const key of ['maxMemoryShare', 'keepFor']) {
    if (fieldsOf(retention)[key] !== undefined) problems.add(`retention.${key}`, advice);
  }
}

function fieldsOf(value: unknown): Values {
  return typeof value === 'object' && value !== null ? (value as Values) : {};
}
