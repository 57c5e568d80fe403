import { isRedisLogError } from '../errors.js';
import type { Attributes, HrTime, InstrumentationScope, LogRecord, Resource } from '../record/log-record.js';
import { malformed } from './malformed.js';
import {
  ATTRIBUTES_FIELD,
  fromFieldName,
  LEADING_FIELDS,
  OPTIONAL_FIELDS,
  setOwn,
  VERSION_FIELD,
} from './names.js';
import { decodeResource, resourceOfService } from './resource.js';
import { internScope } from './scope.js';
import { parseSpanContext } from './span-context.js';
import { decodeMap } from './tags.js';
import { parseCount, parseTimestamp } from './timestamp.js';
import { decodeBody, decodeValue } from './value.js';

export interface DecodeOptions {
  /** The stored text of the resource with this hash (from the stream's helper hash), if it is at hand. */
  readonly resource?: ((hash: string) => string | undefined) | undefined;
}

export interface DecodedLogRecord {
  readonly status: 'ok';
  /** Has the shape of the SDK's ReadableLogRecord. Resource and scope are shared between records, and frozen. */
  readonly record: LogRecord;
  /** Who wrote the entry; undefined where the field is empty. */
  readonly producer: string | undefined;
  /** The producer's number of the entry; undefined where the field is empty. */
  readonly seq: number | undefined;
  /** The hash whose text was not at hand, or no resource: the record then knows only the name of its service. */
  readonly missingResource?: string | undefined;
}

export interface MalformedEntry {
  readonly status: 'malformed';
  /** What is wrong, without anything of the record. */
  readonly reason: string;
}

export type DecodeResult = DecodedLogRecord | MalformedEntry;

/** Our own fields by position, so that one lookup says what a name is. */
const OWN_FIELDS: readonly string[] = [...LEADING_FIELDS, ...OPTIONAL_FIELDS];
const OWN_INDEX: ReadonlyMap<string, number> = new Map(OWN_FIELDS.map((name, index) => [name, index]));

const MAX_SEVERITY = 24;

type OwnField = (typeof LEADING_FIELDS)[number] | (typeof OPTIONAL_FIELDS)[number];

function position(name: OwnField): number {
  return OWN_FIELDS.indexOf(name);
}

const TIMESTAMP = position('timestamp');
const SEVERITY_NUMBER = position('severity_number');
const SEVERITY_TEXT = position('severity_text');
const BODY = position('body');
const TRACE_ID = position('trace_id');
const SPAN_ID = position('span_id');
const TRACE_FLAGS = position('trace_flags');
const SCOPE_NAME = position('otel.scope.name');
const SERVICE_NAME = position('service.name');
const RESOURCE = position('resource');
const PRODUCER = position('producer');
const SEQ = position('seq');
const OBSERVED_TIMESTAMP = position('observed_timestamp');
const SCOPE_VERSION = position('otel.scope.version');
const SCOPE_SCHEMA_URL = position('otel.scope.schema_url');
const SCOPE_ATTRIBUTES = position('otel.scope.attributes');
const SCOPE_DROPPED = position('otel.scope.dropped_attributes_count');
const EVENT_NAME = position('otel.event.name');
const DROPPED = position('otel.dropped_attributes_count');

/** An entry taken apart: our own fields as texts in the order of OWN_FIELDS, the attributes as values. */
interface Parts {
  readonly own: string[];
  readonly attributes: Attributes;
}

function takeApart(fields: readonly string[]): Parts {
  const texts = ['', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''];
  const attributes: Attributes = {};
  let next = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    // Entries of our own writers have the leading fields in this order, and need no lookup.
    if (i === 2 * next && name === OWN_FIELDS[next]) {
      texts[next++] = value;
      continue;
    }
    const index = OWN_INDEX.get(name);
    if (index !== undefined) texts[index] = value;
    else takeAttribute(attributes, name, value);
  }
  return { own: texts, attributes };
}

