import type { Attributes } from './log-record.js';
import type { Normalizer } from './normalize.js';
import { MAX_CAUSES, readError } from './normalize-error.js';
import { CIRCULAR_MARK, DEPTH_MARK, threwMark } from './normalize-text.js';

export { isErrorLike } from './normalize-error.js';

const PREFIX = 'exception.';

/**
 * Writes what was thrown into `target`, by the semantic conventions of OpenTelemetry: `exception.type`,
 * `exception.message` and `exception.stacktrace`. Beside these, where they exist: `exception.code`; the chain
 * of causes, five at most, as `exception.cause.type`, `exception.cause.message`, `exception.cause.cause.type`
 * and so on; `exception.errors` (of an AggregateError); and the error's own enumerable properties as
 * `exception.<name>`, or `exception.own.<name>` where that name is taken.
 *
 * Anything else than an error is described as far as it goes: a thrown string is a message of type `string`.
 * Never throws.
 */
export function exceptionAttributes(error: unknown, target: Attributes, normalizer: Normalizer): void {
  if (typeof error !== 'object' || error === null) {
    writeValue(error, target, normalizer);
    return;
  }
  try {
    writeChain(error, target, normalizer);
  } catch (failure) {
    target[`${PREFIX}type`] ??= threwMark(failure);
  }
}

function writeValue(thrown: unknown, target: Attributes, normalizer: Normalizer): void {
  target[`${PREFIX}type`] = thrown === null ? 'null' : typeof thrown;
  if (thrown !== undefined && thrown !== null) target[`${PREFIX}message`] = messageText(thrown, normalizer);
}

function writeChain(error: object, target: Attributes, normalizer: Normalizer): void {
  const seen: unknown[] = [];
  let prefix = PREFIX;
  let current: unknown = error;
  while (current !== undefined) {
    if (!isObject(current)) return normalizer.attribute(withoutDot(prefix), current, target);
    if (seen.includes(current)) return normalizer.attribute(withoutDot(prefix), CIRCULAR_MARK, target);
    if (seen.length > MAX_CAUSES) {
      normalizer.noteCut(1);
      return normalizer.attribute(withoutDot(prefix), DEPTH_MARK, target);
    }
    seen.push(current);
    current = writeError(current, prefix, { target, normalizer });
    prefix += 'cause.';
  }
}

interface Output {
  readonly target: Attributes;
  readonly normalizer: Normalizer;
}

/** Writes one error of the chain and returns its cause. */
function writeError(error: object, prefix: string, { target, normalizer }: Output): unknown {
  const parts = readError(error);
  // Written past the limit of attributes: a record about an error is worth little without them.
  target[`${prefix}type`] = normalizer.value(parts.type);
  if (parts.message !== undefined) target[`${prefix}message`] = messageText(parts.message, normalizer);
  if (parts.stack !== undefined) target[`${prefix}stacktrace`] = normalizer.value(parts.stack);
  if (parts.code !== undefined) normalizer.attribute(`${prefix}code`, parts.code, target);
  if (parts.errors !== undefined) normalizer.attribute(`${prefix}errors`, parts.errors, target);
  for (const [name, value] of parts.own) normalizer.attribute(prefix + name, value, target);
  normalizer.noteCut(parts.ownLeftOut);
  return parts.cause;
}

/** The conventions want a string; an error whose message is something else keeps it as JSON. */
function messageText(message: unknown, normalizer: Normalizer): string {
  const copy = normalizer.value(message);
  if (typeof copy === 'number' || typeof copy === 'boolean') return `${copy}`;
  return typeof copy === 'string' ? copy : (JSON.stringify(copy) ?? '');
}

function withoutDot(prefix: string): string {
  return prefix.slice(0, -1);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
