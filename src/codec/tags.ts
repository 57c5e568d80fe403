/**
 * JSON with the values that JSON lacks. Each of those is a map of one key: `{"$bytes":"<base64>"}`,
 * `{"$num":"NaN"}`, `{"$bigint":"1"}`, `{"$undefined":1}`; and a map of the user's that looks like one of
 * them is wrapped as `{"$obj":{...}}`. A value without any of this costs one look at each of its parts.
 */
import { types } from 'node:util';
import type { Attributes } from '../record/log-record.js';
import { malformed } from './malformed.js';
import { setOwn } from './names.js';
import { parseJson } from './parse-json.js';

/** Levels of nesting that are written; protobuf's own readers give up at 100 (C++, Java) to 10,000 (Go). */
const MAX_DEPTH = 256;

/**
 * Parts of one value that are looked at. Parts that are shared multiply (ten lists of ten times the same list,
 * and so on), and no value may hold the process up; a million parts are more than 2 MB of JSON.
 */
const MAX_PARTS = 1_000_000;

/** Each level that is written may take a second one for its `$obj`, and the innermost one for its own tag. */
const MAX_READ_DEPTH = 2 * MAX_DEPTH + 1;

const UNSERIALIZABLE = '[Unserializable]';
const CIRCULAR = '[Circular]';
const TOO_DEEP = '[Too deep]';
const TOO_LARGE = '[Too large]';

const DOLLAR = 36;
const hasOwn = Object.prototype.hasOwnProperty;

let partsLeft = 0;

/** A map, or list, or bytes, as JSON text. Never throws: what cannot be read is replaced by a text that says so. */
export function encodeJson(value: object): string {
  try {
    partsLeft = MAX_PARTS;
    if (isClean(value, 0)) return JSON.stringify(value);
    partsLeft = MAX_PARTS;
    return JSON.stringify(tagged(value, []));
  } catch {
    return JSON.stringify(UNSERIALIZABLE);
  }
}

/** The same for a value that must be a map to its reader, whatever it is at run time. */
export function encodeMap(value: unknown): string {
  let text = '';
  try {
    text = encodeJson(isPlainMap(value) ? value : { ...(value as object) });
  } catch {
    // Spreading a proxy can throw; the empty text is handled below.
  }
  return text.startsWith('{') ? text : JSON.stringify({ [UNSERIALIZABLE]: true });
}

/** The tag for a number that JSON cannot write, or undefined for one that it can. */
export function specialNumber(value: number): string | undefined {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : undefined;
  return String(value);
}

/** A plain object, of this realm or another, as opposed to a list, bytes or an instance of a class. */
export function isPlainMap(value: unknown): value is Attributes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null;
}

/** Whether JSON.stringify alone writes the value so that JSON.parse gives it back. */
function isClean(value: unknown, depth: number): boolean {
  if (--partsLeft < 0) return false;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return specialNumber(value) === undefined;
    case 'object':
      if (value === null) return true;
      if (depth >= MAX_DEPTH) return false;
      return Array.isArray(value) ? isCleanList(value, depth + 1) : isCleanMap(value, depth + 1);
    default:
      return false;
  }
}

function isCleanList(list: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < list.length; i++) {
    if (!isClean(list[i], depth)) return false;
  }
  return true;
}

function isCleanMap(map: object, depth: number): boolean {
  if (!isPlainMap(map)) return false;
  let size = 0;
  let dollar = false;
  for (const name in map) {
    if (!hasOwn.call(map, name)) continue;
    size++;
    if (name.charCodeAt(0) === DOLLAR) dollar = true;
    if (!isClean(map[name], depth)) return false;
  }
  return size !== 1 || !dollar;
}

/** A copy of the value in which everything is JSON. `ancestors` are the containers around it. */
function tagged(value: unknown, ancestors: object[]): unknown {
  if (--partsLeft < 0) return TOO_LARGE;
  switch (typeof value) {
    case 'number': {
      const special = specialNumber(value);
      return special === undefined ? value : { $num: special };
    }
    case 'undefined':
      return { $undefined: 1 };
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      return value === null ? null : taggedObject(value, ancestors);
    case 'function':
    case 'symbol':
      return markerOf(value);
    default:
      return value;
  }
}

/** What is written for a value that no log can hold. */
export function markerOf(value: unknown): string {
  return typeof value === 'function' ? '[Function]' : '[Symbol]';
}

function taggedObject(value: object, ancestors: object[]): unknown {
  if (types.isUint8Array(value)) return { $bytes: base64(value) };
  if (ancestors.includes(value)) return CIRCULAR;
  if (ancestors.length >= MAX_DEPTH) return TOO_DEEP;
  if (value instanceof Error) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  ancestors.push(value);
  const copy = Array.isArray(value)
    ? taggedList(value, ancestors)
    : taggedMap(value as Attributes, ancestors);
  ancestors.pop();
  return copy;
}

