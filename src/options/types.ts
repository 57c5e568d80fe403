import type { Cluster, ClusterOptions, ClusterNode, Redis, RedisOptions } from 'ioredis';
import type { LogRecord, Resource } from '../record/log-record.js';
import type { Level } from '../record/severity.js';

/** Where Redis is. A `Redis` or `Cluster` instance is duplicated, never used or closed itself. */
export type ConnectionOptions =
  | string
  | RedisOptions
  | { readonly cluster: readonly ClusterNode[]; readonly options?: ClusterOptions }
  | Redis
  | Cluster;

/** What an OpenTelemetry resource says of the service that logs. */
export interface ServiceOptions {
  /** `service.name`. Default: the name in the nearest package.json, else `unknown_service:node`. */
  readonly name?: string;
  /** `service.version`. Default: the version in the nearest package.json when the name comes from there. */
  readonly version?: string;
  /** `service.namespace`. No default. */
  readonly namespace?: string;
  /** `service.instance.id`. Default: a random UUID, one per process start. */
  readonly instanceId?: string;
  /** `deployment.environment.name`. Default: `NODE_ENV` when it is set. */
  readonly environment?: string;
}

/** How long a stream may grow. Both limits may hold at once; trimming is approximate (whole stream nodes). */
export interface RetentionOptions {
  /** Entries kept. Default 1,000,000 (about 350 MB). */
  readonly maxLength?: number;
  /** Age kept, in milliseconds, by the server's clock. No default. */
  readonly maxAgeMs?: number;
}

/** What goes into one write. A batch leaves as soon as the line is free, or when one of the limits is met. */
export interface BatchOptions {
  /** Records, 1 to 5,000. Default 256: a batch is one script call, and a script blocks the server. */
  readonly maxRecords?: number;
  /** Encoded bytes, at least 1,024. Default 1 MiB. */
  readonly maxBytes?: number;
  /** How long a record may wait for company, in milliseconds. Default 0: it leaves on the next tick. */
  readonly maxDelayMs?: number;
  /** Batches on their way at once, 1 to 64. Default 4. */
  readonly maxInFlight?: number;
}

/** What waits in memory while Redis is slow or away. */
export interface QueueOptions {
  /** Records. Default 100,000. */
  readonly maxRecords?: number;
  /** Encoded bytes. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Which of the least severe records makes room when the queue is full. Default `drop-oldest`. */
  readonly overflow?: 'drop-oldest' | 'drop-newest';
}

export interface SpoolOptions {
  /** Directory for the disk spool; a sub-directory per process is made in it. */
  readonly directory: string;
  /** Most bytes on disk. Default 1 GiB. */
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

/** The stream of a record. At most 64 different names a process; later new names go to the default stream. */
export type StreamOption = string | ((record: LogRecord) => string);

/** Options of the writer, the exporter and, with {@link RedisLoggerOptions}, of `RedisLogModule`. All optional. */
export interface RedisLogWriterOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. */
  readonly connection?: ConnectionOptions;
  /** Default `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, else from package.json. */
  readonly service?: ServiceOptions;
  /** Default `REDIS_LOG_STREAM`, else `logs:<service.name>`. */
  readonly stream?: StreamOption;
  /** Default `REDIS_LOG_MAX_LENGTH`, `REDIS_LOG_MAX_AGE_MS`, else 1,000,000 entries. `false`: trimmed elsewhere. */
  readonly retention?: RetentionOptions | false;
  readonly batch?: BatchOptions;
  readonly queue?: QueueOptions;
  /** How long one send may take, in milliseconds. Default `OTEL_BLRP_EXPORT_TIMEOUT`, else 10,000. */
  readonly sendTimeoutMs?: number;
  /** How long shutdown may take in all, in milliseconds. Default `REDIS_LOG_SHUTDOWN_TIMEOUT_MS`, else 5,000. */
  readonly shutdownTimeoutMs?: number;
  /** Default `REDIS_LOG_DELIVERY`, else `exactly-once`, or `at-least-once` where Redis allows no scripts. */
  readonly delivery?: 'exactly-once' | 'at-least-once';
  /** When a record counts as delivered. Default `written`. */
  readonly acknowledge?: 'written' | 'replicated' | 'fsynced';
  /** Default `REDIS_LOG_SPOOL` (a directory), else `false`. */
  readonly spool?: SpoolOptions | false;
  /** Default `REDIS_LOG_FORMAT`, else `fields`. */
  readonly format?: Format;
  /** Attributes as fields of their own, as one JSON field, or the named ones as fields. Default `fields`. */
  readonly attributes?: 'fields' | 'json' | readonly string[];
  /** Paths to censor. The logger adds its safe list; the exporter alone redacts only what is named. */
  readonly redact?: readonly string[] | RedactOptions | false;
  /** `lazy` (default): the first record connects. `eager`: `RedisLogModule` connects at its init. */
  readonly connect?: 'lazy' | 'eager';
  /** OpenTelemetry resource of records that bring none. Default: made from `service`. */
  readonly resource?: Resource;
}

/** Options that concern Nest's logger; beside those of the writer they are the options of `RedisLogModule`. */
export interface RedisLoggerOptions {
  /** Least severe level written. Default `REDIS_LOG_LEVEL`, `NEST_LOG_LEVEL`, else `log`. */
  readonly level?: Level;
  /** Level by context; a trailing `*` matches any rest. The longest match wins. */
  readonly levels?: Readonly<Record<string, Level>>;
  /** Output beside Redis. Default `REDIS_LOG_CONSOLE`, else `pretty` on a terminal and `false` elsewhere. */
  readonly console?: 'pretty' | 'json' | false;
  /** `false`: Nest's ConsoleLogger and no socket at all. Default `REDIS_LOG_ENABLED`, else `true`. */
  readonly enabled?: boolean;
  /** Request logging. Default `false`. */
  readonly http?: boolean;
}

/** A value with every default filled in. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

export interface ResolvedRetention {
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
}

export interface ResolvedRedact {
  readonly paths: readonly string[];
  readonly censor: Censor;
}

/** What the resolver returns: frozen, complete, valid. */
export interface ResolvedWriterOptions {
  readonly connection: ConnectionOptions;
  readonly service: { readonly name: string } & Omit<ServiceOptions, 'name'>;
  /** Attributes of the resource that `service` and the environment describe. */
  readonly resource: Resource;
  readonly stream: StreamOption;
  /** The stream of records for which `stream` is a function that fails. */
  readonly defaultStream: string;
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
  readonly http: boolean;
}
