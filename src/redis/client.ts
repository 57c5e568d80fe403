import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { RedisLogError } from '../errors.js';
import type { ConnectionOptions } from '../options/types.js';
import { hearSocketErrors } from './socket-errors.js';

/** A client of ours: one connection attempt long, never shared, never queueing. */
export type Client = Redis | Cluster;

/** The parts of ioredis that are used at run time; the same in versions 5 and 6. */
export type IoredisModule = Pick<typeof import('ioredis'), 'Redis' | 'Cluster' | 'Command'>;

/**
 * ioredis is the connection and nothing else: its own queue, resending and retrying are off, because they store
 * records twice, grow without bound, or never settle (each measured; see docs/write-path.md). Reconnecting is ours too:
 * every attempt is a new client. The database is selected by us, since ioredis goes on in database 0 when that fails.
 */
const SAFE_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  // We end sockets ourselves; a longer goodbye is a timer that keeps the process alive.
  disconnectTimeout: 0,
  protocol: 2,
  stringNumbers: false,
  db: 0,
} as const;

const CLUSTER_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  clusterRetryStrategy: () => null,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  slotsRefreshTimeout: 2_000,
  scaleReads: 'master',
} as const;

export interface ClientSettings {
  readonly connectTimeoutMs: number;
  readonly connectionName: string;
}

/** Loads ioredis when the first connection is made, so that importing this package does not. */
export async function loadIoredis(): Promise<IoredisModule> {
  try {
    const loaded = await import('ioredis');
    return 'Redis' in loaded ? loaded : (loaded as { default: IoredisModule }).default;
  } catch (cause) {
    throw new RedisLogError(
      'REDIS_LOG_MISSING_PEER',
      'nestjs-redis-log needs the package ioredis to reach Redis: run "npm install ioredis".',
      { subject: 'ioredis', cause },
    );
  }
}

export interface MadeClient {
  readonly client: Client;
  /** The database to select once connected. */
  readonly db: number;
  readonly keyPrefix: string;
}

/** Makes a client that is not connected yet. */
export function makeClient(
  ioredis: IoredisModule,
  connection: ConnectionOptions,
  settings: ClientSettings,
): MadeClient {
  const made = clientOf(ioredis, connection, settings);
  hearSocketErrors(made.client);
  return made;
}

function clientOf(
  ioredis: IoredisModule,
  connection: ConnectionOptions,
  settings: ClientSettings,
): MadeClient {
  const safe = {
    ...SAFE_OPTIONS,
    connectTimeout: settings.connectTimeoutMs,
    connectionName: settings.connectionName,
    commandTimeout: undefined,
    socketTimeout: undefined,
    // It would make a dead link look like an idle stream.
    blockingTimeout: undefined,
  };
  if (isClient(connection))
    return isCluster(connection) ? copyCluster(connection, safe) : copySingle(connection, safe);
  if (typeof connection === 'object' && 'cluster' in connection) {
    const options = (connection.options ?? {}) as ClusterOptions;
    const redisOptions = options.redisOptions ?? {};
    const client = new ioredis.Cluster(
      [...connection.cluster],
      clusterOptions(options, redisOptions, safe) as object,
    );
    return { client, db: 0, keyPrefix: options.keyPrefix ?? redisOptions.keyPrefix ?? '' };
  }
  return singleClient(ioredis, connection, safe);
}

function singleClient(ioredis: IoredisModule, connection: string | RedisOptions, safe: object): MadeClient {
  const given = typeof connection === 'string' ? fromUrl(ioredis, connection) : connection;
  const options = { ...given, ...safe } as RedisOptions;
  return {
    client: new ioredis.Redis(options as object),
    db: Number(given.db ?? 0),
    keyPrefix: given.keyPrefix ?? '',
  };
}

/** What ioredis makes of a URL: it alone knows all its forms. */
function fromUrl(ioredis: IoredisModule, url: string): RedisOptions {
  const path = url.startsWith('unix://') ? url.slice('unix://'.length) : url;
  const probe = new ioredis.Redis(path, { lazyConnect: true });
  const options = { ...probe.options };
  probe.disconnect();
  return options;
}

function copySingle(client: Redis, safe: object): MadeClient {
  const { db, keyPrefix } = client.options;
  return {
    client: client.duplicate(safe as Partial<RedisOptions>),
    db: Number(db ?? 0),
    keyPrefix: keyPrefix ?? '',
  };
}

function copyCluster(client: Cluster, safe: object): MadeClient {
  const options = client.options as ClusterOptions;
  const redisOptions = options.redisOptions ?? {};
  const copy = client.duplicate(undefined, clusterOptions(options, redisOptions, safe) as object);
  return { client: copy, db: 0, keyPrefix: options.keyPrefix ?? redisOptions.keyPrefix ?? '' };
}

function clusterOptions(options: ClusterOptions, redisOptions: object, safe: object): ClusterOptions {
  const { db: _db, lazyConnect: _lazyConnect, ...node } = safe as { db: number; lazyConnect: boolean };
  return { ...options, ...CLUSTER_OPTIONS, redisOptions: { ...redisOptions, ...node } } as ClusterOptions;
}

function isClient(connection: ConnectionOptions): connection is Redis | Cluster {
  return (
    typeof connection === 'object' && 'duplicate' in connection && typeof connection.duplicate === 'function'
  );
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}
