import { codeAt } from '../record/code-at.js';
import type { HrTime } from '../record/log-record.js';

const NANOS_PER_SECOND = 1_000_000_000;
const NANOS_PER_MILLI = 1_000_000;

/** The last moment that OTLP's unsigned 64-bit nanoseconds can name: 2^64 - 1. */
const MAX_TEXT = '18446744073709551615';
const MAX_SECONDS = 18_446_744_073;
const MAX_NANOS = 709_551_615;

const DIGIT_0 = 48;

/** Most clocks of logs tick in milliseconds: the nine last digits of each of them are made once. */
const MILLIS = Array.from({ length: 1_000 }, (_, millis) => `${String(millis).padStart(3, '0')}000000`);

let lastSeconds = 0;
let lastSecondsText = '';

function secondsText(seconds: number): string {
  if (seconds !== lastSeconds) {
    lastSeconds = seconds;
    lastSecondsText = String(seconds);
  }
  return lastSecondsText;
}

function nanosText(nanos: number): string {
  const millis = nanos / NANOS_PER_MILLI;
  const text = Number.isInteger(millis) ? MILLIS[millis] : undefined;
  return text ?? String(NANOS_PER_SECOND + nanos).slice(1);
}

/** Carries what is above a second, drops what is below a nanosecond, and clamps to what OTLP can hold. */
function encodeUnusual(seconds: number, nanos: number): string {
  if (!Number.isFinite(seconds) || !Number.isFinite(nanos)) return '0';
  const whole = Math.trunc(seconds);
  const carried = Math.trunc(nanos) + Math.round((seconds - whole) * NANOS_PER_SECOND);
  if (Math.abs(whole) > MAX_SECONDS || Math.abs(carried) > Number.MAX_SAFE_INTEGER) {
    return whole > 0 && carried >= 0 ? MAX_TEXT : '0';
  }
  const total = BigInt(whole) * BigInt(NANOS_PER_SECOND) + BigInt(carried);
  if (total <= 0n) return '0';
  return total > BigInt(MAX_TEXT) ? MAX_TEXT : String(total);
}

/**
 * A moment as Unix nanoseconds in decimal digits, without leading zeros, exact beyond 2^53. A moment before
 * 1970 and one that is not a number are written as `0`, which OpenTelemetry reads as "unknown".
 */
export function formatTimestamp(time: HrTime): string {
  if (!Array.isArray(time)) return '0';
  const seconds: unknown = time[0];
  const nanos: unknown = time[1];
  if (typeof seconds !== 'number' || typeof nanos !== 'number') return '0';
  const usual = seconds >= 1 && seconds < MAX_SECONDS && nanos >= 0 && nanos < NANOS_PER_SECOND;
  if (usual && Number.isInteger(seconds) && Number.isInteger(nanos)) {
    return secondsText(seconds) + nanosText(nanos);
  }
  return encodeUnusual(seconds, nanos);
}

/** Undefined where the text has anything but the digits 0 to 9. */
function digits(text: string, from: number, to: number): number | undefined {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = codeAt(text, i) - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** Reads what {@link formatTimestamp} writes; undefined for anything that is not 1 to 20 digits, up to 2^64 - 1. */
export function parseTimestamp(text: string): HrTime | undefined {
  const length = text.length;
  if (length === 0 || length > MAX_TEXT.length) return undefined;
  const split = Math.max(0, length - 9);
  const seconds = digits(text, 0, split);
  const nanos = digits(text, split, length);
  if (seconds === undefined || nanos === undefined) return undefined;
  if (seconds > MAX_SECONDS || (seconds === MAX_SECONDS && nanos > MAX_NANOS)) return undefined;
  return [seconds, nanos];
}

/** A count in decimal digits, from 0 to 2^53 - 1; undefined for anything else. */
export function parseCount(text: string): number | undefined {
  if (text.length === 0 || text.length > 16) return undefined;
  const count = digits(text, 0, text.length);
  return count !== undefined && count <= Number.MAX_SAFE_INTEGER ? count : undefined;
}
