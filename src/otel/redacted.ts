import type { Attributes, LogRecord } from '../record/log-record.js';
import type { Redactor } from '../record/redact.js';

/** Nothing that anybody logs is deeper; what is may be a cycle. */
const MAX_DEPTH = 64;
const FAILED = '[Redaction failed]';

/**
 * The record with its secrets censored: a copy, because other processors see the same record. When that fails the
 * record goes on as a marker, never as it was. Never throws.
 */
export function redacted(record: LogRecord, redactor: Redactor): LogRecord {
  let attributes: Attributes;
  let body: unknown;
  try {
    attributes = copy(record.attributes, 0) as Attributes;
    redactor.redact(attributes);
    body = redactBody(record.body, redactor);
  } catch {
    attributes = {};
    body = FAILED;
  }
  // Field by field: an SDK's record has getters on its prototype, which a spread would lose.
  return {
    hrTime: record.hrTime,
    hrTimeObserved: record.hrTimeObserved,
    spanContext: record.spanContext,
    severityNumber: record.severityNumber,
    severityText: record.severityText,
    body,
    eventName: record.eventName,
    resource: record.resource,
    instrumentationScope: record.instrumentationScope,
    attributes,
    droppedAttributesCount: record.droppedAttributesCount,
  };
}

function redactBody(body: unknown, redactor: Redactor): unknown {
  if (typeof body === 'string') return redactor.text(body);
  if (typeof body !== 'object' || body === null) return body;
  if (Array.isArray(body)) {
    const holder: Attributes = { body: copy(body, 0) };
    redactor.redact(holder);
    return holder['body'];
  }
  const copied = copy(body, 0) as Attributes;
  redactor.redact(copied);
  return copied;
}

/** Containers are copied, everything else is shared: only containers are changed in place. */
function copy(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (depth > MAX_DEPTH) return '[Depth]';
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
  const target = Object.create(null) as Attributes;
  for (const [name, item] of Object.entries(value)) target[name] = copy(item, depth + 1);
  return target;
}
