import type { Attributes, LogRecord } from '../record/log-record.js';
import { formatTimestamp } from './timestamp.js';
import { encodeJson } from './tags.js';

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
    object['trace_id'] = spanContext.traceId;
    object['span_id'] = spanContext.spanId;
    object['trace_flags'] = spanContext.traceFlags;
  }
  if (record.eventName) object['otel.event.name'] = record.eventName;
  if (scope.name !== '') object['otel.scope.name'] = scope.name;
  if (scope.version) object['otel.scope.version'] = scope.version;
  object['attributes'] = record.attributes;
  object['resource'] = record.resource.attributes;
  return encodeJson(object);
}

/** RFC 3339 in UTC, with milliseconds. */
export function isoTime([seconds, nanoseconds]: readonly [number, number]): string {
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1e6);
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
