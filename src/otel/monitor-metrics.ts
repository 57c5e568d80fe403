import * as api from '@opentelemetry/api';
import type { GroupSample, MonitorSample, ServerSample, StreamSample } from '../monitor/types.js';

type Kind = 'gauge' | 'counter';
type Row<T> = readonly [
  kind: Kind,
  name: string,
  unit: string,
  description: string,
  read: (sample: T) => number | undefined,
];

/*
 * In the Prometheus translation these become the names of redis_exporter, with its labels, so that its boards work;
 * docs/monitoring.md marks those that are ours. What is not known has no point.
 */
const OF_EVERY_STREAM: readonly Row<StreamSample>[] = [
  [
    'gauge',
    'redis.stream.readable',
    '{status}',
    '1 while it can be read, 0 while it cannot.',
    (s) => flag(s.problem === undefined),
  ],
];

/** Of streams that can be read. */
const OF_STREAM: readonly Row<StreamSample>[] = [
  ['gauge', 'redis.stream.length', '{entry}', 'Entries in the stream.', (s) => s.length],
  ['counter', 'redis.stream.entries.added', '{entry}', 'Entries ever added.', (s) => s.entriesAdded],
  ['gauge', 'redis.stream.groups', '{group}', 'Consumer groups.', (s) => s.groups.length],
  ['gauge', 'redis.stream.memory.usage', 'By', 'Memory of the stream, estimated.', (s) => s.memoryBytes],
  ['gauge', 'redis.stream.entry.age.max', 's', 'Age of the oldest entry.', (s) => seconds(s.oldestAgeMs)],
  ['gauge', 'redis.stream.entry.age.min', 's', 'Age of the newest entry.', (s) => seconds(s.newestAgeMs)],
  [
    'gauge',
    'redis.stream.dead_letters',
    '{entry}',
    'Entries in its dead-letter stream.',
    (s) => s.deadLetters,
  ],
  [
    'gauge',
    'redis.stream.records.missing',
    '{record}',
    'Records of the producers seen that were stored and are missing.',
    missingOf,
  ],
  [
    'gauge',
    'redis.stream.errors.new',
    '{message}',
    'Error messages of the last minutes that were never seen before.',
    (s) => s.errors?.newMessages.length,
  ],
  [
    'gauge',
    'redis.stream.errors.recent',
    '{record}',
    'Records of severity 17 or above in the last 5 minutes or a little more.',
    (s) => s.errors?.count,
  ],
  [
    'gauge',
    'redis.stream.errors.share',
    '1',
    'Their part of all records of that time.',
    (s) => s.errors?.share,
  ],
  [
    'gauge',
    'redis.stream.errors.share.usual',
    '1',
    'Their part in the hour before.',
    (s) => s.errors?.usualShare,
  ],
];

const OF_GROUP: readonly Row<GroupSample>[] = [
  ['gauge', 'redis.stream.group.consumers', '{consumer}', 'Consumers.', (g) => g.consumers.length],
  [
    'gauge',
    'redis.stream.group.messages.pending',
    '{entry}',
    'Delivered, not acknowledged.',
    (g) => g.pending,
  ],
  [
    'gauge',
    'redis.stream.group.entries.read',
    '{entry}',
    "Redis' count of entries read.",
    (g) => g.entriesRead,
  ],
  ['gauge', 'redis.stream.group.lag', '{entry}', 'Entries not yet delivered.', lagOf],
  ['gauge', 'redis.stream.group.lag.time', 's', 'Age of the oldest of them.', (g) => seconds(g.timeBehindMs)],
  [
    'gauge',
    'redis.stream.group.pending.age.max',
    's',
    'How long the oldest pending entry has been pending.',
    (g) => (g.oldestPending === undefined ? 0 : seconds(g.oldestPending.pendingForMs)),
  ],
  ['gauge', 'redis.stream.group.entries.lost', '{entry}', 'Entries trimmed before they were read.', lostOf],
  [
    'gauge',
    'redis.stream.group.loss.forecast',
    's',
    'Time until entries are trimmed unread.',
    (g) => seconds(g.losingInMs),
  ],
  [
    'gauge',
    'redis.stream.group.retention.used',
    '1',
    'Lag and pending against what is kept.',
    (g) => g.retentionUsed,
  ],
];

const OF_SERVER: readonly Row<ServerSample>[] = [
  ['gauge', 'redis.memory.used', 'By', 'Memory in use.', (s) => s.memoryUsedBytes],
  ['gauge', 'redis.memory.max', 'By', 'maxmemory, 0 for none.', (s) => s.memoryMaxBytes],
  ['counter', 'redis.evicted.keys', '{key}', 'Keys evicted.', (s) => s.evictedKeys],
  [
    'gauge',
    'redis.persistence.ok',
    '{status}',
    '0 when the last snapshot or the last write to the append-only file failed, else 1.',
    (s) => flag(s.persistenceOk),
  ],
];

