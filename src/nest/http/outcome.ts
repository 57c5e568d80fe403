import type { Level } from '../../record/severity.js';
import type { Exchange } from './exchange.js';

/** How a request ended. */
export interface Outcome {
  /** Undefined when the client went before there was an answer. */
  readonly statusCode: number | undefined;
  /** `aborted`: the client went. `failed`: the response broke off on our side. */
  readonly end: 'complete' | 'aborted' | 'failed';
}

/** @param hasFinished whether the whole response was handed to the system */
export function outcomeOf(exchange: Exchange, hasFinished: boolean): Outcome {
  const { response } = exchange;
  const statusCode = hasFinished || response.headersSent ? response.statusCode : undefined;
  if (hasFinished) return { statusCode, end: 'complete' };
  if (response.errored) return { statusCode, end: 'failed' };
  // A stream of events has no end of its own: it lasts until the client goes.
  const isServed = statusCode !== undefined && (exchange.isEventStream || isEvents(exchange));
  return { statusCode, end: isServed ? 'complete' : 'aborted' };
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
