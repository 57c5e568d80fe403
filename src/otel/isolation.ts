import * as api from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

/** The key that every instrumentation asks; `@opentelemetry/core` makes it from the same text. */
const SUPPRESS_TRACING = api.createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Calls a function in the place where it was made. */
export type Isolation = <T>(work: () => T) => T;

/**
 * A place outside every request, with tracing suppressed: what the write path does for one request's record must
 * neither become a span of that request, nor keep its context alive, nor log through itself.
 */
export function isolation(): Isolation {
  let snapshot: Isolation | undefined;
  const bare = AsyncLocalStorage.snapshot() as Isolation;
  return (work) => {
    // Made on first use: the SDK that brings a context manager may start after this package is imported.
    snapshot ??= bare(() =>
      api.context.with(
        api.ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true),
        () => AsyncLocalStorage.snapshot() as Isolation,
      ),
    );
    return snapshot(work);
  };
}
