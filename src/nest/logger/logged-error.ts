import { isErrorLike } from '../../record/exception.js';
import type { Attributes } from '../../record/log-record.js';
import { isPlainObject } from './call-values.js';

/** Containers inside one another that are looked into: `{ request: { result: { err } } }` is one more than usual. */
const MAX_DEPTH = 4;

/**
 * The first error among values that were logged, such as that of `log('failed', { err })`. `copy` is what the normaliser
 * made of `source`: only the copy is walked, since it is bounded and runs no code of the caller's, and the source is
 * asked only where the copy looks like an error.
 */
export function loggedError(source: unknown, copy: unknown, depth = 0): object | undefined {
  if (typeof copy !== 'object' || copy === null || typeof source !== 'object' || source === null)
    return undefined;
  for (const key in copy) {
    const part: unknown = (copy as Attributes)[key];
    if (typeof part !== 'object' || part === null) continue;
    const original = originalOf(source, key);
    if (typeof (part as Attributes)['type'] === 'string' && isError(original)) return original as object;
    const inner = depth < MAX_DEPTH ? loggedError(original, part, depth + 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** As the normaliser decides it, to which an object literal is never an error. */
function isError(value: unknown): boolean {
  return isErrorLike(value) && !isPlainObject(value);
}

function originalOf(source: object, key: string): unknown {
  try {
    return (source as Attributes)[key];
  } catch {
    return undefined;
  }
}
