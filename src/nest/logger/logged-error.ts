import { isErrorLike } from '../../record/exception.js';
import type { Attributes } from '../../record/log-record.js';
import { isPlainObject } from './call-values.js';

/** Containers inside one another that are looked into: `{ request: { result: { err } } }` is one more than usual. */
const MAX_DEPTH = 4;

/**
 * The first error among values that were logged, such as that of `log('failed', { err })`. `copy` is what the normaliser
 * made of `source`: it is walked first, since it is bounded and runs no code of the caller's, and the source is asked
 * only where the copy has something that looks like an error.
 */
export function loggedError(source: unknown, copy: unknown): object | undefined {
  return isContainer(copy) && mayHoldError(copy, 0) ? find(source, copy, 0) : undefined;
}

function mayHoldError(copy: object, depth: number): boolean {
  // By index where that is possible: `for in` makes a text of every index.
  if (Array.isArray(copy)) {
    for (let index = 0; index < copy.length; index++) if (mayBeError(copy[index], depth)) return true;
    return false;
  }
  for (const key in copy) if (mayBeError((copy as Attributes)[key], depth)) return true;
  return false;
}

function mayBeError(part: unknown, depth: number): boolean {
  if (!isContainer(part)) return false;
  return looksLikeError(part) || (depth < MAX_DEPTH && mayHoldError(part, depth + 1));
}

function find(source: unknown, copy: object, depth: number): object | undefined {
  if (!isContainer(source)) return undefined;
  for (const key in copy) {
    const part: unknown = (copy as Attributes)[key];
    if (!isContainer(part)) continue;
    const original = originalOf(source, key);
    if (looksLikeError(part) && isError(original)) return original;
    const inner = depth < MAX_DEPTH ? find(original, part, depth + 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The normaliser gives every error a `type`. */
function looksLikeError(copy: object): boolean {
  return typeof (copy as Attributes)['type'] === 'string';
}

/** As the normaliser decides it, to which an object literal is never an error. */
function isError(value: unknown): value is object {
  return isErrorLike(value) && !isPlainObject(value);
}

function originalOf(source: object, key: string): unknown {
  try {
    return (source as Attributes)[key];
  } catch {
    return undefined;
  }
}
