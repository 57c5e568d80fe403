/**
 * The notation in which vectors.json says what a record is. It is plain JSON, and deliberately not the wire
 * contract's own way of writing values, so that a reader in any language can check itself against it.
 */
import type { DecodedLogRecord } from '../../../src/codec/decode.js';
import type { Attributes, HrTime, LogRecord } from '../../../src/record/log-record.js';

/** The kind of the value, then its content: numbers in digits, bytes in hex, maps as pairs in their order. */
export type ValueNote =
  | readonly ['text', string]
  | readonly ['number', string]
  | readonly ['boolean', boolean]
  | readonly ['null']
  | readonly ['undefined']
  | readonly ['bigint', string]
  | readonly ['bytes', string]
  | readonly ['list', readonly ValueNote[]]
  | readonly ['map', readonly PairNote[]];

export type PairNote = readonly [name: string, value: ValueNote];

export interface RecordNote {
  readonly timestamp: string;
  readonly observedTimestamp: string;
  readonly severityNumber: number | null;
  readonly severityText: string | null;
  /** Null where the record has no body; a body that is null is `["null"]`. */
  readonly body: ValueNote | null;
  readonly span: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number } | null;
  readonly eventName: string | null;
  readonly scope: {
    readonly name: string;
    readonly version: string | null;
    readonly schemaUrl: string | null;
    readonly attributes: readonly PairNote[];
    readonly droppedAttributesCount: number;
  };
  readonly resource: { readonly attributes: readonly PairNote[]; readonly schemaUrl: string | null };
  readonly attributes: readonly PairNote[];
  readonly droppedAttributesCount: number;
  readonly producer: string | null;
  readonly seq: number | null;
  /** The hash of a resource whose text was not given to the reader. */
  readonly missingResource: string | null;
}

export interface Vector {
  readonly name: string;
  /** `both`: writers write exactly these fields. `read`: readers must understand them. */
  readonly direction: 'both' | 'read';
  /** The stored texts that the reader is given, by hash. */
  readonly resources: Readonly<Record<string, string>>;
  /** Names and values, as they are after UTF-8. */
  readonly fields: readonly string[];
  /** Null: the entry is malformed. */
  readonly record: RecordNote | null;
}

function numberNote(value: number): ValueNote {
  return ['number', Object.is(value, -0) ? '-0' : String(value)];
}

export function valueNote(value: unknown): ValueNote {
  if (value === null) return ['null'];
  if (value === undefined) return ['undefined'];
  if (typeof value === 'string') return ['text', value];
  if (typeof value === 'number') return numberNote(value);
  if (typeof value === 'boolean') return ['boolean', value];
  if (typeof value === 'bigint') return ['bigint', String(value)];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  if (Array.isArray(value)) return ['list', value.map(valueNote)];
  return ['map', pairNotes(value as Attributes)];
}

function pairNotes(map: Attributes | undefined): PairNote[] {
  return Object.entries(map ?? {}).map(([name, value]) => [name, valueNote(value)]);
}

function timeNote([seconds, nanoseconds]: HrTime): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
}

export function recordNote(record: LogRecord, entry: Partial<DecodedLogRecord> = {}): RecordNote {
  const { spanContext, resource, instrumentationScope: scope } = record;
  return {
    timestamp: timeNote(record.hrTime),
    observedTimestamp: timeNote(record.hrTimeObserved),
    severityNumber: record.severityNumber ?? null,
    severityText: record.severityText ?? null,
    body: record.body === undefined ? null : valueNote(record.body),
    span: spanContext === undefined ? null : { ...spanContext },
    eventName: record.eventName ?? null,
    scope: {
      name: scope.name,
      version: scope.version ?? null,
      schemaUrl: scope.schemaUrl ?? null,
      attributes: pairNotes(scope.attributes),
      droppedAttributesCount: scope.droppedAttributesCount ?? 0,
    },
    resource: { attributes: pairNotes(resource.attributes), schemaUrl: resource.schemaUrl ?? null },
    attributes: pairNotes(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount,
    producer: entry.producer ?? null,
    seq: entry.seq ?? null,
    missingResource: entry.missingResource ?? null,
  };
}
