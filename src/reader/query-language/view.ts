import { decodeBody, decodeValue } from '../../codec/value.js';
import { ATTRIBUTES_FIELD, LEADING_FIELDS } from '../../codec/names.js';
import { decodeResource } from '../../codec/resource.js';
import { decodeMap } from '../../codec/tags.js';
import { parseCount } from '../../codec/timestamp.js';
import type { Attributes, LogRecord } from '../../record/log-record.js';
import type { AttributePath, FieldRef, OwnPart } from './fields.js';

/** What a query sees of a record, however the record is held. Undefined is what is not there. */
export interface RecordView {
  own(part: OwnPart): unknown;
  attribute(path: AttributePath): unknown;
  resource(path: AttributePath): unknown;
}

export function valueOf(view: RecordView, ref: FieldRef): unknown {
  if (ref.kind === 'own') return view.own(ref.part);
  for (const path of ref.paths) {
    const value = view.attribute(path);
    if (value !== undefined) return value;
  }
  return ref.resource === undefined ? undefined : view.resource(ref.resource);
}

/** A decoded record. One view serves many records, one after the other. */
export class DecodedView implements RecordView {
  record: LogRecord;

  constructor(record: LogRecord) {
    this.record = record;
  }

  own(part: OwnPart): unknown {
    const { record } = this;
    switch (part) {
      case 'level':
        return record.severityNumber;
      case 'severity_text':
        return filled(record.severityText);
      case 'body':
        return record.body;
      case 'trace':
        return filled(record.spanContext?.traceId);
      case 'span':
        return filled(record.spanContext?.spanId);
      case 'scope':
        return filled(record.instrumentationScope.name);
      case 'service':
        return serviceName(record);
      default:
        return filled(record.eventName);
    }
  }

  attribute(path: AttributePath): unknown {
    return inMap(this.record.attributes, path);
  }

  resource(path: AttributePath): unknown {
    return inMap(this.record.resource.attributes, path);
  }
}

/** The names of the parts as fields of an entry. */
const FIELDS: Readonly<Record<OwnPart, string>> = {
  level: 'severity_number',
  severity_text: 'severity_text',
  body: 'body',
  trace: 'trace_id',
  span: 'span_id',
  scope: 'otel.scope.name',
  service: 'service.name',
  event: 'otel.event.name',
};

const LEADING: readonly string[] = LEADING_FIELDS;
const RESOURCE_FIELD = 'resource';

/**
 * A stream entry that is not decoded: only the values that are asked for are read. So a query that looks for one
 * record in a thousand does not pay for decoding the others. Its methods throw where a value breaks the contract.
 */
export class EntryView implements RecordView {
  fields: readonly string[] = [];
  readonly #resourceText: (hash: string) => string | undefined;

  constructor(resourceText: (hash: string) => string | undefined) {
    this.#resourceText = resourceText;
  }

  own(part: OwnPart): unknown {
    const text = this.#text(FIELDS[part]);
    if (text === undefined || text === '') return undefined;
    if (part === 'level') return parseCount(text);
    return part === 'body' ? decodeBody(text) : text;
  }

  attribute(path: AttributePath): unknown {
    const whole = this.#value(path.field, path.name);
    if (whole !== undefined) return whole;
    for (const { field, name, rest } of path.nested) {
      const found = inValue(this.#value(field, name), rest);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  resource(path: AttributePath): unknown {
    const hash = this.#text(RESOURCE_FIELD);
    const text = hash === undefined || hash === '' ? undefined : this.#resourceText(hash);
    const resource = text === undefined ? undefined : decodeResource(text);
    if (resource !== undefined) return inMap(resource.attributes, path);
    return path.name === 'service.name' ? this.own('service') : undefined;
  }

  /** The leading fields stand where they always stand, unless somebody else wrote the entry. */
  #text(name: string): string | undefined {
    const { fields } = this;
    const usual = 2 * LEADING.indexOf(name);
    if (usual >= 0 && fields[usual] === name) return fields[usual + 1];
    for (let i = fields.length - 2; i >= 0; i -= 2) if (fields[i] === name) return fields[i + 1];
    return undefined;
  }

  #value(field: string, name: string): unknown {
    const { fields } = this;
    for (let i = fields.length - 2; i >= 0; i -= 2) {
      const text = fields[i + 1] ?? '';
      if (fields[i] === field) return decodeValue(text);
      if (fields[i] !== ATTRIBUTES_FIELD) continue;
      const map = decodeMap(text);
      if (Object.hasOwn(map, name)) return map[name];
    }
    return undefined;
  }
}

/** Entries repeat it only where it is a text. */
function serviceName({ resource }: LogRecord): unknown {
  const name = resource.attributes['service.name'];
  return typeof name === 'string' ? filled(name) : undefined;
}

function filled(text: unknown): unknown {
  return text === '' ? undefined : text;
}

function inMap(map: Attributes, path: AttributePath): unknown {
  if (Object.hasOwn(map, path.name) && map[path.name] !== undefined) return map[path.name];
  for (const { name, rest } of path.nested) {
    const found = Object.hasOwn(map, name) ? inValue(map[name], rest) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value under a path inside a value: names of maps, numbers of lists. */
function inValue(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  const map = value as Attributes;
  if (Object.hasOwn(map, path)) return map[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const first = path.slice(0, dot);
    const found = Object.hasOwn(map, first) ? inValue(map[first], path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
