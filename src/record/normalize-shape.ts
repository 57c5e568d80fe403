import { types } from 'node:util';
import type { Attributes } from './log-record.js';
import { isErrorLike } from './normalize-error.js';
import { leafOf } from './normalize-leaf.js';

/** An object literal, or an object without a prototype. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** An object whose own properties are its content, and so can be the attributes of a record. */
export function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (isPlain(value)) return true;
  if (Array.isArray(value) || types.isMap(value) || types.isSet(value)) return false;
  return !isErrorLike(value) && leafOf(value) === undefined;
}

/** What an object's `toJSON` returns; the object itself where it has none. */
export function toJson(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== 'function') return value;
  const json: unknown = Reflect.apply(toJSON, value, ['']);
  ignoreRejection(json);
  return json;
}

/** We made this promise by a call of ours: nobody else can handle its rejection, which would end the process. */
export function ignoreRejection(value: unknown): void {
  if (types.isPromise(value)) void Promise.prototype.then.call(value, undefined, () => undefined);
}

/** The first `count` items; whatever else the iterator would give is not asked for. */
export function takeFrom<T>(iterator: IterableIterator<T>, count: number): T[] {
  const items: T[] = [];
  while (items.length < count) {
    const next = iterator.next();
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
}

export function hasStringKeys(entries: readonly [unknown, unknown][]): entries is [string, unknown][] {
  for (const entry of entries) if (typeof entry[0] !== 'string') return false;
  return true;
}

/** Sets a property; `__proto__` too becomes one like any other. */
export function defineEntry(target: Attributes, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else target[key] = value;
}
