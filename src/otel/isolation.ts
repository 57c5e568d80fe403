import * as api from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

/** The key that every instrumentation asks; `@opentelemetry/core` makes it from the same text. */
const SUPPRESS_TRACING = api.createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
const SUPPRESSED = api.ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true);

/** Calls a function in a place of its own. */
export type Isolation = <T>(work: () => T) => T;

/** Where this module was loaded, which is outside every request, also when an exporter is made within one. */
const outside = AsyncLocalStorage.snapshot() as Isolation;

/**
 * Runs `work`, and all that follows from it, outside every request and with tracing suppressed: what the write path
 * does for one request's record must neither become a span of that request, nor keep its context alive, nor log
 * through itself. The context manager is asked each time, since an SDK may bring it long after the first record.
 */
export const isolated: Isolation = (work) => outside(() => api.context.with(SUPPRESSED, work));
