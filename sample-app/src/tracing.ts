import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];

/**
 * Takes the place of an exporter to a tracing backend, which the shop does not have: its spans are there for
 * the trace ids of its logs. A processor there must be, because without one the SDK makes no spans at all.
 */
const nowhere: SpanProcessor = {
  onStart: () => {},
  onEnd: () => {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

// Import this file before anything else: incoming requests get spans only if http is instrumented before Nest's
// platform loads it. The empty lists keep the SDK from its default exporters, which look for a collector.
new NodeSDK({
  instrumentations: [new HttpInstrumentation()],
  spanProcessors: [nowhere],
  logRecordProcessors: [],
  metricReaders: [],
  autoDetectResources: false,
}).start();
