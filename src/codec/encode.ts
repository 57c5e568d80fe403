import type { Attributes, LogRecord } from '../record/log-record.js';
import { ATTRIBUTES_FIELD, isWellFormedName, MAX_FIELDS, setOwn, toFieldName } from './names.js';
import { knownResource } from './resource.js';
import { scopeAttributesText } from './scope.js';
import { formatSpanId, formatTraceFlags, formatTraceId } from './span-context.js';
import { encodeMap } from './tags.js';
import { formatTimestamp } from './timestamp.js';
import { encodeBody, encodeValue } from './value.js';

export interface EncodeOptions {
  /**
   * `fields` (default): each attribute is a field of its own. `json`: all of them are one JSON map in the field
   * `attributes`. A list of names: those are fields, and the others are in the JSON map, behind them.
   */
  readonly attributes?: 'fields' | 'json' | readonly string[] | undefined;
}

const SEVERITY_TEXTS = Array.from({ length: 25 }, (_, severity) => String(severity));
const UNREADABLE = '[Unserializable]';
const NO_NAMES: readonly string[] = [];
const hasOwn = Object.prototype.hasOwnProperty;

/** Fields are kept in a flat list of names and values, so that a field is two of its items. */
const MAX_ITEMS = 2 * MAX_FIELDS;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function severityText(severity: unknown): string {
  return typeof severity === 'number' ? (SEVERITY_TEXTS[severity] ?? '') : '';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && Number.isSafeInteger(value);
}

function leadingFields(record: LogRecord): string[] {
  const { spanContext } = record;
  const resource = knownResource(record.resource);
  // prettier-ignore
  return [
    'timestamp', formatTimestamp(record.hrTime),
    'severity_number', severityText(record.severityNumber),
    'severity_text', textOf(record.severityText),
    'body', encodeBody(record.body),
    'trace_id', spanContext ? formatTraceId(spanContext.traceId) : '',
    'span_id', spanContext ? formatSpanId(spanContext.spanId) : '',
    'trace_flags', spanContext ? formatTraceFlags(spanContext.traceFlags) : '',
    'otel.scope.name', textOf(record.instrumentationScope?.name),
    'service.name', resource.serviceName,
    'resource', resource.hash,
    'producer', '',
    'seq', '',
  ];
}

function pushText(fields: string[], name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') fields.push(name, value);
}

function pushCount(fields: string[], name: string, value: unknown): void {
  if (isCount(value)) fields.push(name, String(value));
}

function pushObserved(fields: string[], record: LogRecord): void {
  const { hrTime, hrTimeObserved } = record;
  if (!Array.isArray(hrTimeObserved)) return;
  if (hrTime[0] === hrTimeObserved[0] && hrTime[1] === hrTimeObserved[1]) return;
  const observed = formatTimestamp(hrTimeObserved);
  if (observed !== fields[1]) fields.push('observed_timestamp', observed);
}

function pushOptional(fields: string[], record: LogRecord): void {
  const scope = record.instrumentationScope;
  pushObserved(fields, record);
  if (scope) {
    pushText(fields, 'otel.scope.version', scope.version);
    pushText(fields, 'otel.scope.schema_url', scope.schemaUrl);
    pushText(fields, 'otel.scope.attributes', scopeAttributesText(scope));
    pushCount(fields, 'otel.scope.dropped_attributes_count', scope.droppedAttributesCount);
  }
  pushText(fields, 'otel.event.name', record.eventName);
  pushCount(fields, 'otel.dropped_attributes_count', record.droppedAttributesCount);
}

function pushAttributes(fields: string[], attributes: Attributes): void {
  let done = 0;
  for (const name in attributes) {
    if (!hasOwn.call(attributes, name)) continue;
    // The last field that fits may be needed for all that follows.
    if (fields.length >= MAX_ITEMS - 2 || !isWellFormedName(name)) {
      pushTail(fields, attributes, done);
      return;
    }
    fields.push(toFieldName(name), encodeValue(attributes[name]));
    done++;
  }
}

/** The attributes from `start` on: one that fits is a field, any others go together, which keeps their order. */
function pushTail(fields: string[], attributes: Attributes, start: number): void {
  const names = Object.keys(attributes).slice(start);
  const [first] = names;
  if (names.length === 1 && first !== undefined && isWellFormedName(first)) {
    fields.push(toFieldName(first), encodeValue(attributes[first]));
  } else {
    fields.push(ATTRIBUTES_FIELD, encodeMap(pick(attributes, names)));
  }
}

function pushSplit(fields: string[], attributes: Attributes, kept: readonly string[]): void {
  const rest: string[] = [];
  for (const name of Object.keys(attributes)) {
    if (kept.includes(name) && fields.length < MAX_ITEMS - 2 && isWellFormedName(name)) {
      fields.push(toFieldName(name), encodeValue(attributes[name]));
    } else {
      rest.push(name);
    }
  }
  // Written even where it is empty: a field that comes and goes costs more than `{}`.
  fields.push(ATTRIBUTES_FIELD, encodeMap(pick(attributes, rest)));
}

function pick(attributes: Attributes, names: readonly string[]): Attributes {
  const picked: Attributes = {};
  for (const name of names) setOwn(picked, name, attributes[name]);
  return picked;
}

function pushAll(fields: string[], record: LogRecord, layout: EncodeOptions['attributes']): void {
  try {
    pushOptional(fields, record);
    if (layout === undefined || layout === 'fields') pushAttributes(fields, record.attributes);
    else pushSplit(fields, record.attributes, layout === 'json' ? NO_NAMES : layout);
  } catch {
    // A getter of the record threw: what was read is kept, and the entry says that there was more.
    fields.push(ATTRIBUTES_FIELD, JSON.stringify({ [UNREADABLE]: true }));
  }
}

/**
 * One record as the flat name/value pairs of a stream entry, version 1: what XADD takes behind the id.
 * `resource` is the hash of the record's resource (see `encodeResource`), `producer` and `seq` are empty: the
 * writer fills them in. A record has at most 1,000 fields; attributes above that are in the field `attributes`.
 * Never throws; what the OpenTelemetry data model does not allow is left empty or written as a marker text.
 */
export function encodeLogRecord(record: LogRecord, options?: EncodeOptions): string[] {
  let fields: string[];
  try {
    fields = leadingFields(record);
  } catch {
    fields = leadingFields(UNREADABLE_RECORD);
    return fields;
  }
  pushAll(fields, record, options?.attributes);
  return fields;
}

/** Stands for a record whose getters throw, so that it is counted and seen all the same. */
const UNREADABLE_RECORD: LogRecord = {
  hrTime: [0, 0],
  hrTimeObserved: [0, 0],
  body: UNREADABLE,
  resource: { attributes: {} },
  instrumentationScope: { name: '' },
  attributes: {},
  droppedAttributesCount: 0,
};
