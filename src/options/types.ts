import type { Cluster, ClusterOptions, ClusterNode, Redis, RedisOptions } from 'ioredis';
import type { LogRecord, Resource } from '../record/log-record.js';
import type { Level } from '../record/severity.js';
import type { HttpLogOptions, ResolvedHttpOptions } from './http-types.js';
import type { InsightsOptions, ResolvedInsights } from './insights-types.js';
import type { DeduplicateOptions, RateLimitOptions, ResolvedNoise, SamplingOptions } from './noise-types.js';
import type { PartitionOptions } from './partition-types.js';
import type { ResolvedRetention, RetentionOptions } from './retention-types.js';

export type * from './http-types.js';
export type * from './insights-types.js';
export type * from './noise-types.js';
export type * from './partition-types.js';
export type * from './retention-types.js';

/**
 * Where Redis is: a `redis://` or `rediss://` URL with percent-encoded user and password, a socket path
 * (`/path` or `unix:///path`), options of ioredis (with `sentinels` and `name` for Sentinel), the nodes of a
 * Cluster, or a client. A `Redis` or `Cluster` instance is duplicated, never used or closed itself.
 */
export type ConnectionOptions =
  | string
  | RedisOptions
  | { readonly cluster: readonly ClusterNode[]; readonly options?: ClusterOptions }
  | Redis
  | Cluster;

/**
 * What an OpenTelemetry resource says of the service that logs. For each of them the environment comes before
 * the default: `OTEL_SERVICE_NAME` for the name, else the attribute in `OTEL_RESOURCE_ATTRIBUTES`.
 */
export interface ServiceOptions {
  /** `service.name`. Default: the name in the nearest package.json, else `unknown_service:node`. */
  readonly name?: string;
  /** `service.version`. Default: the version in the nearest package.json when the name comes from there. */
  readonly version?: string;
  /** `service.namespace`. No default. */
  readonly namespace?: string;
  /** `service.instance.id`. Default: a random UUID, one per process. */
  readonly instanceId?: string;
  /** `deployment.environment.name`. Default: `NODE_ENV` when it is set. */
  readonly environment?: string;
}

/** What goes into one write. A batch leaves as soon as the line is free, or when one of the limits is met. */
export interface BatchOptions {
  /**
   * Records, 1 to 5,000. Default `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE`, else 256 (a batch is one script call, and a
   * script blocks the server), or the whole of a smaller queue.
   */
  readonly maxRecords?: number;
  /** Encoded bytes, 1 KiB to 64 MiB. Default 1 MiB, or the whole of a smaller queue. */
  readonly maxBytes?: number;
  /**
   * How long a record may wait for company, in milliseconds, 0 to 60,000. Default `OTEL_BLRP_SCHEDULE_DELAY`,
   * else 0: it leaves on the next tick.
   */
  readonly maxDelayMs?: number;
  /** Batches on their way at once, 1 to 64. Default 4. */
  readonly maxInFlight?: number;
}

/** What waits in memory while Redis is slow or away. Both limits have room for at least one batch. */
export interface QueueOptions {
  /** Records, 1 to 10,000,000. Default `OTEL_BLRP_MAX_QUEUE_SIZE`, else 100,000. */
  readonly maxRecords?: number;
  /** Encoded bytes, 1 KiB to 4 GiB. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Which of the least severe records makes room when the queue is full. Default `drop-oldest`. */
  readonly overflow?: 'drop-oldest' | 'drop-newest';
}

export interface SpoolOptions {
  /** Directory for the disk spool; a sub-directory per process is made in it. */
  readonly directory: string;
  /** Most bytes on disk, 1 MiB to 10^12. Default 1 GiB. */
  readonly maxBytes?: number;
}

/** What a censor function is told: the value found and the path to it, for example `['headers', 'cookie']`. */
export type Censor = string | ((value: unknown, path: readonly string[]) => unknown);

export interface RedactOptions {
  /** Paths in pino's syntax: `password`, `headers.cookie`, `users[*].token`, `*.secret`, `["x-api-key"]`. */
  readonly paths: readonly string[];
  /** What stands in the place of a secret. Default `[Redacted]`. */
  readonly censor?: Censor;
}

/** A format of your own: turns a record into what one stream entry, or one list item, holds. */
export interface StreamEncoder {
  /** `stream`: `encode` returns name/value pairs for XADD. `list`: it returns one item for RPUSH. */
  readonly target: 'stream' | 'list';
  encode(record: LogRecord): string[] | string;
}

