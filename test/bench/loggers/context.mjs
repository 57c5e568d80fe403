// The context manager that an application with tracing has: where loggers find the active span.
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

/** May be called by every contestant; the first call counts. */
export function useAsyncContext() {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}
