import { hostname } from 'node:os';
import * as v from 'valibot';
import { describeValue, nearest, Problems } from '../options/problems.js';
import { resolveSharedOptions } from '../options/resolve.js';
import { defined, unknownKey, UNKNOWN_KEY, whole } from '../options/schema.js';
import { withPartitions } from '../options/partition-names.js';
import { isStreamName } from '../options/stream-name.js';
import type { Complete, ConnectionOptions, PartitionOptions, ServiceOptions } from '../options/types.js';
import { isEntryId } from '../redis/entry-id.js';
import type { LogBatch } from './batch.js';

/** Waits between tries of what a handler has failed on: full jitter, doubling from `minDelayMs` to `maxDelayMs`. */
export interface RetryOptions {
  /** 1 to 600,000. Default 1,000. */
  readonly minDelayMs?: number;
  /** 1 to 3,600,000. Default 30,000. */
  readonly maxDelayMs?: number;
}

/** Options of {@link LogConsumer}. An unknown key is an error. Numbers are whole. */
export interface LogConsumerOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. Always copied, never used itself. */
  readonly connection?: ConnectionOptions;
  /** Default `REDIS_LOG_STREAM`, else `logs:<service.name>`. */
  readonly stream?: string;
  /** As the producers of the stream have it; only the number counts. Default `REDIS_LOG_PARTITIONS`, else 1. */
  readonly partitions?: number | PartitionOptions;
  /** Only for the default of `stream`. */
  readonly service?: ServiceOptions;
  /** Name of the consumer group. All processes that name the same group share its records among them. */
  readonly group: string;
  /**
   * Where a group begins that does not exist yet: with the first record that is still there, with the next one to come,
   * or after an entry id. Default `start`. A group that exists goes on where it stood.
   */
  readonly from?: 'start' | 'now' | (string & {});
  /** Most records in a batch, 1 to 5,000. Default 100. */
  readonly batchSize?: number;
  /** How long a batch waits to be full, from its first record, in milliseconds, 0 to 60,000. Default 1,000. */
  readonly maxWaitMs?: number;
  /**
   * Batches handled at once, 1 to 64, of all partitions together. Nothing is read ahead of that (of each partition). Default
   * 1: each partition in order, but for retries.
   */
  readonly concurrency?: number;
  /**
   * After so many milliseconds without a sign of life, others take over what a consumer holds, 100 to 86,400,000. Give
   * all consumers of a group the same. A handler may take longer: the consumer says so meanwhile. Default 30,000.
   */
  readonly minIdleMs?: number;
  /** How often a record is handed to a handler before it goes to the dead letters, 1 to 1,000,000. Default 5. */
  readonly maxDeliveries?: number;
  readonly retry?: RetryOptions;
  /**
   * `true`: a record that this group has acknowledged already, under whatever entry id, is skipped; told by `producer`
   * and `seq`. Needs scripts. Default `false`.
   */
  readonly deduplicate?: boolean;
  /** How long the server may be silent before the connection counts as dead, about, 100 to 60,000. Default 5,000. */
  readonly heartbeatMs?: number;
  /** How long one command may take, in milliseconds, 1 to 600,000. Default 10,000. */
  readonly sendTimeoutMs?: number;
  /** How long `close()` may take, 1 to 600,000. Default `REDIS_LOG_SHUTDOWN_TIMEOUT_MS`, else 5,000. */
  readonly shutdownTimeoutMs?: number;
  /** Names of consumers that hold nothing are removed after so much silence, 1,000 to 10^12. Default 3,600,000. */
  readonly forgetConsumersAfterMs?: number;
  /** Begins the consumer's name in the group, which ends in what makes it unique. Default: the name of the host. */
  readonly consumer?: string;
  /**
   * Is given whatever a handler throws, with the batch, for a report of your own: stderr names only its kind, since a
   * message may hold what nobody should read there. What becomes of the records is decided without it; what it throws is
   * ignored.
   */
  readonly onError?: (error: unknown, batch: LogBatch) => unknown;
}

export type ResolvedConsumerOptions = Complete<
  Omit<LogConsumerOptions, 'service' | 'retry' | 'partitions' | 'onError'>
> & {
  readonly onError?: LogConsumerOptions['onError'];
  /** The stream, or its partitions. */
  readonly streams: readonly string[];
  readonly retry: Complete<RetryOptions>;
};

const NAME = 'a text that is not empty';
export const name = v.pipe(
  v.string(NAME),
  v.check((value) => value.trim() !== '', NAME),
);
const STREAM_NAME = 'the name of a stream (with a "}" only as part of a hash tag such as {logs})';
export const streamName = v.custom<string>(isStreamName, STREAM_NAME);
const FROM = 'start, now, or the id of an entry';
const from = v.custom<string>(
  (value) => value === 'start' || value === 'now' || (typeof value === 'string' && isEntryId(value)),
  FROM,
);
const isFunction = (value: unknown): boolean => typeof value === 'function';
const retryEntries = { minDelayMs: whole(1, 600_000), maxDelayMs: whole(1, 3_600_000) };

