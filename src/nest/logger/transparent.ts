import { inspect, types } from 'node:util';
import { isErrorLike, withoutArguments } from '../../record/normalize-error.js';
import { handleMark, leafOf } from '../../record/normalize-leaf.js';

/** What a printer shows of an error though it cannot be enumerated. */
const TOLD_OF_ERRORS = ['message', 'cause', 'errors'];

/** As much of a name as the copy of an error keeps. */
const MAX_NAME_CHARS = 64;

/** The bytes of longer ones are better not printed, one by one as JSON has them. */
const MAX_BYTES = 4_096;

/**
 * True when neither `util.inspect` nor `JSON.stringify` finds more in a value than the normaliser's copy of it holds. Then,
 * where nothing in the copy is secret, nothing in the value is. False for what prints itself, for proxies, symbols as
 * keys, getters, and all that the copy names or sums up. Never throws.
 */
export function isTransparent(value: unknown): boolean {
  try {
    return isSeenThrough(value, new Set());
  } catch {
    return false;
  }
}

/** `seen`: what is being looked at already, so that circles end. */
function isSeenThrough(value: unknown, seen: Set<object>): boolean {
  if (typeof value === 'function') return !describesItself(value) && isBare(value);
  if (typeof value !== 'object' || value === null || seen.has(value)) return true;
  seen.add(value);
  if (types.isProxy(value)) return false;
  return isPlainLeaf(value) || (!describesItself(value) && hasOnlyKnownParts(value, seen));
}

function hasOnlyKnownParts(value: object, seen: Set<object>): boolean {
  if (Array.isArray(value)) return isList(value, seen);
  if (types.isMap(value) || types.isSet(value)) {
    return isBare(value) && [...value].every((item) => isSeenThrough(item, seen));
  }
  if (isErrorLike(value) && !isPlain(value)) return isError(value, seen);
  return isObject(value) && hasData(value, seen);
}

/** It says itself what is printed of it, and so may say more than its copy does. */
function describesItself(value: object): boolean {
  return inspect.custom in value || 'toJSON' in value;
}

/** Without properties that would be printed. */
function isBare(value: object): boolean {
  return Object.keys(value).length === 0 && !hasSymbols(value);
}

export function hasSymbols(value: object): boolean {
  return Object.getOwnPropertySymbols(value).some((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A thing without parts, as its own class prints it. */
function isPlainLeaf(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Date.prototype || prototype === RegExp.prototype) return isBare(value);
  if (prototype === Buffer.prototype || prototype === Uint8Array.prototype) {
    const bytes = value as Uint8Array;
    return bytes.length <= MAX_BYTES && Object.keys(bytes).length === bytes.length && !hasSymbols(bytes);
  }
  if (prototype !== URL.prototype) return false;
  const { username, password } = value as URL;
  return username === '' && password === '' && isBare(value);
}

function isList(list: readonly unknown[], seen: Set<object>): boolean {
  const hasNames = Object.keys(list).some((key) => String(Number(key)) !== key);
  return !hasNames && hasData(list, seen);
}

function isError(error: object, seen: Set<object>): boolean {
  if (!types.isNativeError(error)) return false;
  const { name } = error;
  if (typeof name !== 'string' || name.length > MAX_NAME_CHARS) return false;
  return hasData(error, seen) && TOLD_OF_ERRORS.every((key) => isData(error, key, seen));
}

/** Neither one of the built-in objects with content of their own, nor one that the copy only names. */
function isObject(value: object): boolean {
  if (Symbol.toStringTag in value || Object.prototype.toString.call(value) !== '[object Object]')
    return false;
  return leafOf(value) === undefined && handleMark(value) === undefined;
}

function hasData(value: object, seen: Set<object>): boolean {
  return !hasSymbols(value) && Object.keys(value).every((key) => isData(value, key, seen));
}

/** What a getter gives may be another thing at each look. */
function isData(value: object, key: string, seen: Set<object>): boolean {
  const property = Object.getOwnPropertyDescriptor(value, key);
  if (property === undefined) return true;
  const { get, value: content } = property as { get?: unknown; value?: unknown };
  if (get !== undefined || !Object.is(withoutArguments(key, content), content)) return false;
  return isSeenThrough(content, seen);
}
