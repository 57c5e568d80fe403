import { context, trace, TraceFlags } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import type { Started } from './contestants.js';
import type { Kept } from './lines.js';

const SPAN = {
  traceId: '5b8aa5a2d2c872e8321cf37308d69df2',
  spanId: '051581bf3cb55c13',
  traceFlags: TraceFlags.SAMPLED,
};

/** One line of the table: something that is logged, and what must be left of it. */
export interface Row {
  readonly title: string;
  /** What the application does; nothing where a request of `requests.ts` is the matter. */
  readonly act?: (started: Started) => void;
  readonly isKept: (records: readonly Kept[]) => boolean;
}

const logger = new Logger('RowContext');

function failure(message: string): Error {
  const error = new TypeError(message, { cause: new Error('row-cause') });
  return Object.assign(error, { code: 'E_ROW' });
}

/** Exactly one record with the first text, and all the others in it. */
function oneWith(records: readonly Kept[], text: string, ...others: readonly string[]): boolean {
  const found = records.filter((record) => record.text.includes(text));
  return found.length === 1 && others.every((other) => found[0]?.text.includes(other));
}

/** The record of the request itself. */
function requestTo(records: readonly Kept[], path: string): Kept | undefined {
  return records.find(({ text }) => text.includes(`"${path}"`) && /statusCode|status_code/.test(text));
}

const STACK = ['at ', 'rows.ts'];

export const CALLS: readonly Row[] = [
  {
    title: "`log('text', { userId })`: text, parameter and context in one record",
    act: () => logger.log('row-parameters', { userId: 4711 }),
    isKept: (records) => oneWith(records, 'row-parameters', '4711', 'RowContext'),
  },
  {
    title: '`error(error)`: class, message, stack, code and cause in one record',
    act: () => logger.error(failure('row-error')),
    isKept: (records) =>
      oneWith(records, 'row-error', 'TypeError', 'E_ROW', 'row-cause', 'RowContext', ...STACK),
  },
  {
    title: "`error('text', error)`: both in one record",
    act: () => logger.error('row-after', failure('row-behind')),
    isKept: (records) =>
      oneWith(records, 'row-after', 'row-behind', 'E_ROW', 'RowContext', ...STACK) &&
      oneWith(records, 'row-behind'),
  },
  {
    title: "`error('text', { userId })`: the parameter, and nothing that is no stack as a stack",
    act: () => logger.error('row-with', { userId: 4712 }),
    isKept: (records) =>
      oneWith(records, 'row-with', '4712') && !/"stack":\[/.test(lineOf(records, 'row-with')),
  },
  {
    title: "`error('text')`: the text and the context, and nothing else",
    act: () => logger.error('row-plain'),
    isKept: (records) =>
      oneWith(records, 'row-plain', 'RowContext') && !lineOf(records, 'row-plain').includes('null'),
  },
  {
    title: "`fatal('text', stack)`: one record with both",
    act: () => logger.fatal('row-fatal', new Error('row-stack').stack),
    isKept: (records) => oneWith(records, 'row-fatal', ...STACK),
  },
  {
    title: '`debug(() => text)`: the text, made only when the level is on',
    act: () => logger.debug(() => `row-${'lazy'}`),
    isKept: (records) => oneWith(records, 'row-lazy'),
  },
  {
    title: 'a password among the parameters is redacted by default, and what is beside it kept',
    act: () => logger.log('row-secret', { password: 'hunter2-parameter', userId: 4713 }),
    isKept: (records) => oneWith(records, 'row-secret', '4713') && !has(records, 'hunter2-parameter'),
  },
  {
    title: 'a password in a connection string is redacted by default, in messages and errors',
    act: () => logger.error('row-url redis://app:hunter2-url@db', new Error('postgres://app:hunter2-url@db')),
    isKept: (records) => has(records, 'row-url') && !has(records, 'hunter2-url'),
  },
  {
    title: 'trace and span id of the active span, without instrumenting anything',
    act: () => context.with(trace.setSpanContext(context.active(), SPAN), () => logger.log('row-trace')),
    isKept: (records) => oneWith(records, 'row-trace', SPAN.traceId, SPAN.spanId),
  },
  {
    title: "attributes for all of Nest's `Logger` below a call, outside of requests too",
    act: ({ inContext }) => inContext?.({ tenant: 'row-tenant' }, () => logger.log('row-job')),
    isKept: (records) => oneWith(records, 'row-job', 'row-tenant'),
  },
  {
    title: 'a level for a single context, by option',
    act: () => new Logger('Quiet').log('row-quiet'),
    isKept: (records) => !has(records, 'row-quiet'),
  },
  {
    title: 'the level changed while the application runs',
    act: (started) => {
      started.setLevel('warn');
      logger.log('row-too-little');
      logger.warn('row-enough');
    },
    isKept: (records) => !has(records, 'row-too-little') && has(records, 'row-enough'),
  },
];

export const REQUESTS: readonly Row[] = [
  {
    title: 'one record for each request, with method, path, status and duration',
    isKept: (records) => {
      const { text = '' } = requestTo(records, '/orders/7') ?? {};
      return text.includes('GET') && text.includes('200') && /duration|responseTime/.test(text);
    },
  },
  { title: 'the template of its route (`/orders/:id`)', isKept: (records) => has(records, '/orders/:id"') },
  {
    title: 'one id on the record of the request and on all that is logged below it',
    isKept: (records) => {
      const { requestId } = records.find(({ text }) => text.includes('row-in-request')) ?? {};
      return requestId !== undefined && requestTo(records, '/orders/7')?.requestId === requestId;
    },
  },
  {
    title: 'the stack of an error that nobody catches, once',
    isKept: (records) => {
      const found = records.filter(({ text }) => text.includes('row-request-error'));
      return found.length === 1 && found[0]?.text.includes('shop.ts') === true;
    },
  },
  {
    title: 'a request that its client has broken off, told as such',
    isKept: (records) => records.some(({ text }) => text.includes('/slow') && /abort/i.test(text)),
  },
  {
    title: 'no record for a path that is to be left out (`/health`)',
    isKept: (records) =>
      requestTo(records, '/orders/7') !== undefined && requestTo(records, '/health') === undefined,
  },
  {
    title: 'no credentials of the request’s headers, by default',
    isKept: (records) => requestTo(records, '/orders/7') !== undefined && !has(records, 'hunter2-header'),
  },
];

export const LIFE: readonly Row[] = [
  {
    title: 'what is logged while the application boots, with its own time',
    isKept: (records) => {
      const boot = records.find(({ text }) => text.includes('row-boot'));
      const at = Number(/row-boot (\d+)/.exec(boot?.text ?? '')?.[1]);
      return boot !== undefined && Math.abs(boot.time - at) < 50;
    },
  },
  { title: 'what is logged by shutdown hooks', isKept: (records) => has(records, 'row-shutdown') },
];

function has(records: readonly Kept[], text: string): boolean {
  return records.some((record) => record.text.includes(text));
}

function lineOf(records: readonly Kept[], text: string): string {
  return records.find((record) => record.text.includes(text))?.text ?? '';
}
