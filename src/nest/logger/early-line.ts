import type { LogRecord } from '../../record/log-record.js';

/** Parts of an error, and of its causes, that a stack tells already. */
const TOLD_BY_STACK = /^exception\.(cause\.)*(type|message|stacktrace)$/;
const STACK = /^exception\.((?:cause\.)*)stacktrace$/;

/** A record as lines of text, for a process that ends before the record could be sent. */
export function lineOf(record: LogRecord): string {
  const time = new Date(record.hrTime[0] * 1000 + record.hrTime[1] / 1e6).toISOString();
  const { name } = record.instrumentationScope;
  const body = typeof record.body === 'string' ? record.body : JSON.stringify(record.body);
  const level = (record.severityText ?? '').toUpperCase();
  const stacks = stacksOf(record);
  const attributes = attributesOf(record, stacks.length > 0);
  // A stack begins with the message: where that has several lines, it is not told twice.
  const message = body.includes('\n') && stacks[0]?.includes(body) === true ? stacks.shift() : body;
  const head = `${time} ${level} ${name === '' ? '' : `[${name}] `}${message}`;
  const isLong = head.includes('\n') && attributes !== '';
  return escapeControls(
    [isLong ? head : head + attributes, ...stacks, ...(isLong ? [attributes.trim()] : [])].join('\n'),
  );
}

function stacksOf({ attributes }: LogRecord): string[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const causes = STACK.exec(name)?.[1];
    if (causes === undefined || typeof value !== 'string') return [];
    return [causes === '' ? value : `Caused by: ${value}`];
  });
}

function attributesOf({ attributes }: LogRecord, hasStack: boolean): string {
  const rest = Object.entries(attributes).filter(([name]) => !hasStack || !TOLD_BY_STACK.test(name));
  return rest.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(rest))}`;
}

/** Text of others must not drive the terminal; line breaks and tabs of a stack may stay. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  );
}
