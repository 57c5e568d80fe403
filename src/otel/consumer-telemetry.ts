import * as api from '@opentelemetry/api';
import type { LogRecord } from '../record/log-record.js';
import { isolated } from './isolation.js';

const SCOPE = 'nestjs-redis-log';
/** As many as the SDK keeps of one span by default. */
const MAX_LINKS = 128;

/** A batch as the telemetry of its handling needs it. */
export interface ProcessedBatch {
  readonly stream: string;
  readonly group: string;
  readonly entries: readonly { readonly record: LogRecord }[];
}

interface Instruments {
  readonly provider: api.MeterProvider;
  readonly messages: api.Counter;
  readonly duration: api.Histogram;
}

let instruments: Instruments | undefined;

/** An SDK may be started after the first consumer, so the provider is looked for with every batch. */
function current(): Instruments {
  const provider = api.metrics.getMeterProvider();
  if (instruments?.provider === provider) return instruments;
  const meter = provider.getMeter(SCOPE);
  instruments = {
    provider,
    messages: meter.createCounter('messaging.client.consumed.messages', {
      unit: '{message}',
      description: 'Records that were delivered to a handler.',
    }),
    duration: meter.createHistogram('messaging.process.duration', {
      unit: 's',
      description: 'Duration of handling a batch.',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    }),
  };
  return instruments;
}

/** By the semantic conventions for messaging (status: Development), which leave the name of the system to us. */
function attributesOf({ stream, group }: ProcessedBatch): api.Attributes {
  return {
    'messaging.system': 'redis',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': stream,
    'messaging.consumer.group.name': group,
  };
}

/** The spans in which the records were logged, each once. */
function linksOf({ entries }: ProcessedBatch): api.Link[] {
  const links = new Map<string, api.Link>();
  for (const { record } of entries) {
    const { spanContext } = record;
    if (spanContext === undefined || !api.isSpanContextValid(spanContext)) continue;
    links.set(spanContext.traceId + spanContext.spanId, { context: spanContext });
    if (links.size === MAX_LINKS) break;
  }
  return [...links.values()];
}

async function process<T>(batch: ProcessedBatch, work: () => Promise<T>): Promise<T> {
  const attributes = attributesOf(batch);
  const options = {
    kind: api.SpanKind.CONSUMER,
    attributes: { ...attributes, 'messaging.batch.message_count': batch.entries.length },
    links: linksOf(batch),
  };
  const tracer = api.trace.getTracer(SCOPE);
  const span = tracer.startSpan(`process ${batch.stream}`, options, api.ROOT_CONTEXT);
  const start = performance.now();
  let errorType: string | undefined;
  try {
    return await api.context.with(api.trace.setSpan(api.ROOT_CONTEXT, span), work);
  } catch (error) {
    errorType = error instanceof Error ? error.name : 'unknown';
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: errorType });
    span.setAttribute('error.type', errorType);
    throw error;
  } finally {
    span.end();
    const labels = errorType === undefined ? attributes : { ...attributes, 'error.type': errorType };
    const { messages, duration } = current();
    messages.add(batch.entries.length, labels);
    duration.record((performance.now() - start) / 1000, labels);
  }
}

/** Spans and metrics of consumers, by whatever SDK is registered globally. */
export const otelTelemetry = { process, isolate: isolated };
