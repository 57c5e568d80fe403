import type { MatchNode } from './ast.js';
import { resolveField } from './fields.js';
import { LEVEL_WORDS, levelSpan } from './levels.js';
import { syntaxError } from './syntax-error.js';

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
  const advice = field.includes('timestamp') ? ' Use from and to, with by: "timestamp".' : '';
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
