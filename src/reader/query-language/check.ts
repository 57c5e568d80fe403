import { MAX_REGEX_LENGTH, type MatchNode, type QueryValue } from './ast.js';
import { resolveField } from './fields.js';
import { LEVEL_WORDS, levelSpan } from './levels.js';
import { syntaxError } from './syntax-error.js';
import { toNumber } from './text-tests.js';

type Range = Extract<QueryValue, { readonly kind: 'range' }>;

/** Names of attributes are no longer than that, and each dot is one more way to read a name. */
const MAX_NAME_LENGTH = 256;
const MAX_DOTS = 16;

/** @throws RedisLogError for a field that no query can ask for. */
export function checkField(query: string, position: number, field: string): void {
  if (field.length > MAX_NAME_LENGTH || field.split('.').length - 1 > MAX_DOTS) {
    throw syntaxError(
      query,
      position,
      `A field's name has at most ${MAX_NAME_LENGTH} characters and ${MAX_DOTS} dots.`,
    );
  }
  if (resolveField(field) !== undefined) return;
  const advice = field.includes('timestamp')
    ? ' Use from and to, with by: "timestamp".'
    : ` An attribute of that name is attributes.${field}.`;
  throw syntaxError(query, position, `The field ${field} cannot be searched.${advice}`);
}

/** @throws RedisLogError for a value that makes no sense with its operator or its field. */
export function checkMatch(query: string, node: MatchNode): void {
  const { operator, value, position } = node;
  if (operator !== ':' && value.kind === 'regex') {
    throw syntaxError(query, position, 'A regex stands behind a colon: field:/regex/');
  }
  const isCompared = operator !== ':' && operator !== '=';
  if (isCompared && value.kind === 'word' && value.parts.length > 1) {
    throw syntaxError(query, position, `${operator} wants a number or a text without a star.`);
  }
  if (isLevel(node)) checkLevel(query, node);
  if (value.kind === 'range' && isEmpty(value, isLevel(node))) {
    const range = `${value.from}..${value.to}`;
    throw syntaxError(query, position, `The range ${range} is empty: its lower end comes first.`);
  }
}

/** Signs of other languages for what is written as a word here, and what is meant by an operator that stands alone. */
const ALONE: readonly (readonly [RegExp, string])[] = [
  [/^&&?(?=[\s()]|$)/, 'To find what matches both sides, write a AND b, or only a b.'],
  [/^\|\|?(?=[\s()]|$)/, 'To find what matches either side, write a OR b.'],
  [/^!(?!=)/, 'To leave out what matches, write -a or NOT a.'],
  [/^(?:!=|[:=<>])/, 'Between a field, its operator and its value there is no space: status>=500.'],
];
/** A pattern that is no path, with a flag behind it. */
const FLAGGED = /^\/(?=[^\s/]*[\\^$[\]+|])(?:\\.|[^\s/\\])+\/[dgimsuvy]{1,7}(?=[\s)]|$)/;
const FLAG = 'A regex takes no flag but i. To search for the text itself, write it in quotation marks.';

/** @throws RedisLogError for free text that can only be a slip: it would find nothing, and nobody would know why. */
export function checkFreeText(query: string, position: number): void {
  const rest = query.slice(position, position + 3);
  for (const [pattern, advice] of ALONE) {
    if (!pattern.test(rest)) continue;
    throw syntaxError(
      query,
      position,
      `${advice} To search for the text itself, write it in quotation marks.`,
    );
  }
  checkFlags(query, position);
}

/** @throws RedisLogError for `/x+/g`, which would be taken for a path. */
export function checkFlags(query: string, position: number): void {
  if (FLAGGED.test(query.slice(position, position + MAX_REGEX_LENGTH)))
    throw syntaxError(query, position, FLAG);
}

/** Nothing lies between the ends. Only numbers and levels: of texts, not everybody knows which one comes first. */
function isEmpty({ from, to }: Range, areLevels: boolean): boolean {
  if (from === undefined || to === undefined) return false;
  if (areLevels) return (levelSpan(from)?.[0] ?? 0) > (levelSpan(to)?.[1] ?? 0);
  const [lower, upper] = [toNumber(from), toNumber(to)];
  return lower !== undefined && upper !== undefined && lower > upper;
}

export function isLevel({ field }: MatchNode): boolean {
  const ref = field === undefined ? undefined : resolveField(field);
  return ref?.kind === 'own' && ref.part === 'level';
}

function checkLevel(query: string, { value, position }: MatchNode): void {
  const texts = levelTexts(value);
  const wrong = texts?.find((text) => levelSpan(text) === undefined);
  if (texts !== undefined && wrong === undefined) return;
  const what =
    wrong === undefined ? 'A level is a name or a number.' : `There is no level ${JSON.stringify(wrong)}.`;
  throw syntaxError(query, position, `${what} Levels are ${LEVEL_WORDS}, and the numbers 1 to 24.`);
}

function levelTexts(value: MatchNode['value']): string[] | undefined {
  switch (value.kind) {
    case 'word':
      return value.parts.length === 1 ? [...value.parts] : undefined;
    case 'phrase':
      return [value.text];
    case 'range':
      return [value.from, value.to].filter((text) => text !== undefined);
    default:
      return undefined;
  }
}
