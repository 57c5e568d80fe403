import type { Attributes, LogRecord } from '../record/log-record.js';
import { setOwn } from './names.js';
import type { RespWriter } from './resp-writer.js';
import type { Target, Template } from './template.js';
import {
  type AttributeLayout,
  HAS_DROPPED,
  HAS_EVENT_NAME,
  HAS_OBSERVED,
  type ShapeNode,
  TemplateRegistry,
} from './template-registry.js';
import { formatSpanId, formatTraceFlags, formatTraceId } from './span-context.js';
import { encodeMap } from './tags.js';
import { formatTimestamp } from './timestamp.js';
import { encodeBody, encodeValue } from './value.js';

/** Turns a record into the values of one entry, written into `out`, and says which template they fill. */
export interface EntryEncoder {
  readonly target: Target;
  /** Whether entries carry producer and number, so that a producer's last one can be found again. */
  readonly searchable: boolean;
  encode(record: LogRecord, out: RespWriter): Template;
}

/** The format `fields`: the wire contract, version 1. Same result as `encodeLogRecord`, at a fraction of its cost. */
export class FieldsEncoder implements EntryEncoder {
  readonly target = 'stream';
  readonly searchable = true;
  readonly #registry = new TemplateRegistry();
  readonly #layout: AttributeLayout;
  readonly #spans = new SpanWriter();

  constructor(attributes: 'fields' | 'json' | readonly string[] = 'fields') {
    this.#layout = typeof attributes === 'string' ? attributes : new Set(attributes);
  }

  encode(record: LogRecord, out: RespWriter): Template {
    const { hrTime, eventName, droppedAttributesCount } = record;
    // Records of other makers than the SDK may leave it out.
    const hrTimeObserved = record.hrTimeObserved ?? hrTime;
    let flags = 0;
    if (hrTimeObserved[1] !== hrTime[1] || hrTimeObserved[0] !== hrTime[0]) flags |= HAS_OBSERVED;
    if (eventName) flags |= HAS_EVENT_NAME;
    if (droppedAttributesCount > 0) flags |= HAS_DROPPED;
    const root = this.#registry.root(record, flags);
    out.reset();
    writeTime(hrTime, out);
    out.text(encodeBody(record.body));
    this.#spans.write(record.spanContext, out);
    if (flags & HAS_OBSERVED) writeTime(hrTimeObserved, out);
    if (eventName) out.text(eventName);
    if (flags & HAS_DROPPED) out.integer(droppedAttributesCount);
    return this.#attributes(root, record.attributes, out);
  }

  #attributes(root: ShapeNode, attributes: Attributes, out: RespWriter): Template {
    if (this.#layout !== 'fields') return this.#split(root, attributes, out);
    const names = Object.keys(attributes);
    let node = root;
    // One place is kept for the JSON field, where not all attributes find room as fields.
    const limit = names.length <= root.room ? names.length : root.room - 1;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const child = i < limit ? node.child(name) : undefined;
      if (child === undefined) {
        // All that follows goes with it, so that the order of the attributes survives.
        out.text(encodeMap(pick(attributes, names.slice(i))));
        return node.template(true);
      }
      writeValue(attributes[name], out);
      node = child;
    }
    return node.template(false);
  }

  #split(root: ShapeNode, attributes: Attributes, out: RespWriter): Template {
    let node = root;
    const rest: string[] = [];
    for (const name of Object.keys(attributes)) {
      const isField = typeof this.#layout === 'object' && this.#layout.has(name);
      const child = isField && node.depth < root.room - 1 ? node.child(name) : undefined;
      if (child === undefined) {
        rest.push(name);
        continue;
      }
      writeValue(attributes[name], out);
      node = child;
    }
    // The JSON field is always there: a field that comes and goes would cost more than an empty one.
    out.text(encodeMap(pick(attributes, rest)));
    return node.template(true);
  }
}

function writeTime(time: readonly [number, number], out: RespWriter): void {
  const seconds = time[0];
  const nanoseconds = time[1];
  if (
    seconds >= 1e9 &&
    seconds < 1e10 &&
    nanoseconds >= 0 &&
    nanoseconds < 1e9 &&
    Number.isInteger(seconds) &&
    Number.isInteger(nanoseconds)
  ) {
    out.nanoseconds(seconds, nanoseconds);
  } else {
    out.text(formatTimestamp([seconds, nanoseconds]));
  }
}

function writeValue(value: unknown, out: RespWriter): void {
  if (typeof value !== 'number' || !out.number(value)) out.text(encodeValue(value));
}

const NO_SPAN = Buffer.from('$0\r\n\r\n'.repeat(3));

/** Records come in runs of one request, so the fields of the last span are kept as bytes. */
class SpanWriter {
  /** Of their exact size, since part of a buffer is copied at thrice the cost. Empty where nothing is kept. */
  #kept = Buffer.alloc(0);
  #traceId: unknown;
  #spanId: unknown;
  #traceFlags: unknown;

  write(span: LogRecord['spanContext'], out: RespWriter): void {
    if (span === undefined) return out.raw(NO_SPAN);
    const { traceId, spanId, traceFlags } = span;
    const isKept = traceId === this.#traceId && spanId === this.#spanId && traceFlags === this.#traceFlags;
    if (isKept && this.#kept.length > 0) return out.raw(this.#kept);
    const start = out.length;
    out.text(formatTraceId(traceId));
    out.text(formatSpanId(spanId));
    out.text(formatTraceFlags(traceFlags));
    const size = out.length - start;
    if (size !== this.#kept.length) this.#kept = Buffer.alloc(size);
    out.bytes.copy(this.#kept, 0, start, out.length);
    this.#traceId = traceId;
    this.#spanId = spanId;
    this.#traceFlags = traceFlags;
  }
}

function pick(attributes: Attributes, names: readonly string[]): Attributes {
  const picked: Attributes = {};
  for (const name of names) setOwn(picked, name, attributes[name]);
  return picked;
}
