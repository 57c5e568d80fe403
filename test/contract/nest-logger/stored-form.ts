import { EventEmitter } from 'node:events';
import type { Attributes, LogRecord } from '../../../src/record/log-record.js';
import { isError, resolved, textOrNothing, type CanonicalRecord, type RawRecord } from './canonical.js';

/**
 * The form in which what `ConsoleLogger` was given is compared with what `RedisLogger` has stored. It keeps everything
 * that JSON keeps, and more, since JSON would hide differences; where the two have to differ, one rule applies to both:
 *
 * - Values. What JSON has is itself; NaN and -0 stay. A bigint or symbol is its text, a Date its ISO text, a RegExp its
 *   source. A Map is an object, or a list of pairs where a key is no text; a Set is a list. A function inside a value is
 *   `[Function name]`, a class `[class Name]`; an object inside itself is `[Circular]`. `toJSON` is obeyed.
 * - Errors, inside values and as the record's `error`, are `{ type, message, stack, code, cause, errors, ... }` with all
 *   own enumerable properties (one called `type` is `own.type`). `type` is the `name`, or that of the class where the error only inherits "Error". A
 *   `cause` of null is none; five causes are followed, then comes `[Depth]`. A cause that is another object is read as
 *   an error without message and stack.
 * - A record without an error of its own has that of its parameters, or of its message, as `error` besides.
 * - `log.truncations`, the count of what was cut, is not a parameter.
 * - A stack given as text is the stack of an error that has none; it is left out where it equals the error's own.
 */
export function storedForm(raw: RawRecord): CanonicalRecord {
  const message = resolved(raw.message);
  const own = raw.thrown ?? (isError(message) ? message : undefined);
  const thrown = own ?? errorIn(raw.params) ?? errorIn(message);
  const params = raw.params === undefined ? undefined : valueOf(raw.params, [], raw.params);
  return settled({
    level: raw.level,
    context: textOrNothing(raw.context),
    message: isError(message) && message === own ? message.message : valueOf(message),
    params: params as object | undefined,
    stack: textOrNothing(raw.stack),
    error: thrown === undefined ? undefined : (errorOf(thrown, [], true) as Attributes),
  });
}

const EXCEPTION = 'exception.';
const OURS = new Set(['code.stacktrace', 'log.truncations']);
const OF_AN_ERROR = new Set(['name', 'message', 'stack', 'cause', 'errors']);
/** Names that the conventions take: an error's property of that name is kept as `own.type`. */
const TAKEN = new Set(['type', 'stacktrace', 'escaped']);

/** The same of a record that was read from a stream. */
export function formOfStored(record: LogRecord): CanonicalRecord {
  const attributes = plain(record.attributes) as Attributes;
  const error = errorAt(EXCEPTION, attributes);
  const stack = attributes[error === undefined ? 'exception.stacktrace' : 'code.stacktrace'];
  const params = Object.entries(attributes).filter(
    ([name]) => !name.startsWith(EXCEPTION) && !OURS.has(name),
  );
  return settled({
    level: String(record.severityText),
    context: textOrNothing(record.instrumentationScope.name),
    message: plain(record.body),
    params: Object.fromEntries(params),
    stack: textOrNothing(stack),
    error,
  });
}

interface Form extends CanonicalRecord {
  readonly error: Attributes | undefined;
}

function settled(form: Form): CanonicalRecord {
  const { error, params } = form;
  const stack = error !== undefined && error['stack'] === form.stack ? undefined : form.stack;
  const isOwnless = error !== undefined && error['stack'] === undefined;
  return {
    ...form,
    params: Object.keys((params as object | undefined) ?? {}).length === 0 ? undefined : params,
    stack: isOwnless ? undefined : stack,
    error: isOwnless && stack !== undefined ? { ...error, stack } : error,
  };
}

/** `copied`: what Nest merged the parameters into; what it was copied from counts as the same object. */
function valueOf(value: unknown, ancestors: readonly unknown[] = [], copied?: object): unknown {
  switch (typeof value) {
    case 'bigint':
    case 'symbol':
      return value.toString();
    case 'function':
      return `[${/^class[ {]/.test(String(value)) ? 'class' : 'Function'} ${value.name || '(anonymous)'}]`;
    case 'object':
      return value === null ? null : objectOf(value, ancestors, copied);
    default:
      return value;
  }
}

