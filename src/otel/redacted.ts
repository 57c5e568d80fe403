import type { Attributes, LogRecord } from '../record/log-record.js';
import type { Redactor } from '../record/redact.js';

/** Nothing that anybody logs is deeper; what is may be a cycle. */
const MAX_DEPTH = 64;

/** The body of a record that could not be redacted, and so is not to be shown. */
const REDACTION_FAILED = '[Redaction failed]';

/**
 * The record with its secrets censored: a copy, because other processors see the same record. When that fails the
 * record goes on as a marker, never as it was. Throws only what the record's own getters throw.
 */
export function redacted(record: LogRecord, redactor: Redactor): LogRecord {
  try {
    const attributes = copy(record.attributes, 0) as Attributes;
    redactor.redact(attributes);
    return withContent(record, redactBody(record.body, redactor), attributes);
  } catch {
    return unredactable(record);
  }
}

/** What is left of a record that cannot be redacted: when, how severe, and from where. */
export function unredactable(record: LogRecord): LogRecord {
  return withContent(record, REDACTION_FAILED, {});
}

/** Field by field: an SDK's record has getters on its prototype, which a spread would lose. */
function withContent(record: LogRecord, body: unknown, attributes: Attributes): LogRecord {
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
  const copied = copy(body, 0);
  if (!Array.isArray(copied)) redactor.redact(copied as Attributes);
  else
    for (const item of copied)
      if (typeof item === 'object' && item !== null) redactor.redact(item as Attributes);
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