function takeAttribute(attributes: Attributes, name: string, value: string): void {
  const attribute = fromFieldName(name);
  if (attribute !== undefined) {
    setOwn(attributes, attribute, decodeValue(value));
  } else if (name === ATTRIBUTES_FIELD) {
    const map = decodeMap(value);
    for (const key of Object.keys(map)) setOwn(attributes, key, map[key]);
  } else if (name === VERSION_FIELD) {
    throw malformed('the entry is of another version');
  }
}

/** One of our own fields; empty where the entry does not have it. */
function own(parts: Parts, index: number): string {
  return parts.own[index] ?? '';
}

function timestampOf(parts: Parts, index: number): HrTime {
  const time = parseTimestamp(own(parts, index));
  if (time === undefined) throw malformed(`${OWN_FIELDS[index]} is not Unix nanoseconds in decimal digits`);
  return time;
}

function countOf(parts: Parts, index: number): number | undefined {
  const text = own(parts, index);
  if (text === '') return undefined;
  const count = parseCount(text);
  if (count === undefined) throw malformed(`${OWN_FIELDS[index]} is not a whole number in decimal digits`);
  return count;
}

function severityOf(parts: Parts): number | undefined {
  const severity = countOf(parts, SEVERITY_NUMBER);
  if (severity !== undefined && severity > MAX_SEVERITY) throw malformed('severity_number is above 24');
  return severity;
}

function textOf(parts: Parts, index: number): string | undefined {
  const text = own(parts, index);
  return text === '' ? undefined : text;
}

function scopeOf(parts: Parts): InstrumentationScope {
  return internScope({
    name: own(parts, SCOPE_NAME),
    version: own(parts, SCOPE_VERSION),
    schemaUrl: own(parts, SCOPE_SCHEMA_URL),
    attributes: own(parts, SCOPE_ATTRIBUTES),
    droppedAttributesCount: countOf(parts, SCOPE_DROPPED) ?? 0,
  });
}

function lookUp(hash: string, options: DecodeOptions | undefined): Resource | undefined {
  try {
    const text = options?.resource?.(hash);
    return typeof text === 'string' ? decodeResource(text) : undefined;
  } catch {
    // A lookup that fails is one that finds nothing: the entry itself is as good as before.
    return undefined;
  }
}

function assemble(parts: Parts, options: DecodeOptions | undefined): DecodedLogRecord {
  const hrTime = timestampOf(parts, TIMESTAMP);
  const hash = textOf(parts, RESOURCE);
  const resource = hash === undefined ? undefined : lookUp(hash, options);
  const record: LogRecord = {
    hrTime,
    hrTimeObserved: own(parts, OBSERVED_TIMESTAMP) === '' ? hrTime : timestampOf(parts, OBSERVED_TIMESTAMP),
    spanContext: parseSpanContext(own(parts, TRACE_ID), own(parts, SPAN_ID), own(parts, TRACE_FLAGS)),
    severityNumber: severityOf(parts),
    severityText: textOf(parts, SEVERITY_TEXT),
    body: decodeBody(own(parts, BODY)),
    eventName: textOf(parts, EVENT_NAME),
    resource: resource ?? resourceOfService(own(parts, SERVICE_NAME)),
    instrumentationScope: scopeOf(parts),
    attributes: parts.attributes,
    droppedAttributesCount: countOf(parts, DROPPED) ?? 0,
  };
  return {
    status: 'ok',
    record,
    producer: textOf(parts, PRODUCER),
    seq: countOf(parts, SEQ),
    missingResource: resource === undefined ? hash : undefined,
  };
}

function reasonOf(error: unknown): string {
  return isRedisLogError(error) ? error.message : 'the entry cannot be decoded';
}

/**
 * The record that an entry's name/value pairs hold. Fields may come in any order; the only one that must be
 * there is `timestamp`. Never throws: an entry that breaks the contract is `malformed`, with a reason that
 * holds nothing of the record. Unknown names that start with `@` are skipped: a later version may add them.
 */
export function decodeLogRecord(fields: readonly string[], options?: DecodeOptions): DecodeResult {
  try {
    if (fields.length % 2 !== 0) throw malformed('the last field has no value');
    return assemble(takeApart(fields), options);
  } catch (error) {
    return { status: 'malformed', reason: reasonOf(error) };
  }
}