function objectOf(value: object, ancestors: readonly unknown[], copied?: object): unknown {
  if (ancestors.includes(value) || (ancestors.length > 0 && isSourceOf(copied, value))) return '[Circular]';
  const inner = [...ancestors, value];
  const inside = (item: unknown): unknown => valueOf(item, inner, copied);
  if (Array.isArray(value)) return Array.from(value, (item) => inside(item) ?? null);
  if (isError(value)) return errorOf(value, ancestors, false);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return '[Promise]';
  if (value instanceof EventEmitter) return `[${value.constructor.name}]`;
  if (value instanceof Set) return [...value].map((item) => inside(item) ?? null);
  if (value instanceof Map) return mapOf(value, inside);
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return valueOf(value.toJSON(''), inner, copied);
  return members(Object.entries(value), inside);
}

function mapOf(map: Map<unknown, unknown>, inside: (item: unknown) => unknown): unknown {
  const entries = [...map];
  if (entries.every(([key]) => typeof key === 'string'))
    return members(entries as [string, unknown][], inside);
  return entries.map(([key, item]) => [inside(key), inside(item) ?? null]);
}

function members(entries: Iterable<[string, unknown]>, inside: (item: unknown) => unknown): Attributes {
  const target: Attributes = {};
  for (const [key, item] of entries) {
    const stored = inside(item);
    if (stored !== undefined)
      Object.defineProperty(target, key, {
        value: stored,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return target;
}

function isSourceOf(copy: object | undefined, value: object): boolean {
  if (copy === undefined || Object.keys(copy).length === 0) return false;
  const keys = Object.keys(value);
  const same = (key: string): boolean => Object.is(Reflect.get(copy, key), Reflect.get(value, key));
  return keys.length === Object.keys(copy).length && keys.every(same);
}

const MAX_CAUSES = 5;

/** `isChain`: the causes of the record's own error, which are attributes of their own. */
function errorOf(error: unknown, ancestors: readonly unknown[], isChain: boolean): unknown {
  if (typeof error !== 'object' || error === null) return valueOf(error);
  if (ancestors.includes(error)) return '[Circular]';
  if (ancestors.filter(isError).length > MAX_CAUSES) return '[Depth]';
  const inner = [...ancestors, error];
  const source = error as Record<string, unknown>;
  const type =
    typeof source['name'] === 'string' && source['name'] !== 'Error'
      ? source['name']
      : error.constructor.name;
  const own = Object.entries(source).filter(([name]) => !OF_AN_ERROR.has(name));
  const named = own.map(([name, item]): [string, unknown] => [TAKEN.has(name) ? `own.${name}` : name, item]);
  const target = members(named, (item) => valueOf(item, inner));
  const parts = { type, message: source['message'], stack: source['stack'], errors: source['errors'] };
  Object.assign(
    target,
    members(Object.entries(parts), (item) => valueOf(item, isChain ? [] : inner)),
  );
  const behind = source['cause'] ?? undefined;
  if (behind !== undefined)
    target['cause'] = isChain || isError(behind) ? errorOf(behind, inner, isChain) : valueOf(behind, inner);
  return target;
}

function errorIn(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || isError(value) || depth > 4) return undefined;
  for (const part of Object.values(value)) {
    if (isError(part)) return part;
    const inner = errorIn(part, depth + 1);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function errorAt(prefix: string, attributes: Attributes): Attributes | undefined {
  if (attributes[`${prefix}type`] === undefined) return undefined;
  const error: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (!name.startsWith(prefix) || name.startsWith(`${prefix}cause.`)) continue;
    const part = name.slice(prefix.length);
    error[part === 'stacktrace' ? 'stack' : part] = value;
  }
  const cause = errorAt(`${prefix}cause.`, attributes);
  return cause === undefined ? error : { ...error, cause };
}

/** The decoder's objects have no prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'object' && value !== null ? members(Object.entries(value), plain) : value;
}
