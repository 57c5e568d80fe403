import { inspect } from 'node:util';
import type { CollectedError, CollectedRecord } from './collected-record.js';

/** One line, so that records can be compared by eye. */
export function describeRecord({ level, context, message, attributes }: CollectedRecord): string {
  const parts = [level.toUpperCase(), ...(context === undefined ? [] : [`[${context}]`])];
  parts.push(typeof message === 'string' ? message : shown(message));
  if (Object.keys(attributes).length > 0) parts.push(shown(attributes));
  return parts.join(' ');
}

/** What a developer wants to see of a test that failed: when, what, and the stacks of errors. */
export function describeInFull(record: CollectedRecord): string {
  const line = `${record.time.toISOString().slice(11, 23)} ${describeRecord(record)}`;
  return record.error === undefined ? line : `${line}\n${indented(errorText(record.error))}`;
}

/** A value on one line. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Infinity, maxStringLength: 500, maxArrayLength: 20 });
}

function errorText({ type, message, stack, code, cause }: CollectedError): string {
  const head = stack ?? `${type}: ${message}`;
  const text = code === undefined ? head : `${head}\ncode: ${shown(code)}`;
  return isError(cause) ? `${text}\ncaused by ${errorText(cause)}` : text;
}

function isError(cause: unknown): cause is CollectedError {
  return typeof cause === 'object' && cause !== null && 'type' in cause && 'message' in cause;
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
