import * as v from 'valibot';
import { addContradictions, completeInsights } from '../../options/insights.js';
import type { InsightsOptions, ResolvedInsights } from '../../options/insights-types.js';
import { Problems } from '../../options/problems.js';
import { resolveSharedOptions } from '../../options/resolve.js';
import { GROUPS, unknownKey, whole } from '../../options/schema.js';
import { isStreamName } from '../../options/stream-name.js';
import type {
  ConnectionOptions,
  PartitionOptions,
  ResolvedWriterOptions,
  ServiceOptions,
} from '../../options/types.js';
import { addProblems, matching, VAST } from '../options.js';
import { levelNamed } from './level-named.js';
import { isWindow } from './window.js';

/** Options of {@link InsightsCounter}. All optional; an unknown key is an error. */
export interface InsightsCounterOptions extends InsightsOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. Always copied, never used itself. */
  readonly connection?: ConnectionOptions;
  /** Default `REDIS_LOG_STREAM`, else `logs:<service.name>`. */
  readonly stream?: string;
  /** As the producers of the stream have it; only the number counts. Default `REDIS_LOG_PARTITIONS`, else 1. */
  readonly partitions?: number | PartitionOptions;
  /** Only for the default of `stream`. */
  readonly service?: ServiceOptions;
  /** After so many milliseconds of silence others take over what a counter holds, 100 to 86,400,000. Default 30,000. */
  readonly minIdleMs?: number;
  /** How long one command may take, in milliseconds, 1 to 600,000. Default 10,000. */
  readonly sendTimeoutMs?: number;
  /** How long `close()` may take, 1 to 600,000. Default `REDIS_LOG_SHUTDOWN_TIMEOUT_MS`, else 5,000. */
  readonly shutdownTimeoutMs?: number;
}

export interface ResolvedCounterOptions {
  readonly connection: ConnectionOptions;
  readonly stream: string;
  readonly partitions: number;
  readonly minIdleMs: number;
  readonly sendTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly counting: ResolvedInsights;
}

const MIN_IDLE_MS = 30_000;
const MAX_LIMIT = 10_000;
const limit = whole(1, MAX_LIMIT);

const COUNTER_OPTIONS = v.objectWithRest(
  {
    ...GROUPS.insights,
    connection: v.optional(v.any()),
    service: v.optional(v.any()),
    stream: matching<string>('the name of a stream', isStreamName),
    partitions: v.optional(v.any()),
    minIdleMs: whole(100, 86_400_000),
    sendTimeoutMs: v.optional(v.any()),
    shutdownTimeoutMs: v.optional(v.any()),
  },
  unknownKey,
);

const section = {
  service: matching<string>('the name of a service', (value) => typeof value === 'string'),
  level: matching<string | number>('a level, such as error, or a number from 1 to 24', (value) => {
    return (typeof value === 'string' || typeof value === 'number') && levelNamed(value) !== undefined;
  }),
};

export const RECENT_OPTIONS = v.objectWithRest(
  {
    ...section,
    limit,
    maxScanned: whole(1, VAST),
    signal: matching<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal),
  },
  unknownKey,
);

export const COMMON_OPTIONS = v.objectWithRest(
  {
    ...section,
    window: v.custom(isWindow, 'a length of time, such as 15m or 1h, or { from, to }'),
    limit,
  },
  unknownKey,
);

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function resolveCounterOptions(
  options: InsightsCounterOptions = {},
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedCounterOptions {
  const problems = new Problems();
  addProblems(COUNTER_OPTIONS, { options, problems });
  addContradictions({ ...options }, problems);
  const writer = resolveSharedOptions(sharedOf(options), { environment, problems });
  if (writer === undefined || !problems.isEmpty) throw problems.toError();
  return {
    connection: writer.connection,
    stream: writer.defaultStream,
    partitions: writer.partitions.count,
    minIdleMs: options.minIdleMs ?? MIN_IDLE_MS,
    sendTimeoutMs: writer.sendTimeoutMs,
    shutdownTimeoutMs: writer.shutdownTimeoutMs,
    counting: completeInsights(options),
  };
}

const SHARED = [
  'connection',
  'service',
  'stream',
  'partitions',
  'sendTimeoutMs',
  'shutdownTimeoutMs',
] as const;

function sharedOf(options: Partial<Record<keyof ResolvedWriterOptions, unknown>> | null): object {
  const given = { ...options };
  // Of a name that is none, our own schema has told.
  if (!isStreamName(given.stream)) delete given.stream;
  return Object.fromEntries(SHARED.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]));
}
