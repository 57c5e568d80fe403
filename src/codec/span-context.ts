import { codeAt } from '../record/code-at.js';
import type { SpanContext } from '../record/log-record.js';
import { malformed } from './malformed.js';

/** W3C Trace Context: 16 and 8 bytes, written as lowercase hex. */
const TRACE_ID_LENGTH = 32;
const SPAN_ID_LENGTH = 16;

const FLAGS = Array.from({ length: 256 }, (_, flags) => flags.toString(16).padStart(2, '0'));
const FLAGS_BY_TEXT: ReadonlyMap<string, number> = new Map(FLAGS.map((text, flags) => [text, flags]));

let lastTraceId = '';

function isLowercaseHex(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = codeAt(text, i);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

function formatId(id: unknown, length: number): string {
  if (typeof id !== 'string' || id.length !== length) return '';
  if (isLowercaseHex(id)) return id;
  const lowered = id.toLowerCase();
  return isLowercaseHex(lowered) ? lowered : '';
}

/** A trace id as 32 lowercase hex digits; empty for anything that is none, as readers would reject the entry. */
export function formatTraceId(traceId: unknown): string {
  // Records come in runs of one request, and the check costs more than anything else here.
  if (traceId === lastTraceId) return lastTraceId;
  const text = formatId(traceId, TRACE_ID_LENGTH);
  if (text === traceId) lastTraceId = text;
  return text;
}

/** A span id as 16 lowercase hex digits; empty for anything that is none. */
export function formatSpanId(spanId: unknown): string {
  return formatId(spanId, SPAN_ID_LENGTH);
}

/** Trace flags as two hex digits; only the eight bits that W3C Trace Context has are written. */
export function formatTraceFlags(traceFlags: unknown): string {
  return FLAGS[typeof traceFlags === 'number' ? traceFlags & 255 : 0] ?? '00';
}

/** The span that three fields name, undefined if all are empty. Throws a RedisLogError where one is not its hex. */
export function parseSpanContext(
  traceId: string,
  spanId: string,
  traceFlags: string,
): SpanContext | undefined {
  if (traceId === '' && spanId === '' && traceFlags === '') return undefined;
  const flags = traceFlags === '' ? 0 : FLAGS_BY_TEXT.get(traceFlags);
  if (flags === undefined || !isId(traceId, TRACE_ID_LENGTH) || !isId(spanId, SPAN_ID_LENGTH)) {
    throw malformed('trace_id, span_id or trace_flags is not lowercase hex of its length');
  }
  return { traceId, spanId, traceFlags: flags };
}

function isId(text: string, length: number): boolean {
  return text === '' || (text.length === length && isLowercaseHex(text));
}
