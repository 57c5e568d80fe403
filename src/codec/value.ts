/**
 * The value rule. A text is written as it is, unless it could be taken for something else; everything that is
 * not a text is JSON (see `tags.ts`). So `level=warn` and `status=200` look in Redis as one expects, and the
 * text `"200"` is still not the number 200.
 */
import { codeAt } from '../record/code-at.js';
import { decodeJson, encodeJson, markerOf, specialNumber } from './tags.js';

const QUOTE = 34;
const MINUS = 45;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const BRACKET = 91;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;
const BRACE = 123;

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function startsLikeNumber(first: number): boolean {
  return first <= DIGIT_9 && (first >= DIGIT_0 || first === MINUS);
}

function encodeText(text: string): string {
  const first = codeAt(text, 0);
  switch (first) {
    case BRACE:
    case BRACKET:
    case QUOTE:
      return JSON.stringify(text);
    case LETTER_T:
      return text === 'true' ? '"true"' : text;
    case LETTER_F:
      return text === 'false' ? '"false"' : text;
    case LETTER_N:
      return text === 'null' ? '"null"' : text;
    default:
      return startsLikeNumber(first) && JSON_NUMBER.test(text) ? `"${text}"` : text;
  }
}

function encodeNumber(value: number): string {
  const special = specialNumber(value);
  return special === undefined ? String(value) : `{"$num":"${special}"}`;
}

/**
 * A value of the OpenTelemetry data model as a stream field. Takes texts, numbers (NaN, Infinity and -0 too),
 * booleans, bigints, bytes, null, undefined, and lists and plain maps of them. Never throws: whatever else
 * comes is written as a text that says what it was. {@link decodeValue} gives the same value back.
 */
export function encodeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return encodeText(value);
    case 'number':
      return encodeNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return '{"$undefined":1}';
    case 'bigint':
      return `{"$bigint":"${String(value)}"}`;
    case 'object':
      return value === null ? 'null' : encodeJson(value);
    default:
      return encodeText(markerOf(value));
  }
}

/**
 * The value that a stream field holds. Bytes come back as a Uint8Array, maps as plain objects.
 * Throws a RedisLogError (REDIS_LOG_MALFORMED) where the text breaks the value rule.
 */
export function decodeValue(text: string): unknown {
  const first = codeAt(text, 0);
  switch (first) {
    case BRACE:
    case BRACKET:
    case QUOTE:
      return decodeJson(text);
    case LETTER_T:
      return text === 'true' ? true : text;
    case LETTER_F:
      return text === 'false' ? false : text;
    case LETTER_N:
      return text === 'null' ? null : text;
    default:
      return startsLikeNumber(first) && JSON_NUMBER.test(text) ? Number(text) : text;
  }
}

/** A record's body: the value rule, but the empty field means that there is none, and `""` the empty text. */
export function encodeBody(body: unknown): string {
  if (body === undefined) return '';
  return body === '' ? '""' : encodeValue(body);
}

/** Reads what {@link encodeBody} writes. Throws as {@link decodeValue} does. */
export function decodeBody(text: string): unknown {
  return text === '' ? undefined : decodeValue(text);
}