function taggedList(list: readonly unknown[], ancestors: object[]): unknown[] {
  const copy: unknown[] = [];
  for (let i = 0; i < list.length && partsLeft >= 0; i++) copy.push(tagged(list[i], ancestors));
  return copy;
}

/** An instance of a class is the map of its own properties, as in OTLP; one without any is what it says it is. */
function taggedMap(map: Attributes, ancestors: object[]): unknown {
  const copy: Attributes = {};
  let size = 0;
  let dollar = false;
  for (const name in map) {
    if (!hasOwn.call(map, name)) continue;
    if (partsLeft < 0) break;
    size++;
    if (name.charCodeAt(0) === DOLLAR) dollar = true;
    setOwn(copy, name, tagged(map[name], ancestors));
  }
  if (size === 0 && !isPlainMap(map)) return String(map);
  return size === 1 && dollar ? { $obj: copy } : copy;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Reads what {@link encodeJson} writes. A one-key map whose `$` key this version does not know stays as it is.
 * Throws a RedisLogError (REDIS_LOG_MALFORMED) for text that is not JSON and for a tag with a wrong content;
 * its message never holds the text, which is a user's record.
 */
export function decodeJson(text: string): unknown {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw malformed('a value is not JSON');
  }
  // A level takes two characters at least. What is deeper would overflow the stack of whoever walks through it.
  if (text.length > 2 * MAX_READ_DEPTH) return untagged(value, 0);
  // Another writer may have escaped the dollar sign, which is the same JSON.
  return text.includes('"$') || text.includes('"\\u0024') ? untagged(value, 0) : value;
}

/** Reads what {@link encodeMap} writes. Throws as {@link decodeJson}, and where the value is not a map. */
export function decodeMap(text: string): Attributes {
  const value = text.startsWith('{') ? decodeJson(text) : undefined;
  if (!isPlainMap(value)) throw malformed('a value that must be a JSON map is something else');
  return value;
}

function untagged(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_READ_DEPTH) throw malformed('a value is nested too deeply');
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = untagged(value[i], depth + 1);
    return value;
  }
  const map = value as Attributes;
  const names = Object.keys(map);
  const [name] = names;
  if (names.length === 1 && name !== undefined && name.charCodeAt(0) === DOLLAR) {
    return untaggedOne(map, name, depth);
  }
  return untaggedParts(map, names, depth);
}

/** In place: the map is fresh from JSON.parse, and every name is its own property already, `__proto__` too. */
function untaggedParts(map: Attributes, names: readonly string[], depth: number): Attributes {
  for (const name of names) {
    const part = map[name];
    if (typeof part === 'object' && part !== null) map[name] = untagged(part, depth + 1);
  }
  return map;
}

function untaggedOne(map: Attributes, name: string, depth: number): unknown {
  const content = map[name];
  switch (name) {
    case '$bytes':
      return bytesOf(content);
    case '$num':
      return numberOf(content);
    case '$bigint':
      return bigintOf(content);
    case '$undefined':
      if (content !== 1) throw malformed('a $undefined tag holds something else than 1');
      return undefined;
    case '$obj':
      return wrappedOf(content, depth);
    default:
      return untaggedParts(map, [name], depth);
  }
}

function wrappedOf(content: unknown, depth: number): Attributes {
  const names = isPlainMap(content) ? Object.keys(content) : [];
  if (!isPlainMap(content) || names.length !== 1 || names[0]?.charCodeAt(0) !== DOLLAR) {
    throw malformed('a $obj tag holds something else than a map of one key that starts with $');
  }
  return untaggedParts(content, names, depth + 1);
}

function bytesOf(content: unknown): Uint8Array {
  if (typeof content === 'string') {
    const bytes = Buffer.from(content, 'base64');
    // Buffer skips what is not base64; writing it again shows whether it skipped something.
    if (bytes.toString('base64') === content) return new Uint8Array(bytes);
  }
  throw malformed('a $bytes tag holds something else than padded base64');
}

function numberOf(content: unknown): number {
  if (content === 'NaN' || content === 'Infinity' || content === '-Infinity' || content === '-0') {
    return Number(content);
  }
  throw malformed('a $num tag holds something else than NaN, Infinity, -Infinity or -0');
}

const BIGINT = /^(?:0|-?[1-9][0-9]*)$/;

function bigintOf(content: unknown): bigint {
  if (typeof content === 'string' && BIGINT.test(content)) return BigInt(content);
  throw malformed('a $bigint tag holds something else than an integer in decimal digits');
}
