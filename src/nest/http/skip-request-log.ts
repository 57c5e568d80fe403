import { type CustomDecorator, SetMetadata } from '@nestjs/common';

const SKIP = 'nestjs-redis-log:skip-request-log';

/**
 * Leaves the requests of a handler, or of all handlers of a controller, out of the request log. What is logged while they
 * are handled is not affected, and has the request's id.
 *
 * @example
 * \@Get('health') \@SkipRequestLog() health() {}
 */
export function SkipRequestLog(): CustomDecorator {
  return SetMetadata(SKIP, true);
}

/** Nest's own mark on the handlers that `Sse` decorates. */
const EVENT_STREAM = '__sse__';

/** What the decorators of a handler say about its requests. */
export interface HandlerFacts {
  readonly type: object;
  readonly isSkipped: boolean;
  readonly isEventStream: boolean;
}

/** They are asked for with every request; a handler that two controllers inherit is rare. */
const known = new WeakMap<object, HandlerFacts>();

export function factsOf(handler: object, type: object): HandlerFacts {
  const facts = known.get(handler);
  if (facts?.type === type) return facts;
  const found = {
    type,
    isSkipped: Reflect.getMetadata(SKIP, handler) === true || Reflect.getMetadata(SKIP, type) === true,
    isEventStream: Reflect.getMetadata(EVENT_STREAM, handler) === true,
  };
  known.set(handler, found);
  return found;
}
