import type { LogRecord } from '../../record/log-record.js';

const STACK = 'exception.stacktrace';

/** Parts of an error that its stack tells already. */
const TOLD_BY_STACK = new Set([STACK, 'exception.type', 'exception.message']);

/** A record as lines of text, for a process that ends before the record could be sent. */
export function lineOf(record: LogRecord): string {
  const time = new Date(record.hrTime[0] * 1000 + record.hrTime[1] / 1e6).toISOString();
  const { name } = record.instrumentationScope;
  const body = typeof record.body === 'string' ? record.body : JSON.stringify(record.body);
  const level = (record.severityText ?? '').toUpperCase();
  const line = `${time} ${level} ${name === '' ? '' : `[${name}] `}${body}${attributesOf(record)}`;
  const stack = record.attributes[STACK];
  return escapeControls(typeof stack === 'string' ? `${line}\n${stack}` : line);
}

function attributesOf({ attributes }: LogRecord): string {
  const rest = Object.entries(attributes).filter(
    ([name]) => !TOLD_BY_STACK.has(name) || !(STACK in attributes),
  );
  return rest.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(rest))}`;
}

/** Text of others must not drive the terminal; line breaks and tabs of a stack may stay. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  );
}