const ENTRIES = {
  group: v.optional(name, ''),
  stream: v.optional(streamName),
  from: v.optional(from),
  batchSize: whole(1, 5_000),
  maxWaitMs: whole(0, 60_000),
  concurrency: whole(1, 64),
  minIdleMs: whole(100, 86_400_000),
  maxDeliveries: whole(1, 1_000_000),
  retry: v.optional(v.objectWithRest(retryEntries, unknownKey, 'an object')),
  deduplicate: v.optional(v.boolean('true or false')),
  heartbeatMs: whole(100, 60_000),
  forgetConsumersAfterMs: whole(1_000, 1_000_000_000_000),
  consumer: v.optional(name),
  onError: v.optional(
    v.custom<LogConsumerOptions['onError']>(isFunction, 'a function of an error and a batch'),
  ),
};

/** These are the writer's, too, with the same meaning, environment and default. */
const SHARED = [
  'connection',
  'stream',
  'partitions',
  'service',
  'sendTimeoutMs',
  'shutdownTimeoutMs',
] as const;

/** The names of all options of a consumer. */
export const CONSUMER_OPTIONS: readonly string[] = [...new Set([...Object.keys(ENTRIES), ...SHARED])];

/** The writer's schema looks at them. A stream is here but a name, so it has an entry of its own. */
const SEEN_ELSEWHERE = Object.fromEntries(SHARED.map((key) => [key, v.optional(v.any())]));

const SCHEMA = v.objectWithRest({ ...SEEN_ELSEWHERE, ...ENTRIES }, unknownKey);

const DEFAULTS = {
  from: 'start',
  batchSize: 100,
  maxWaitMs: 1_000,
  concurrency: 1,
  minIdleMs: 30_000,
  maxDeliveries: 5,
  retry: { minDelayMs: 1_000, maxDelayMs: 30_000 },
  deduplicate: false,
  heartbeatMs: 5_000,
  forgetConsumersAfterMs: 3_600_000,
} as const;

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function resolveConsumerOptions(
  options: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedConsumerOptions {
  const problems = new Problems();
  const parsed = v.safeParse(SCHEMA, options ?? {});
  for (const issue of parsed.issues ?? []) addIssue(issue, { problems, known: CONSUMER_OPTIONS });
  checkRetry(options, problems);
  const shared = readShared(options, { environment, problems });
  if (!problems.isEmpty || shared === undefined) throw problems.toError();
  const { partitions: _, ...given } = parsed.output as LogConsumerOptions;
  return {
    ...DEFAULTS,
    ...defined({ ...given, consumer: given.consumer ?? hostname() }),
    ...shared,
    retry: { ...DEFAULTS.retry, ...defined(given.retry ?? {}) },
  };
}

/** A longest wait below the shortest one can only be a slip. One of the two alone may well be beyond the other's default. */
function checkRetry(options: unknown, problems: Problems): void {
  const { minDelayMs, maxDelayMs } = { ...(options as Partial<LogConsumerOptions> | undefined)?.retry };
  if (typeof minDelayMs !== 'number' || typeof maxDelayMs !== 'number' || minDelayMs <= maxDelayMs) return;
  problems.add(
    'retry',
    `got minDelayMs ${minDelayMs} above maxDelayMs ${maxDelayMs}. Give at least as much to maxDelayMs`,
  );
}

type Shared = Pick<
  ResolvedConsumerOptions,
  'connection' | 'stream' | 'streams' | 'sendTimeoutMs' | 'shutdownTimeoutMs'
>;

/** The stream and the connection, as the writer resolves them. */
export function readShared(
  options: unknown,
  { environment, problems }: { environment: NodeJS.ProcessEnv; problems: Problems },
): Shared | undefined {
  const given = typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
  const picked = Object.fromEntries(SHARED.filter((key) => key in given).map((key) => [key, given[key]]));
  // What is no name is a problem that the own schema has told of.
  if (!isStreamName(picked['stream'])) delete picked['stream'];
  const resolved = resolveSharedOptions(picked, { environment, problems });
  if (resolved === undefined) return undefined;
  const { connection, defaultStream: stream, partitions, sendTimeoutMs, shutdownTimeoutMs } = resolved;
  const streams = withPartitions([stream], partitions.count);
  return { connection, stream, streams, sendTimeoutMs, shutdownTimeoutMs };
}

/** `known`: the names of the options, for advice where one is not known. */
export function addIssue(
  issue: v.BaseIssue<unknown>,
  { problems, known: names }: { readonly problems: Problems; readonly known: readonly string[] },
): void {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const subject = path.join('.') || 'options';
  if (issue.message !== UNKNOWN_KEY) {
    const given = issue.input === undefined ? 'nothing' : describeValue(issue.input);
    problems.add(
      subject,
      `got ${given}. Give ${issue.kind === 'schema' && path.length === 0 ? 'an object' : issue.message}`,
    );
    return;
  }
  const known = path.length > 1 ? Object.keys(retryEntries) : names;
  const similar = nearest(path.at(-1) ?? '', known);
  const advice =
    similar === undefined ? `Leave it out; known here are ${known.join(', ')}` : `Did you mean ${similar}?`;
  problems.add(subject, `unknown option. ${advice.replace(/\?$/, '? If not, leave it out')}`);
}
