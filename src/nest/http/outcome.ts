import type { Level } from '../../record/severity.js';
import { causeOf, hasClientGone, isWhole } from './broken-off.js';
import type { Exchange } from './exchange.js';

/** How a request ended. */
export interface Outcome {
  /** Undefined when it ended before anything of an answer was sent. */
  readonly statusCode: number | undefined;
  /** `aborted`: the client went. `failed`: the response broke off on our side. */
  readonly end: 'complete' | 'aborted' | 'failed';
  /** What it failed with, where the response itself knows. */
  readonly cause?: Error | undefined;
}

/** @param hasFinished whether the response says that it was handed to the system */
export function outcomeOf(exchange: Exchange, hasFinished: boolean): Outcome {
  const { response } = exchange;
  if (isWhole(response, hasFinished)) return { statusCode: response.statusCode, end: 'complete' };
  const hasGone = hasClientGone(exchange);
  // Frameworks also answer a client who is gone, such as with 400 for the rest of a body that never came.
  const isAnswered = response.headersSent && !(hasGone && response.req?.complete === false);
  const statusCode = isAnswered ? response.statusCode : undefined;
  const cause = hasGone ? undefined : causeOf(exchange);
  // A stream of events has no end of its own: it lasts until the connection ends.
  const isServed = statusCode !== undefined && (exchange.isEventStream || isEvents(exchange));
  if (isServed && cause === undefined) return { statusCode, end: 'complete' };
  return { statusCode, end: hasGone ? 'aborted' : 'failed', cause };
}

function isEvents({ reply, response }: Exchange): boolean {
  const type = reply.getHeader('content-type') ?? response.getHeader('content-type');
  return typeof type === 'string' && type.startsWith('text/event-stream');
}

export function defaultLevel({ statusCode = 0, end }: Outcome): Level {
  if (end === 'failed' || statusCode >= 500) return 'error';
  return end === 'aborted' || statusCode >= 400 ? 'warn' : 'log';
}

/** Did it fail on our side? */
export function isFailure({ statusCode = 0, end }: Outcome): boolean {
  return end === 'failed' || statusCode >= 500;
}
