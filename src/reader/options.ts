import * as v from 'valibot';
import { describeValue, nearest, Problems } from '../options/problems.js';
import { resolveSharedOptions } from '../options/resolve.js';
import { defined, unknownKey, UNKNOWN_KEY, whole } from '../options/schema.js';
import { withPartitions } from '../options/partition-names.js';
import { isStreamName } from '../options/stream-name.js';
import type { ConnectionOptions, PartitionOptions, ServiceOptions } from '../options/types.js';
import { isEntryId } from '../redis/entry-id.js';
import { type Moment, toBound } from './moment.js';
import { LEVEL_WORDS, levelSpan } from './query-language/levels.js';

/** Options of {@link LogReader}. All optional; an unknown key is an error. */
export interface LogReaderOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. Always copied, never used itself. */
  readonly connection?: ConnectionOptions;
  /** The stream to read. Default `REDIS_LOG_STREAM`, else `logs:<service.name>`. */
  readonly stream?: string;
  /** Several streams, read as one. Instead of `stream`. At most 1,000. */
  readonly streams?: readonly string[];
  /**
   * As the producers of these streams have it; only the number counts. Their partitions are read as one. Default
   * `REDIS_LOG_PARTITIONS`, else 1.
   */
  readonly partitions?: number | PartitionOptions;
  /** Only for the default of `stream`. */
  readonly service?: ServiceOptions;
  /** How long one page may take in all, reconnecting included, in milliseconds, 1 to 600,000. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

export interface ResolvedReaderOptions {
  readonly connection: ConnectionOptions;
  /** With the partitions of each. */
  readonly streams: readonly string[];
  readonly partitions: number;
  readonly requestTimeoutMs: number;
}

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_STREAMS = 1_000;
const MAX_NEIGHBOURS = 10_000;
export const VAST = 1_000_000_000_000;

function filled(allowed: string) {
  return v.pipe(
    v.string(allowed),
    v.check((value) => value !== '', allowed),
  );
}

export function matching<T>(allowed: string, test: (value: unknown) => boolean) {
  return v.optional(v.custom<T>(test, allowed));
}

function method(allowed: string) {
  return matching<(...args: never[]) => unknown>(allowed, (value) => typeof value === 'function');
}

const MOMENT = 'a Date, milliseconds, an ISO time, how long ago (15m), or the id of an entry';
const isMoment = (value: unknown): boolean => {
  const isOne = typeof value === 'string' || typeof value === 'number' || value instanceof Date;
  return isOne && toBound(value as Moment, 0) !== undefined;
};
const isStart = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null || value instanceof Date) {
    return value === 'start' || isMoment(value);
  }
  return Object.values(value).every((id) => typeof id === 'string' && isEntryId(id));
};
const STREAMS = `an array of 1 to ${MAX_STREAMS} names of streams, each once`;
const streams = matching<readonly string[]>(STREAMS, (value) => {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_STREAMS) return false;
  return value.every(isStreamName) && new Set(value).size === value.length;
});

const FILTER = {
  streams,
  level: matching<string | number>(
    `one of ${LEVEL_WORDS}, or a number from 1 to 24`,
    (value) =>
      (typeof value === 'string' || typeof value === 'number') && levelSpan(String(value)) !== undefined,
  ),
  where: matching<unknown>('a query, or a function of the record', (value) => {
    return typeof value === 'string' || typeof value === 'function' || isNode(value);
  }),
  text: v.optional(filled('a text that is not empty')),
  traceId: matching<string>('32 hexadecimal digits', (value) => /^[\da-f]{32}$/i.test(String(value))),
  signal: matching<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal),
  onMalformed: method('a function of an entry'),
};

const READER_OPTIONS = v.objectWithRest(
  {
    connection: v.optional(v.any()),
    service: v.optional(v.any()),
    stream: matching<string>('the name of a stream', isStreamName),
    streams,
    partitions: v.optional(v.any()),
    requestTimeoutMs: whole(1, 600_000),
  },
  unknownKey,
);

export const QUERY_OPTIONS = v.objectWithRest(
  {
    ...FILTER,
    from: matching<Moment>(MOMENT, isMoment),
    to: matching<Moment>(MOMENT, isMoment),
    limit: whole(1, VAST),
    maxScanned: whole(1, VAST),
    order: v.optional(v.picklist(['asc', 'desc'], 'asc or desc')),
    by: v.optional(v.picklist(['arrival', 'timestamp'], 'arrival or timestamp')),
    maxLatenessMs: whole(0, VAST),
    onProgress: method('a function of the progress'),
  },
  unknownKey,
);

export const TAIL_OPTIONS = v.objectWithRest(
  {
    ...FILTER,
    from: matching<unknown>(`start, now, ids by stream, ${MOMENT}`, isStart),
    onGap: method('a function of a gap'),
  },
  unknownKey,
);

export const CONTEXT_OPTIONS = v.objectWithRest(
  {
    id: v.custom((value) => typeof value === 'string' && isEntryId(value), 'the id of an entry'),
    before: whole(0, MAX_NEIGHBOURS),
    after: whole(0, MAX_NEIGHBOURS),
    streams,
    same: v.optional(v.picklist(['trace', 'service'], 'trace or service')),
    withinMs: whole(1, VAST),
    signal: FILTER.signal,
  },
  unknownKey,
);

type Schema = v.ObjectWithRestSchema<v.ObjectEntries, typeof unknownKey, undefined>;

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function checkOptions(schema: Schema, options: unknown): void {
  const problems = new Problems();
  addProblems(schema, { options, problems });
  if (!problems.isEmpty) throw problems.toError();
}

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function resolveReaderOptions(
  options: LogReaderOptions = {},
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedReaderOptions {
  const problems = new Problems();
  addProblems(READER_OPTIONS, { options, problems });
  const { stream, streams: several, connection, partitions, service } = { ...options };
  if (stream !== undefined && several !== undefined) {
    problems.add('streams', 'there is a stream as well. Give one of the two');
  }
  const named = several?.[0] ?? stream;
  const shared = { connection, partitions, service, stream: isStreamName(named) ? named : undefined };
  const writer = resolveSharedOptions(defined(shared), { environment, problems });
  if (writer === undefined || !problems.isEmpty) throw problems.toError();
  return Object.freeze({
    connection: writer.connection,
    streams: Object.freeze(withPartitions(several ?? [writer.defaultStream], writer.partitions.count)),
    partitions: writer.partitions.count,
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  });
}

export function addProblems(
  schema: Schema,
  { options, problems }: { options: unknown; problems: Problems },
): void {
  const known = Object.keys(schema.entries);
  for (const issue of v.safeParse(schema, options === undefined ? {} : options).issues ?? []) {
    const key = issue.path?.[0]?.key;
    const name = typeof key === 'string' ? key : 'options';
    if (issue.message !== UNKNOWN_KEY) {
      const allowed = issue.path === undefined ? 'an object' : issue.message;
      problems.add(name, `got ${describeValue(issue.input)}. Give ${allowed}, or leave it out`);
      continue;
    }
    const similar = nearest(name, known);
    const advice = similar === undefined ? `Known here are ${known.join(', ')}` : `Did you mean ${similar}?`;
    problems.add(name, `unknown option. ${advice.replace(/\?$/, '? If not, leave it out')}`);
  }
}

function isNode(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string';
}
