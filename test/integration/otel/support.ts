import { context, propagation, trace } from '@opentelemetry/api';
import * as api from '@opentelemetry/api';

/** Takes back what an SDK has registered for the whole process. */
export function unregister(): void {
  api.logs.disable();
  trace.disable();
  context.disable();
  propagation.disable();
}
