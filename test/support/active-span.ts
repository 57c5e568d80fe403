import { context, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterAll, beforeAll } from 'vitest';

export const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
};

/** Lets the tests of a file have an active span, as with OpenTelemetry's SDK. */
export function useActiveSpans(): void {
  beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());
}

/** Runs the work with {@link SPAN} active. */
export function inSpan(work: () => void): void {
  context.with(trace.setSpanContext(context.active(), SPAN), work);
}
