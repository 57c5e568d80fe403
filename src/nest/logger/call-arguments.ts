import { ConsoleLogger } from '@nestjs/common';
import type { Level } from '../../record/severity.js';
import { isSeparateStack, isStructuredStack } from './call-stack.js';
import {
  isForeignError,
  isOwnError,
  isPlainObject,
  mergeParams,
  messageOf,
  resolveMessage,
} from './call-values.js';

export { resolveMessage };

/**
 * What the arguments of a log call mean, exactly as the `ConsoleLogger` of the installed Nest reads them, in
 * its JSON mode. Checked against both of its majors by test/contract/nest-logger.
 */

/**
 * `structured` is Nest 12: plain objects after the message are parameters of one record, and an error belongs
 * to the message. `separate` is Nest 11: every extra argument is a record of its own.
 */
export type CallStyle = 'structured' | 'separate';

/** What a logger knows before a call. One object per logger, made once: it is read at every call. */
export interface CallReading {
  readonly style: CallStyle;
  /** The logger's own context, for calls that give none. */
  readonly context: string | undefined;
}

/** One log call. Every message is one record, and all of them carry the same context, stack and params. */
export interface LogCall {
  /**
   * At least one. Lazy messages are resolved. Where the first was `error`, it is the text of that; an error
   * among the others is the error of its own record.
   */
  readonly messages: readonly unknown[];
  /** `undefined` where there is none, or where the call gave an empty one. */
  readonly context: string | undefined;
  /** Stack trace given as text, never empty. It need not look like one: see `readCall`. */
  readonly stack: string | undefined;
  /** `structured` only: the plain objects after the message, merged. May be the caller's object: do not change it. */
  readonly params: Record<string, unknown> | undefined;
  /** The error of the first record. */
  readonly error: unknown;
}

/** The style of the installed Nest, by what its `ConsoleLogger` can do rather than by a version number. */
export function detectCallStyle(): CallStyle {
  return 'stringifyParams' in ConsoleLogger.prototype ? 'structured' : 'separate';
}

/**
 * Reads one call; never throws, whatever the arguments are. Call it only once the level is known to be on,
 * because it runs lazy messages.
 *
 * The rules, in Nest's order: a last argument that is a string is the context. For `error` (and, in Nest 12,
 * `fatal`) a second and last argument that looks like a stack trace is the stack; with three arguments or more
 * it is a trailing stack trace (Nest 12), else the last message that is left, if it is a string or
 * `undefined`, whatever it looks like: `new Logger('Ctx').error('m', text)` has always meant a stack.
 *
 * @param args the message and everything after it
 */
export function readCall(level: Level, args: readonly unknown[], reading: CallReading): LogCall {
  const structured = reading.style === 'structured';
  const place = placeOfStack(level, args, structured);
  let end = place === 'last' || place === 'omitted' ? args.length - 1 : args.length;
  let stack: unknown = place === 'last' ? args[end] : undefined;
  let context = reading.context;
  // After a stack that was the second of two arguments only the message is left: it is never the context.
  if (end > 1) {
    const last = args[end - 1];
    if (typeof last === 'string') {
      context = last;
      end--;
    }
  }
  const params = structured && end > 1 ? paramsOf(args, end) : undefined;
  const messages = messagesOf(args, end, params !== undefined);
  if (place === 'among messages' && messages.length > 1) {
    const last = messages[messages.length - 1];
    if (last === undefined || typeof last === 'string') {
      stack = last;
      messages.length--;
    }
  }
  const error = settleMessages(messages, structured);
  return {
    messages,
    context: context === '' ? undefined : context,
    stack: filledText(stack),
    params,
    error,
  };
}

/**
 * Where a call has its stack. `omitted`: the second and last argument is the `undefined` that Nest's Logger puts there.
 */
function placeOfStack(
  level: Level,
  args: readonly unknown[],
  structured: boolean,
): 'none' | 'last' | 'omitted' | 'among messages' {
  const count = args.length;
  if (count < 2 || (level !== 'error' && !(structured && level === 'fatal'))) return 'none';
  const last = args[count - 1];
  if (count === 2 && structured && last === undefined) return 'omitted';
  if ((count === 2 || structured) && isStack(last, structured)) return 'last';
  return count > 2 ? 'among messages' : 'none';
}

function filledText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isStack(value: unknown, structured: boolean): value is string {
  if (typeof value !== 'string') return false;
  return structured ? isStructuredStack(value) : isSeparateStack(value);
}

/** The plain objects after the message; a lone one is passed on uncopied, for it is by far the commonest. */
function paramsOf(args: readonly unknown[], end: number): Record<string, unknown> | undefined {
  let only: Record<string, unknown> | undefined;
  let merged: Record<string, unknown> | undefined;
  for (let i = 1; i < end; i++) {
    const value = args[i];
    if (!isPlainObject(value)) continue;
    if (only === undefined) {
      only = value;
      continue;
    }
    if (merged === undefined) {
      merged = Object.create(null) as Record<string, unknown>;
      mergeParams(merged, only);
    }
    mergeParams(merged, value);
  }
  return merged ?? only;
}

function messagesOf(args: readonly unknown[], end: number, skipPlainObjects: boolean): unknown[] {
  const messages = [args[0]];
  for (let i = 1; i < end; i++) {
    const value = args[i];
    if (!skipPlainObjects || !isPlainObject(value)) messages.push(value);
  }
  return messages;
}

/** Resolves lazy messages in place and takes out the error that belongs to the first record. */
function settleMessages(messages: unknown[], structured: boolean): unknown {
  for (let i = 0; i < messages.length; i++) {
    if (typeof messages[i] === 'function') messages[i] = resolveMessage(messages[i]);
  }
  const first = messages[0];
  if (!isOwnError(first)) {
    if (structured) {
      for (let i = 1; i < messages.length; i++) {
        if (isOwnError(messages[i])) return messages.splice(i, 1)[0];
      }
    }
    if (!isForeignError(first)) return undefined;
  }
  messages[0] = messageOf(first);
  return first;
}
