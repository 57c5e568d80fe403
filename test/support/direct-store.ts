import { FieldsEncoder, type EntryEncoder } from '../../src/codec/entry-encoder.js';
import { RespWriter } from '../../src/codec/resp-writer.js';
import type { Batch } from '../../src/pipeline/batch.js';
import { systemRuntime } from '../../src/pipeline/runtime.js';
import { StreamQueue } from '../../src/pipeline/stream-queue.js';
import type { Resource } from '../../src/record/log-record.js';
import { RedisConnection } from '../../src/redis/connection.js';
import { ResourceGate } from '../../src/redis/resource-gate.js';
import { RedisLogStore, type StoreOptions } from '../../src/redis/store.js';
import { until } from './until.js';

const RESOURCE: Resource = { attributes: { 'service.name': 'direct' } };
const UNLIMITED = { maxRecords: 10_000, maxBytes: 1e9 };

export interface DirectStore extends AsyncDisposable {
  readonly store: RedisLogStore;
  /** What could not be trimmed, by the first word of the error. */
  readonly trimFailures: string[];
}

/** The write path's Redis without the pipeline above it: requests as a test makes them up, replies as they come. */
export async function openDirectStore(
  url: string,
  options: Partial<StoreOptions> = {},
): Promise<DirectStore> {
  const trimFailures: string[] = [];
  const connection: RedisConnection = new RedisConnection(url, {
    settings: { connectTimeoutMs: 2_000, connectionName: 'direct' },
    runtime: systemRuntime,
    events: { state: (state) => store.stateChanged(state) },
  });
  const settings: StoreOptions = {
    target: 'stream',
    trim: { maxLength: undefined, maxAgeMs: undefined },
    sendTimeoutMs: 5_000,
    trimFailed: (_, { token }) => trimFailures.push(token),
    resourceFailed: () => {},
    acknowledgement: undefined,
    unconfirmed: () => {},
    ...options,
  };
  const store: RedisLogStore = new RedisLogStore(connection, settings, new ResourceGate(systemRuntime));
  store.connect();
  await until(() => store.state === 'ready', { what: 'a connection' });
  return {
    store,
    trimFailures,
    [Symbol.asyncDispose]: () => {
      store.close();
      return Promise.resolve();
    },
  };
}

export interface BatchParts {
  readonly first: number;
  readonly encoder?: EntryEncoder;
  readonly resource?: Resource;
}

/** A batch of records with these bodies, numbered from `first`. */
export function batchOf(bodies: readonly string[], parts: BatchParts): Batch {
  const { encoder = new FieldsEncoder(), resource = RESOURCE } = parts;
  const queue = new StreamQueue({ records: 0, bytes: 0 });
  const out = new RespWriter();
  for (const [at, body] of bodies.entries()) {
    const record = {
      hrTime: [1_763_700_000, at] as [number, number],
      hrTimeObserved: [1_763_700_000, at] as [number, number],
      severityNumber: 9,
      body,
      resource,
      instrumentationScope: { name: 'direct' },
      attributes: { at },
      droppedAttributesCount: 0,
    };
    queue.push({ severity: 2, template: encoder.encode(record, out) }, out, at + 1);
  }
  const batch = queue.take(UNLIMITED);
  if (batch === undefined) throw new Error('A batch needs records.');
  batch.first = parts.first;
  return batch;
}
