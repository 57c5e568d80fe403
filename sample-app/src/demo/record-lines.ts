import { styleText } from 'node:util';
import type { Attributes, LogRecord } from 'nestjs-redis-log/core';

type Style = Parameters<typeof styleText>[0];

const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  verbose: 'dim',
  debug: 'dim',
  log: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: ['bold', 'red'],
};
const LONGEST_LEVEL = 7;
const LONGEST_VALUE = 100;
/** Enough of a trace id to tell the requests on one screen apart. */
const SHORT_TRACE = 8;
const INDENT = '    ';

/** Exceptions have lines of their own; the others are the same for every request here, or say what the text says. */
const HIDDEN =
  /^(exception\..*|http\.request\.method|http\.response\..*|url\.scheme|server\.address|client\.address|user_agent\.original)$/;

/** Whatever would drive the terminal, break the line, or turn the direction of the text. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** One line for a record, and further, indented ones for its exception. Coloured where stdout takes colours. */
export function linesOf(record: LogRecord): string[] {
  const level = record.severityText ?? '';
  const words = [
    styled('dim', timeOf(record)),
    styled(LEVEL_STYLES[level] ?? 'dim', printable(level).toUpperCase().padEnd(LONGEST_LEVEL)),
    styled('cyan', `[${printable(record.instrumentationScope.name)}]`),
    printable(textOf(record.body)),
    styled('dim', attributesOf(record.attributes)),
    styled('magenta', record.spanContext?.traceId.slice(0, SHORT_TRACE) ?? ''),
  ];
  return [words.filter((word) => word !== '').join(' '), ...exceptionLines(record.attributes)];
}

function timeOf({ hrTime: [seconds, nanoseconds] }: LogRecord): string {
  const time = new Date(seconds * 1_000 + nanoseconds / 1e6);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  const digits = clock.map((part) => String(part).padStart(2, '0')).join(':');
  return `${digits}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function attributesOf(attributes: Attributes): string {
  const shown = Object.keys(attributes).filter((name) => !HIDDEN.test(name));
  // What the call itself has given comes before what it has from its request.
  const names = [
    ...shown.filter((name) => !name.includes('.')),
    ...shown.filter((name) => name.includes('.')),
  ];
  return names.map((name) => `${printable(name)}=${shortened(textOf(attributes[name]))}`).join(' ');
}

/** The stack, and then one line for each cause. */
function exceptionLines(attributes: Attributes): string[] {
  const stack = attributes['exception.stacktrace'] ?? summaryOf(attributes, 'exception.');
  if (stack === undefined) return [];
  const lines = textOf(stack).split('\n').map(stackLine);
  for (let prefix = 'exception.cause.'; ; prefix += 'cause.') {
    const cause = summaryOf(attributes, prefix);
    if (cause === undefined) return lines;
    lines.push(INDENT + styled('red', printable(`caused by ${cause}`)));
  }
}

function stackLine(line: string): string {
  const text = printable(line.trim());
  return text.startsWith('at ') ? `${INDENT}  ${styled('dim', text)}` : INDENT + styled('red', text);
}

function summaryOf(attributes: Attributes, prefix: string): string | undefined {
  const type = attributes[`${prefix}type`];
  const message = attributes[`${prefix}message`];
  return type === undefined && message === undefined ? undefined : `${textOf(type)}: ${textOf(message)}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function shortened(text: string): string {
  const shown = printable(text);
  return shown.length > LONGEST_VALUE ? `${shown.slice(0, LONGEST_VALUE)}…` : shown;
}

/** Logs hold what strangers sent: it is shown, and never obeyed by the terminal. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => {
    if (char === '\n') return '\\n';
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** `styleText` looks at the terminal, NO_COLOR and FORCE_COLOR. */
function styled(style: Style, text: string): string {
  return text === '' ? '' : styleText(style, text, { stream: process.stdout });
}