const STATUSES = ['OK', 'BEHIND', 'STALLED', 'STUCK', 'NO CONSUMER', 'LOSING', 'UNKNOWN'] as const;

/** A monitor's last sample as metrics of the global meter provider, which may come later than the monitor, or change. */
export class MonitorMetrics {
  readonly #last: () => MonitorSample | undefined;
  #provider: api.MeterProvider | undefined;
  #unbind: (() => void) | undefined;

  constructor(last: () => MonitorSample | undefined) {
    this.#last = last;
  }

  /** Binds to the provider that is global now; to be called now and then. Never throws. */
  look(): void {
    const provider = api.metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#provider = provider;
    try {
      this.#unbind?.();
      this.#unbind = bind(provider.getMeter('nestjs-redis-log'), this.#last);
    } catch {
      // No metrics with that one; another may come.
    }
  }

  close(): void {
    try {
      this.#unbind?.();
    } catch {
      // It is gone, then.
    }
    this.#unbind = undefined;
  }
}

function bind(meter: api.Meter, last: () => MonitorSample | undefined): () => void {
  const every = instruments(meter, OF_EVERY_STREAM);
  const streams = instruments(meter, OF_STREAM);
  const groups = instruments(meter, OF_GROUP);
  const servers = instruments(meter, OF_SERVER);
  const consumers = consumerInstruments(meter);
  const callback = (result: api.BatchObservableResult): void => {
    const sample = last();
    if (sample === undefined) return;
    const observe = observing(result);
    for (const server of sample.servers) observe(servers, server, { server: server.address });
    for (const stream of sample.streams) {
      observe(every, stream, { stream: stream.stream });
      if (stream.problem !== undefined) continue;
      observe(streams, stream, { stream: stream.stream });
      for (const group of stream.groups) {
        observe(groups, group, { stream: stream.stream, group: group.group });
        consumers.observe(result, group);
      }
    }
  };
  const rows = [...every, ...streams, ...groups, ...servers].map(([instrument]) => instrument);
  const observables = [...rows, ...consumers.instruments];
  meter.addBatchObservableCallback(callback, observables);
  return () => meter.removeBatchObservableCallback(callback, observables);
}

function consumerInstruments(meter: api.Meter): {
  readonly instruments: api.Observable[];
  observe(result: api.BatchObservableResult, group: GroupSample): void;
} {
  const gauge = (name: string, unit: string, description: string): api.Observable =>
    meter.createObservableGauge(name, { unit, description });
  const idle = gauge('redis.stream.group.consumer.idle', 's', 'Since it last asked for anything.');
  const pending = gauge('redis.stream.group.consumer.messages.pending', '{entry}', 'What it holds.');
  const status = gauge(
    'redis.stream.group.status',
    '{status}',
    '1 for the status the group has, 0 for the others.',
  );
  return {
    instruments: [idle, pending, status],
    observe(result, { stream, group, consumers, status: now }) {
      for (const name of STATUSES)
        result.observe(status, name === now ? 1 : 0, { stream, group, status: name });
      for (const consumer of consumers) {
        const attributes = { stream, group, consumer: consumer.name };
        result.observe(idle, consumer.idleMs / 1000, attributes);
        result.observe(pending, consumer.pending, attributes);
      }
    },
  };
}

type Instrument<T> = readonly [api.Observable, (sample: T) => number | undefined];

function instruments<T>(meter: api.Meter, rows: readonly Row<T>[]): Instrument<T>[] {
  return rows.map(([kind, name, unit, description, read]) => {
    const options = { unit, description };
    const instrument =
      kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options);
    return [instrument, read];
  });
}

function observing(result: api.BatchObservableResult) {
  return <T>(rows: readonly Instrument<T>[], of: T, attributes: api.Attributes): void => {
    for (const [instrument, read] of rows) {
      const value = read(of);
      if (value !== undefined) result.observe(instrument, value, attributes);
    }
  };
}

/** Of producers whose guard is gone, nobody can tell. */
function missingOf({ producers }: StreamSample): number | undefined {
  const known = producers.flatMap(({ unexplained }) => unexplained ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0);
}

function flag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** A lower bound would pass for the lag. */
function lagOf({ lag }: GroupSample): number | undefined {
  return lag.kind === 'exact' ? lag.entries : undefined;
}

function lostOf({ lost }: GroupSample): number | undefined {
  return lost.kind === 'unknown' ? undefined : lost.entries;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
