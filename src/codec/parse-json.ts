/**
 * JSON.parse of V8 13 and 14 (Node 24 and 26) can give a map a wrong name: after `{"\\":1}`, the text
 * `{"\n":1}` is read as `{"\\":1}`, since an escaped name is compared with an expected one as if it were not
 * escaped (nodejs/node#63785, V8 issue 521080746). A wrong name always has a backslash in it, and so few real
 * ones have that a text whose names have any is read a second time, with its names kept away from V8.
 */
import type { Attributes } from '../record/log-record.js';
import { setOwn } from './names.js';

/** A text of JSON, and behind it the colon that makes it a name. */
const TEXTS = /("(?:[^"\\]|\\.)*")(\s*:)?/gs;

/** JSON.parse without that error. Throws a SyntaxError as it does. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes('\\') && hasSuspiciousName(value) ? parseNamesApart(text) : value;
}

function hasSuspiciousName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasSuspiciousName);
  const map = value as Attributes;
  return Object.keys(map).some((name) => name.includes('\\') || hasSuspiciousName(map[name]));
}

/** Each name is replaced by its number, and read on its own, where V8 expects nothing. */
function parseNamesApart(text: string): unknown {
  const names: string[] = [];
  const numbered = text.replace(TEXTS, (all: string, quoted: string, colon: string | undefined) => {
    if (colon === undefined) return all;
    names.push(JSON.parse(quoted) as string);
    return `"n${names.length - 1}"${colon}`;
  });
  return renamed(JSON.parse(numbered), names);
}

function renamed(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  const map: Attributes = {};
  for (const [key, part] of Object.entries(value)) {
    setOwn(map, names[Number(key.slice(1))] ?? '', renamed(part, names));
  }
  return map;
}
