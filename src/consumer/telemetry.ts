import type { LogBatch } from './batch.js';

/** What tells others how consumers do; `otel/consumer-telemetry.ts` where OpenTelemetry's API is installed. */
export interface ConsumerTelemetry {
  /** Runs the handler of a batch, as an operation linked to the spans in which its records were logged. */
  process<T>(batch: LogBatch, work: () => Promise<T>): Promise<T>;
  /** Runs the consumer's own work, which must not become part of anybody's trace. */
  isolate<T>(work: () => T): T;
}

const NONE: ConsumerTelemetry = { process: (_, work) => work(), isolate: (work) => work() };

let loaded: Promise<ConsumerTelemetry> | undefined;

/** Loaded with the first consumer: someone without OpenTelemetry can use consumers all the same. */
export function loadTelemetry(): Promise<ConsumerTelemetry> {
  return (loaded ??= import('../otel/consumer-telemetry.js').then(
    ({ otelTelemetry }) => otelTelemetry,
    () => NONE,
  ));
}
