import { inspect, types } from 'node:util';

/**
 * The form in which the records of two loggers are compared. Two loggers are equal for a call if they give the
 * same list of these.
 *
 * The rules, so that a logger whose records look different (stored fields, say) can be brought into this form:
 * - One element per record written, in order.
 * - `context` and `stack` are `undefined` where absent or empty; `params` also where it has no member.
 * - A message that is an error becomes the text of that error, and the error becomes the record's `error`.
 *   (JSON mode of Nest 11, and of 12 for a second error, prints `util.inspect(error)` instead. That text holds
 *   the name, message, stack, own properties and causes which `error` lists.)
 * - An error of another realm counts as an error. (Nest prints such a message as "{}".)
 * - A lazy message is what it returns, a class its name. (JSON mode of Nest 11 leaves such a message out, its
 *   text mode prints it.)
 * - Every other value is what JSON makes of it: no `undefined`, function or symbol-keyed member, `toJSON`
 *   obeyed, NaN null; bigint and symbol their text; Map and Set the text of `util.inspect`; an error inside a
 *   value what `canonicalError` makes of it; a reference to an enclosing object "[Circular]".
 */
export interface CanonicalRecord {
  readonly level: string;
  readonly context: string | undefined;
  readonly message: unknown;
  readonly params: unknown;
  readonly stack: string | undefined;
  readonly error: unknown;
}

/** What a logger knows of one record before it is brought into the common form. */
export interface RawRecord {
  readonly level: string;
  readonly context: unknown;
  /** The live value, errors and lazy messages included. */
  readonly message: unknown;
  readonly params: object | undefined;
  readonly stack: unknown;
  /** An error, or what `canonicalError` gives of one; `undefined` where only the message may be an error. */
  readonly error: unknown;
  /** The live error, where `error` is what the logger made of it. */
  readonly thrown?: unknown;
}

export function canonicalRecord(raw: RawRecord): CanonicalRecord {
  const message = resolved(raw.message);
  const messageError = raw.error === undefined && isError(message) ? message : undefined;
  const error = messageError ?? raw.error;
  // A copy, as merging makes one: it decides how deep a circular object goes until it is cut.
  const params = raw.params === undefined ? undefined : canonicalValue({ ...raw.params });
  return {
    level: raw.level,
    context: textOrNothing(raw.context),
    message: canonicalValue(messageError === undefined ? message : messageError.message),
    params: isEmptyObject(params) ? undefined : params,
    stack: textOrNothing(raw.stack),
    error: isError(error) ? canonicalError(error) : canonicalValue(error),
  };
}

/**
 * Name, message, stack, own primitive properties (`code`), and, five levels deep, the cause and the errors of
 * an `AggregateError`: the `error` object of JSON mode in Nest 12, which the conformance suite compares it with.
 */
export function canonicalError(error: Error, ancestors: readonly Error[] = []): unknown {
  const nested = (value: unknown): unknown => {
    if (!isError(value)) return value;
    if (value === error || ancestors.includes(value)) return '[Circular]';
    return ancestors.length >= 5 ? '[Truncated]' : canonicalError(value, [...ancestors, error]);
  };
  const canonical: Record<string, unknown> = {
    name: error.name,
    message: error.message,
    stack: error.stack,
  };
  for (const [key, value] of Object.entries(error)) {
    const isNested = key === 'cause' || key === 'errors' || key in canonical;
    if (!isNested && (value === null || (typeof value !== 'object' && typeof value !== 'function'))) {
      canonical[key] = value;
    }
  }
  if (error.cause !== undefined) canonical['cause'] = nested(error.cause);
  const { errors } = error as { errors?: unknown };
  if (Array.isArray(errors)) canonical['errors'] = errors.map(nested);
  return canonicalValue(canonical);
}

/** What JSON makes of a value, by the rules above. */
export function canonicalValue(value: unknown): unknown {
  const ancestors: unknown[] = [];
  const text = JSON.stringify(value, function (this: unknown, _key, member: unknown): unknown {
    if (typeof member === 'bigint' || typeof member === 'symbol') return member.toString();
    if (member instanceof Map || member instanceof Set) return inspect(member, { depth: 5 });
    if (typeof member !== 'object' || member === null) return member;
    // `this` is the object that holds the member: whatever was entered after it is finished.
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(member)) return '[Circular]';
    const entered = isError(member) ? canonicalError(member) : member;
    ancestors.push(entered);
    return entered;
  }) as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

export function resolved(message: unknown): unknown {
  if (typeof message !== 'function') return message;
  const isClass = Function.prototype.toString.call(message).startsWith('class ');
  return isClass ? message.name : resolved((message as () => unknown)());
}

export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

export function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