export type Format = 'fields' | 'json' | 'list' | 'plumelog' | StreamEncoder;

/**
 * The stream of a record. A name may hold `}` only where it has a hash tag of Redis Cluster, such as `{logs}`.
 * At most 64 different names a process, partitions included; later new names go to the default stream,
 * `logs:<service.name>`.
 */
export type StreamOption = string | ((record: LogRecord) => string);

/**
 * Options of the writer, the exporter and, with {@link RedisLoggerOptions}, of `RedisLogModule`. All optional;
 * `undefined` counts as not given, an unknown key is an error. Numbers are whole.
 */
export interface RedisLogWriterOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  readonly connection?: ConnectionOptions;
  /** Default `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, else `resource`, else from package.json. */
  readonly service?: ServiceOptions;
  /** Default `REDIS_LOG_STREAM`, else `logs:<service.name>`. */
  readonly stream?: StreamOption;
  /**
   * Splits each stream into so many, for more than one server or consumer can take. Not for lists. Default
   * `REDIS_LOG_PARTITIONS`, else 1.
   */
  readonly partitions?: number | PartitionOptions;
  /** Default `REDIS_LOG_MAX_LENGTH`, `REDIS_LOG_MAX_AGE_MS`, else 1,000,000 entries. `false`: trimmed elsewhere. */
  readonly retention?: RetentionOptions | false;
  readonly batch?: BatchOptions;
  readonly queue?: QueueOptions;
  /** How long one send may take, in milliseconds, 1 to 600,000. Default `OTEL_BLRP_EXPORT_TIMEOUT`, else 10,000. */
  readonly sendTimeoutMs?: number;
  /**
   * How long shutdown may take in all, in milliseconds, 1 to 600,000. Default `REDIS_LOG_SHUTDOWN_TIMEOUT_MS`,
   * else 5,000.
   */
  readonly shutdownTimeoutMs?: number;
  /** Default `REDIS_LOG_DELIVERY`, else `exactly-once`, or `at-least-once` where Redis allows no scripts. */
  readonly delivery?: 'exactly-once' | 'at-least-once';
  /**
   * When a record counts as delivered. `written` (default): Redis has it in memory, and usually a moment later on its
   * disk and replicas. `replicated`: one replica has confirmed it (WAIT), which a failover cannot take back where there
   * is one replica. `fsynced`: the server's append-only file has been synced to disk (WAITAOF; Redis 7.2 or Valkey 7.2
   * and later). Neither of the two is for a Cluster. A server that cannot confirm is told of on stderr, and records wait.
   */
  readonly acknowledge?: 'written' | 'replicated' | 'fsynced';
  /** Default `REDIS_LOG_SPOOL` (a directory), else `false`. */
  readonly spool?: SpoolOptions | false;
  /** Default `REDIS_LOG_FORMAT`, else `fields`. */
  readonly format?: Format;
  /** Attributes as fields of their own, as one JSON field, or the named ones as fields. Default `fields`. */
  readonly attributes?: 'fields' | 'json' | readonly string[];
  /** Paths to censor. The logger adds its safe list; the exporter alone redacts only what is named. */
  readonly redact?: readonly string[] | RedactOptions | false;
  /** Default: everything is kept. */
  readonly sampling?: SamplingOptions | false;
  /** Default: no limit. */
  readonly rateLimit?: RateLimitOptions | false;
  /** Default `false`. `true` is `{ windowMs: 10_000 }`. */
  readonly deduplicate?: DeduplicateOptions | boolean;
  /** `lazy` (default): the first record connects. `eager`: `RedisLogModule` connects at its init. */
  readonly connect?: 'lazy' | 'eager';
  /** OpenTelemetry resource of records that bring none, taken as it is. Default: made from `service`. */
  readonly resource?: Resource;
}

/** As much of OpenTelemetry's `LogRecordProcessor` as is called; of all its versions. */
export interface LogProcessor {
  /** `record` is an `SdkLogRecord`: it can be changed until the call returns. `context`: the OpenTelemetry context. */
  onEmit(record: object, context?: object): void;
  forceFlush?(): Promise<void>;
  shutdown?(): Promise<void>;
}

