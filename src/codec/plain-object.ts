import type { Attributes, LogRecord } from '../record/log-record.js';
import { formatSpanId, formatTraceFlags, formatTraceId } from './span-context.js';
import { encodeMap } from './tags.js';
import { formatTimestamp } from './timestamp.js';

/**
 * A record as one JSON object for readers that know nothing of ours (Logstash, Vector, jq): `@timestamp` and `message`
 * are what they look for; names are those of the stream entry otherwise. Attributes and resource are objects.
 */
export function recordJson(record: LogRecord): string {
  const { spanContext, instrumentationScope: scope } = record;
  const object: Attributes = {
    '@timestamp': isoTime(record.hrTime),
    timestamp: formatTimestamp(record.hrTime),
    severity_number: record.severityNumber ?? 0,
    severity_text: record.severityText ?? '',
    message: record.body ?? '',
    'service.name': record.resource.attributes['service.name'] ?? '',
  };
  if (spanContext !== undefined) {
    object['trace_id'] = formatTraceId(spanContext.traceId);
    object['span_id'] = formatSpanId(spanContext.spanId);
    object['trace_flags'] = formatTraceFlags(spanContext.traceFlags);
  }
  if (record.eventName) object['otel.event.name'] = record.eventName;
  if (scope.name !== '') object['otel.scope.name'] = scope.name;
  if (scope.version) object['otel.scope.version'] = scope.version;
  object['attributes'] = record.attributes;
  object['resource'] = record.resource.attributes;
  return encodeMap(object);
}

/** RFC 3339 in UTC, with milliseconds. */
export function isoTime([seconds, nanoseconds]: readonly [number, number]): string {
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1e6);
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
