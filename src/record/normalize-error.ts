import { types } from 'node:util';
import { className, readSafely, shortName } from './normalize-text.js';

/** A chain of causes is followed this far. */
export const MAX_CAUSES = 5;

/** Properties of its own that are read from one error; the rest is only counted. */
const MAX_OWN = 128;

/** What an error says of itself; every part was read with care, none is normalised yet. */
export interface ErrorParts {
  /** The name of its class, or the name that it gave itself. */
  readonly type: string;
  readonly message: unknown;
  readonly stack: string | undefined;
  /** `ECONNREFUSED`, 11000, ...; `undefined` without one. */
  readonly code: unknown;
  readonly cause: unknown;
  /** The errors inside an AggregateError; some classes keep an object of errors by field under that name. */
  readonly errors: unknown;
  /** Its own enumerable properties beside those above, as name and value. */
  readonly own: readonly (readonly [name: string, value: unknown])[];
  /** How many more it has. */
  readonly ownLeftOut: number;
}

const KNOWN = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);

/** Names that our own fields take: an error's property of that name is kept as `own.type`. */
const TAKEN = new Set(['type', 'stacktrace', 'escaped']);

/**
 * True for errors of any realm, and for what has a message and a stack, as errors do that crossed a worker or a
 * test runner's sandbox. Never throws.
 */
export function isErrorLike(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (value instanceof Error || types.isNativeError(value)) return true;
    const { stack, message } = value as { stack?: unknown; message?: unknown };
    return typeof stack === 'string' && typeof message === 'string';
  } catch {
    return false;
  }
}

/** Reads an error, or anything that was thrown as one. Parts that throw are replaced by a mark. */
export function readError(error: object): ErrorParts {
  const stack = readSafely(error, 'stack');
  const code = readSafely(error, 'code');
  const cause = readSafely(error, 'cause');
  const own: [string, unknown][] = [];
  const ownLeftOut = readOwn(error, own);
  return {
    type: errorType(error),
    message: readSafely(error, 'message'),
    stack: typeof stack === 'string' ? stack : undefined,
    code: code === null ? undefined : code,
    cause: cause === null ? undefined : cause,
    errors: readSafely(error, 'errors'),
    own,
    ownLeftOut,
  };
}

/** A class of the user's that sets no name inherits `Error`, which says less than the class. */
function errorType(error: object): string {
  const name = readSafely(error, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return shortName(name);
  try {
    return className(error);
  } catch {
    return 'Error';
  }
}

function readOwn(error: object, own: [string, unknown][]): number {
  const keys = Object.keys(error);
  let leftOut = 0;
  for (const key of keys) {
    if (KNOWN.has(key)) continue;
    if (own.length === MAX_OWN) leftOut++;
    else own.push([TAKEN.has(key) ? `own.${key}` : key, withoutArguments(key, readSafely(error, key))]);
  }
  return leftOut;
}

/** Errors of ioredis carry the whole command: the password of an AUTH, the body of a record. Its name is enough. */
export function withoutArguments(key: string, value: unknown): unknown {
  if (key !== 'command' || typeof value !== 'object' || value === null) return value;
  return Array.isArray(readSafely(value, 'args')) ? readSafely(value, 'name') : value;
}
