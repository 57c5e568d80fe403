import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { LEFT_OUT, type LogStats } from '../pipeline/account.js';

/** The account at one instant, and how much the queue takes. */
export interface Snapshot extends LogStats {
  readonly capacity: number;
}

export interface Observables {
  readonly instruments: Observable[];
  observe(result: BatchObservableResult, snapshot: Snapshot): void;
}

type Kind = 'counter' | 'level';
type Read = (snapshot: Snapshot) => number;

/** Records that an exporter is done with, by how that ended; `undefined` for those that are stored. */
type Outcomes = (snapshot: Snapshot) => [count: number, errorType: string | undefined][];

const UNIT = '{log_record}';

/** Of the semantic conventions for an SDK's own metrics (semconv 1.45, `otel.sdk.*`, status Development). */
const CONVENTIONS: readonly [Kind, name: string, description: string, Read][] = [
  ['level', 'otel.sdk.processor.log.queue.size', 'Records that wait in the queue.', (s) => s.queued],
  ['level', 'otel.sdk.processor.log.queue.capacity', 'Records that the queue holds.', (s) => s.capacity],
  ['level', 'otel.sdk.exporter.log.inflight', 'Records in a batch without an outcome.', (s) => s.inFlight],
];

/** `stats()`, number by number: emitted + recovered = delivered + queued + spooled + in_flight + unconfirmed + dropped. */
const ACCOUNT: readonly [Kind, name: string, description: string, Read][] = [
  ['counter', 'emitted', 'Records that passed the level check.', (s) => s.emitted],
  ['counter', 'recovered', 'Records that a spool brought from an earlier process.', (s) => s.recovered],
  ['counter', 'delivered', 'Records that Redis confirmed.', (s) => s.delivered],
  ['counter', 'unconfirmed', 'Records sent and not confirmed in time.', (s) => s.unconfirmed],
  ['counter', 'retried', 'Records sent again, once per try.', (s) => s.retried],
  ['counter', 'duplicates_suppressed', 'Records found stored already.', (s) => s.duplicatesSuppressed],
  ['counter', 'possible_duplicates', 'Records that may be stored twice.', (s) => s.possibleDuplicates],
  [
    'counter',
    'trimmed_unacknowledged',
    'Entries trimmed before a group had acknowledged them.',
    (s) => s.trimmedUnacknowledged,
  ],
  ['level', 'queued', 'Records that wait in memory.', (s) => s.queued],
  ['level', 'spooled', 'Records that wait on disk.', (s) => s.spooled],
  ['level', 'in_flight', 'Records in a batch without an outcome.', (s) => s.inFlight],
];

/** Words of the conventions for what we call otherwise. */
const ERROR_TYPES: Readonly<Record<string, string>> = { closed: 'already_shutdown' };

/** What the options leave out never got as far as the processor. */
const processed: Outcomes = (snapshot) => [
  [snapshot.delivered, undefined],
  [snapshot.unconfirmed, 'unconfirmed'],
  ...Object.entries(snapshot.dropped)
    .filter(([reason]) => !LEFT_OUT.has(reason))
    .map(([reason, count]) => [count, ERROR_TYPES[reason] ?? reason] as [number, string]),
];

/** What never got as far as the exporter is the processor's alone. */
const exported: Outcomes = (snapshot) => [
  [snapshot.delivered, undefined],
  [snapshot.unconfirmed, 'unconfirmed'],
  [snapshot.dropped.rejected ?? 0, 'rejected'],
];

/** Makes the instruments, and the function that reads one snapshot into all of them. */
export function observables(meter: Meter, attributes: Attributes): Observables {
  const levels: [Observable, Read][] = [];
  const make = (kind: Kind, name: string, description: string): Observable => {
    const options = { unit: UNIT, description };
    return kind === 'counter'
      ? meter.createObservableCounter(name, options)
      : meter.createObservableUpDownCounter(name, options);
  };
  for (const [kind, name, text, read] of CONVENTIONS) levels.push([make(kind, name, text), read]);
  for (const [kind, name, text, read] of ACCOUNT) {
    levels.push([make(kind, `redis_log.records.${name}`, text), read]);
  }
  const done = [
    [make('counter', 'otel.sdk.processor.log.processed', 'Records with an outcome.'), processed],
    [make('counter', 'otel.sdk.exporter.log.exported', 'Records whose export has finished.'), exported],
  ] as const;
  const dropped = make('counter', 'redis_log.records.dropped', 'Records that were dropped, by reason.');
  return {
    instruments: [
      ...levels.map(([instrument]) => instrument),
      ...done.map(([instrument]) => instrument),
      dropped,
    ],
    observe(result, snapshot) {
      for (const [instrument, read] of levels) result.observe(instrument, read(snapshot), attributes);
      for (const [instrument, outcomes] of done) {
        for (const [count, errorType] of outcomes(snapshot)) {
          if (errorType === undefined) result.observe(instrument, count, attributes);
          else if (count > 0) result.observe(instrument, count, { ...attributes, 'error.type': errorType });
        }
      }
      for (const [reason, count] of Object.entries(snapshot.dropped)) {
        result.observe(dropped, count, { ...attributes, 'redis_log.drop.reason': reason });
      }
    },
  };
}