/** Options that concern Nest's logger; beside those of the writer they are the options of `RedisLogModule`. */
export interface RedisLoggerOptions {
  /**
   * Least severe level written. Default `REDIS_LOG_LEVEL`, `NEST_LOG_LEVEL` (each in Nest's forms `warn`,
   * `>=debug`, `warn,error`), else `log`.
   */
  readonly level?: Level;
  /** Level by context; a trailing `*` matches any rest. The longest match wins. */
  readonly levels?: Readonly<Record<string, Level>>;
  /** Output beside Redis. Default `REDIS_LOG_CONSOLE`, else `pretty` on a terminal and `false` elsewhere. */
  readonly console?: 'pretty' | 'json' | false;
  /** `false`: Nest's ConsoleLogger and no socket at all. Default `REDIS_LOG_ENABLED`, else `true`. */
  readonly enabled?: boolean;
  /**
   * Follow the levels that `RedisLogLevels` sets in Redis for all processes of a stream, which is looked for every 3 seconds
   * on the connection that is there anyway. Default `true`.
   */
  readonly fleetLevels?: boolean;
  /**
   * Plain objects after the message are its attributes, and an error after it belongs to it; `false`: each is a record of
   * its own. Default: as the installed Nest reads them, which is `true` for Nest 12 and `false` for Nest 11.
   */
  readonly structuredParams?: boolean;
  /**
   * Once Redis has been away for so many milliseconds, 100 to 86,400,000, print records too until it is back; they are
   * stored later all the same, where they fit the queue. Default: never. No effect where `console` prints already.
   */
  readonly consoleWhenAwayMs?: number;
  /**
   * Log uncaught exceptions and unhandled rejections as FATAL, and get that out, for at most `shutdownTimeoutMs`, before the
   * process ends as it would have. Default `false`.
   */
  readonly captureCrashes?: boolean;
  /** Further log record processors of OpenTelemetry, which see every record before it is written. Default none. */
  readonly processors?: readonly LogProcessor[];
  /** One record for every HTTP request, on Express and on Fastify; `true` is `{}`. Default `false`. */
  readonly http?: HttpLogOptions | boolean;
  /** Count the messages of the stream, for `LogInsights.common`; `true` is `{}`. Default `false`. */
  readonly insights?: InsightsOptions | boolean;
}

/** A value with every default filled in. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

export interface ResolvedRedact {
  readonly paths: readonly string[];
  readonly censor: Censor;
}

/** What the resolver returns: complete, valid, and frozen but for what belongs to the user. */
export interface ResolvedWriterOptions {
  readonly connection: ConnectionOptions;
  readonly service: { readonly name: string } & Omit<ServiceOptions, 'name'>;
  /** The `resource` given, else one made of `service`, the environment, host and process. */
  readonly resource: Resource;
  readonly stream: StreamOption;
  /** The stream of records for which `stream` is a function that fails. */
  readonly defaultStream: string;
  readonly partitions: Complete<PartitionOptions>;
  readonly retention: ResolvedRetention;
  readonly batch: Complete<BatchOptions>;
  readonly queue: Complete<QueueOptions>;
  readonly sendTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly delivery: 'exactly-once' | 'at-least-once';
  /** True when the user asked for this `delivery`: then it is not weakened silently. */
  readonly deliveryIsExplicit: boolean;
  readonly acknowledge: 'written' | 'replicated' | 'fsynced';
  readonly spool: Complete<SpoolOptions> | false;
  readonly format: Format;
  readonly attributes: 'fields' | 'json' | readonly string[];
  readonly noise: ResolvedNoise;
  /** `undefined`: nothing was said, so the logger uses its safe list and the exporter nothing. */
  readonly redact: ResolvedRedact | false | undefined;
  readonly connect: 'lazy' | 'eager';
}

export interface ResolvedLoggerOptions {
  readonly level: Level;
  readonly levels: Readonly<Record<string, Level>>;
  readonly console: 'pretty' | 'json' | false;
  /** True when `console` was neither given nor set in the environment. */
  readonly consoleIsDefault: boolean;
  readonly enabled: boolean;
  readonly fleetLevels: boolean;
  readonly structuredParams: boolean | undefined;
  readonly consoleWhenAwayMs: number | undefined;
  readonly captureCrashes: boolean;
  readonly processors: readonly LogProcessor[];
  readonly http: ResolvedHttpOptions | false;
  readonly insights: ResolvedInsights | false;
}
