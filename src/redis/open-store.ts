import type { Target } from '../codec/template.js';
import type { ResolvedRetention, ResolvedWriterOptions } from '../options/types.js';
import type { Runtime } from '../pipeline/runtime.js';
import { Acknowledgement } from './acknowledgement.js';
import { type ConnectionEvents, RedisConnection } from './connection.js';
import { ResourceGate } from './resource-gate.js';
import { type RetentionEvents, StreamRetention } from './retention-keeper.js';
import { RedisLogStore, type StoreOptions } from './store.js';

const CONNECT_TIMEOUT_MS = 5_000;

export interface OpenStoreParts
  extends RetentionEvents, Pick<StoreOptions, 'unconfirmed' | 'resourceFailed'> {
  readonly options: ResolvedWriterOptions;
  readonly target: Target;
  readonly runtime: Runtime;
  /** Told of every change of the connection's state. */
  readonly state: ConnectionEvents['state'];
}

export interface OpenStore {
  readonly store: RedisLogStore;
  readonly connection: RedisConnection;
}

/** Whether there is anything that a batch cannot do by itself. */
function needsMore({ keepFor, maxMemoryShare }: ResolvedRetention): boolean {
  return keepFor !== undefined || maxMemoryShare !== undefined;
}

/** The pipeline's way to Redis, not connected yet. */
export function openStore({ options, target, runtime, ...tell }: OpenStoreParts): OpenStore {
  const { acknowledge: kind, sendTimeoutMs, retention } = options;
  const connection: RedisConnection = new RedisConnection(options.connection, {
    settings: {
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, sendTimeoutMs),
      connectionName: 'nestjs-redis-log',
    },
    runtime,
    events: {
      state: (state, ...why) => {
        store.stateChanged(state);
        tell.state(state, ...why);
      },
    },
  });
  const storeOptions = {
    target,
    trim: retention,
    retention: needsMore(retention)
      ? (stream: string) =>
          new StreamRetention(stream, {
            connection,
            retention,
            runtime,
            timeoutMs: sendTimeoutMs,
            allowsScripts: options.delivery === 'exactly-once',
            events: tell,
          })
      : undefined,
    sendTimeoutMs,
    trimFailed: tell.trimFailed,
    resourceFailed: tell.resourceFailed,
    unconfirmed: tell.unconfirmed,
    acknowledgement:
      kind === 'written' ? undefined : new Acknowledgement({ connection, kind, sendTimeoutMs, runtime }),
  };
  const store: RedisLogStore = new RedisLogStore(connection, storeOptions, new ResourceGate(runtime));
  return { store, connection };
}
