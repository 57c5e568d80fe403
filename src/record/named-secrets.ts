import { codeAt } from './code-at.js';

/** Which names are secret; the rules of a redactor. */
export interface SecretNames {
  isSecret(name: string): boolean;
  /** A cheap look before it: false when no secret name ends with this character and the one before it. */
  mayEndWith(last: number, before: number): boolean;
}

/** No name of a credential is longer; it bounds the look back from each separator. */
const MAX_NAME = 64;

const COLON = 0x3a;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;

/** Headers whose values have spaces in them, and end with the line. */
const TO_THE_END = /(?:authorization|cookie)$/;

/** What stands for nothing is no secret. */
const NOTHING = /^(?:undefined|null|true|false)(?:[\s&;,"'`<>()[\]{}\\]|$)/;

/**
 * Replaces in a text what follows a secret name: `?token=x`, `Password=x;`, `Authorization: Bearer x`, `"apiKey":"x"`,
 * escaped or not. Linear in the length of the text, and free where it has neither `=` nor `:`.
 */
export function censorNamed(text: string, names: SecretNames, mark: string): string {
  let equals = text.indexOf('=');
  let colon = text.indexOf(':');
  let result = '';
  let copied = 0;
  while (equals !== -1 || colon !== -1) {
    const at = equals === -1 || (colon !== -1 && colon < equals) ? colon : equals;
    const value = valueAfter(text, at, names);
    if (value !== undefined) {
      result += text.slice(copied, value.start) + mark;
      copied = value.end;
    }
    const next = Math.max(value?.end ?? 0, at + 1);
    if (equals !== -1 && equals < next) equals = text.indexOf('=', next);
    if (colon !== -1 && colon < next) colon = text.indexOf(':', next);
  }
  return copied === 0 ? text : result + text.slice(copied);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function valueAfter(text: string, separator: number, names: SecretNames): Span | undefined {
  const name = nameBefore(text, separator, names);
  if (name === undefined) return undefined;
  let start = separator + 1;
  // `=>`, as Maps are printed.
  if (text[start] === '>') start++;
  while (codeAt(text, start) === SPACE) start++;
  const isEscaped = codeAt(text, start) === BACKSLASH;
  while (codeAt(text, start) === BACKSLASH) start++;
  const quote = text[start];
  if (quote === '"' || quote === "'" || quote === '`') {
    return filled(start + 1, quotedEnd(text, start + 1, { quote, isEscaped }));
  }
  const isColon = codeAt(text, separator) === COLON;
  // Parsers say "Unexpected token: x", and an object has names of its own inside.
  if (isColon && (name === 'token' || quote === '{')) return undefined;
  if (NOTHING.test(text.slice(start, start + 10))) return undefined;
  if (quote === '[') return filled(start, wordEnd(text, closeEnd(text, start, ']')));
  if (quote === '{') return filled(start, wordEnd(text, closeEnd(text, start, '}')));
  return filled(start, TO_THE_END.test(name) ? lineEnd(text, start) : wordEnd(text, start));
}

function filled(start: number, end: number): Span | undefined {
  return end > start ? { start, end } : undefined;
}

/** The name before a separator, folded, if it is a secret one. Quotes, brackets and spaces may stand between. */
function nameBefore(text: string, separator: number, names: SecretNames): string | undefined {
  if (codeAt(text, separator) === COLON && codeAt(text, separator + 1) === SLASH) return undefined;
  let end = separator;
  while (end > 0 && isBetween(codeAt(text, end - 1))) end--;
  if (end === 0 || !names.mayEndWith(codeAt(text, end - 1), codeAt(text, end - 2))) return undefined;
  let start = end;
  while (start > 0 && end - start < MAX_NAME && isNamePart(codeAt(text, start - 1))) start--;
  let name = text.slice(start, end);
  if (!names.isSecret(name)) {
    // `\nCookie`: the letter belongs to a line break that is escaped.
    if (codeAt(text, start - 1) !== BACKSLASH || !names.isSecret(name.slice(1))) return undefined;
    name = name.slice(1);
  }
  return name
    .slice(name.lastIndexOf('.') + 1)
    .replace(/[-_]/g, '')
    .toLowerCase();
}

/** `"`, `'`, a backslash, `]`, a space. */
function isBetween(code: number): boolean {
  return code === 0x22 || code === 0x27 || code === BACKSLASH || code === 0x5d || code === SPACE;
}

/** Letters, digits, `-`, `.`, `_`. */
function isNamePart(code: number): boolean {
  const letter = code | 0x20;
  const isDigit = code >= 0x30 && code <= 0x39;
  return (letter >= 0x61 && letter <= 0x7a) || isDigit || code === 0x2d || code === 0x2e || code === 0x5f;
}

/** The place of the closing quote; of a quote that was escaped, the place of the backslash before it. */
function quotedEnd(text: string, from: number, opened: { quote: string; isEscaped: boolean }): number {
  for (let index = from; index < text.length; index++) {
    if (codeAt(text, index) === BACKSLASH) {
      if (opened.isEscaped && text[index + 1] === opened.quote) return index;
      index++;
    } else if (text[index] === opened.quote) return index;
  }
  return text.length;
}

function closeEnd(text: string, from: number, bracket: string): number {
  const close = text.indexOf(bracket, from);
  return close < 0 ? text.length : close + 1;
}

function lineEnd(text: string, from: number): number {
  let index = from;
  while (index < text.length && !/["'`\\\r\n]/.test(text.charAt(index))) index++;
  return index;
}

function wordEnd(text: string, from: number): number {
  let index = from;
  while (index < text.length && !/[\s&;,"'`>)\]}\\]/.test(text.charAt(index))) index++;
  return index;
}
