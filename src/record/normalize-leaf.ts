import { types } from 'node:util';
import { className, shortName } from './normalize-text.js';
import { stripUserinfo } from './url.js';

/** How much of a binary value is kept: enough to recognise a file type or a key id. */
const BYTES_SHOWN = 64;

/** Larger numbers are not written out: 2^16384 takes 0.14 ms (measured), and the cost grows faster than the size. */
const MAX_BIGINT = 2n ** 16_384n;

/** What a log keeps of a binary value: `base64` holds its first 64 bytes, which is all of a short one. */
export interface ByteSample {
  readonly type: string;
  readonly byteLength: number;
  readonly base64: string;
}

export function isCut(sample: ByteSample): boolean {
  return sample.byteLength > BYTES_SHOWN;
}

/**
 * What is kept of a built-in object without parts of its own: a string, number, boolean, bigint or symbol, or a
 * {@link ByteSample}. `undefined` for every other object. May throw what the object's own code throws.
 */
export function leafOf(value: object): string | number | boolean | bigint | symbol | ByteSample | undefined {
  if (types.isDate(value)) return dateText(value);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return byteSample(value);
  if (types.isRegExp(value)) return RegExp.prototype.toString.call(value);
  if (types.isBoxedPrimitive(value)) return unboxed(value);
  if (types.isPromise(value)) return '[Promise]';
  if (types.isWeakMap(value)) return '[WeakMap]';
  if (types.isWeakSet(value)) return '[WeakSet]';
  if (value instanceof WeakRef) return '[WeakRef]';
  if (types.isGeneratorObject(value)) return '[Generator]';
  return urlText(value);
}

function dateText(date: Date): string {
  return Number.isNaN(Date.prototype.getTime.call(date))
    ? 'Invalid Date'
    : Date.prototype.toISOString.call(date);
}

function byteSample(value: ArrayBufferView | ArrayBufferLike): ByteSample {
  const { byteLength } = value;
  const shown = Math.min(BYTES_SHOWN, byteLength);
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, shown)
    : Buffer.from(value, 0, shown);
  const type = Buffer.isBuffer(value) ? 'Buffer' : Object.prototype.toString.call(value).slice(8, -1);
  return { type, byteLength, base64: bytes.toString('base64') };
}

function unboxed(value: object): string | number | boolean | bigint | symbol {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value);
  return Symbol.prototype.valueOf.call(value);
}

/** By name and shape, not by class: a test runner's realm, jsdom and old `url.parse()` have classes of their own. */
function urlText(value: object): string | undefined {
  if (value instanceof URLSearchParams)
    return stripUserinfo(URLSearchParams.prototype.toString.call(value), '');
  const { href } = value as { href?: unknown };
  if (typeof href !== 'string') return undefined;
  const name = className(value);
  return name === 'URL' || name === 'Url' ? stripUserinfo(href, '') : undefined;
}

/**
 * Requests, sockets, streams, emitters, observables, timers, database handles: what a log should name, not spell
 * out, because behind each lies a large part of the process. `[IncomingMessage]`; `undefined` for anything else.
 */
export function handleMark(value: object): string | undefined {
  const it = value as Record<string, unknown>;
  const isHandle =
    isEmitter(it) ||
    typeof it['pipe'] === 'function' ||
    typeof it['getReader'] === 'function' ||
    typeof it['getWriter'] === 'function' ||
    typeof it['dispatchEvent'] === 'function' ||
    typeof it['hasRef'] === 'function' ||
    typeof it['createQueryRunner'] === 'function' ||
    typeof it['$connect'] === 'function' ||
    isFastifyPart(it['raw']);
  return isHandle ? `[${className(value)}]` : undefined;
}

function isEmitter(value: Record<string, unknown>): boolean {
  return typeof value['on'] === 'function' && typeof value['emit'] === 'function';
}

/** Fastify's request and reply carry Node's own as `raw`. */
function isFastifyPart(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && isEmitter(raw as Record<string, unknown>);
}

/** Stands for an integer that is too long to be written out in the middle of a log call. */
export const BIGINT_MARK = '[BigInt]';

export function bigintText(value: bigint): string {
  return value < MAX_BIGINT && value > -MAX_BIGINT ? value.toString() : BIGINT_MARK;
}

/** `[Function name]`, or `[class Name]`. */
export function functionMark(value: object): string {
  const { name } = value as { name?: unknown };
  const shown = typeof name === 'string' && name !== '' ? shortName(name) : '(anonymous)';
  const isClass = Function.prototype.toString.call(value).startsWith('class');
  return isClass ? `[class ${shown}]` : `[Function ${shown}]`;
}
