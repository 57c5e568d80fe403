import * as v from 'valibot';
import type { Resource } from '../record/log-record.js';
import { connectionAdvice } from './connection.js';
import { LEVEL_NAMES } from './levels.js';
import type { HttpLogOptions, RequestIdOptions } from './http-types.js';
import { MAX_PARTITIONS } from './partition-names.js';
import type { PartitionOptions } from './partition-types.js';
import { isStreamName } from './stream-name.js';
import type { Censor, ConnectionOptions, LogProcessor, StreamEncoder, StreamOption } from './types.js';

/*
 * Messages are written to stand after "Give": they say what is allowed, and resolve.ts adds where, what was
 * given, and the way out.
 */

/** Marks an issue about a key that nobody knows. */
export const UNKNOWN_KEY = 'unknown key';

/** Unlike valibot's strict objects, an object with this rest reports every unknown key, not only the first. */
export const unknownKey = v.custom<unknown>((value) => value === undefined, UNKNOWN_KEY);

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Thousands apart. By hand, because the first use of Intl costs 12 ms of every start. */
function readable(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** An option that is undefined is one that was left out. */
export function defined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

export function whole(lowest: number, highest: number) {
  const allowed = `a whole number from ${readable(lowest)} to ${readable(highest)}`;
  const inRange = (value: number): boolean => Number.isInteger(value) && value >= lowest && value <= highest;
  return v.optional(v.pipe(v.number(allowed), v.check(inRange, allowed)));
}

function wholeFrom(lowest: number, highest: number) {
  return v.unwrap(whole(lowest, highest));
}

function oneOf<const T extends string>(...words: readonly T[]) {
  return v.optional(v.picklist(words, list(words)));
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function filledText(allowed: string) {
  return v.pipe(
    v.string(allowed),
    v.check((value) => value.trim() !== '', allowed),
  );
}

function group<T extends v.ObjectEntries>(entries: T, allowed: string) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isFields, allowed),
    v.objectWithRest(entries, unknownKey, allowed),
  );
}

const text = v.optional(filledText('a text that is not empty'));
const flag = v.optional(v.boolean('true or false'));
const level = v.picklist(LEVEL_NAMES, `${list(LEVEL_NAMES)} ("log" is what others call "info")`);
const no = v.literal(false);

const share = v.pipe(
  v.number('a number from 0 to 1'),
  v.minValue(0, 'a number from 0 to 1'),
  v.maxValue(1, 'a number from 0 to 1'),
);
const windowMs = whole(10, 86_400_000);

const names = (allowed: string) => v.array(filledText(allowed), allowed);
const GROUP_NAMES = 'an array of one name of a consumer group, or several';
const partitionKey = v.custom<NonNullable<PartitionOptions['by']>>(
  (value) => value === 'trace' || typeof value === 'function',
  'trace, or a function of the record',
);
const PATHS = 'an array of paths such as "headers.cookie", { paths, censor } or false';
const censor = v.custom<Censor>(
  (value) => typeof value === 'string' || typeof value === 'function',
  'a text or a function of the value and its path',
);

/**
 * No limit that anybody needs, yet safe to calculate with. As an age it is 31 years: by more, the oldest entry
 * allowed would come to lie before 1970.
 */
const VAST = 1_000_000_000_000;
const KIB = 1_024;
const MIB = 1_048_576;
const GIB = 1_073_741_824;

const OR_FALSE = 'an object, or false';
const IGNORED = 'paths such as "/health" or "/internal/**", or regular expressions';

function method<T>() {
  return v.optional(v.custom<NonNullable<T>>((value) => typeof value === 'function', 'a function'));
}

const HEADER = 'the name of a header, such as x-request-id';
const REQUEST_ID = {
  header: v.optional(v.pipe(v.string(HEADER), v.regex(/^[\w!#$%&'*+.^`|~-]+$/, HEADER))),
  generate: method<RequestIdOptions['generate']>(),
};

/** The objects among the options and what they may hold. */
export const GROUPS = {
  service: { name: text, version: text, namespace: text, instanceId: text, environment: text },
  retention: {
    maxLength: whole(1, VAST),
    maxAgeMs: whole(1, VAST),
    maxMemoryShare: v.optional(v.pipe(share, v.gtValue(0, 'a number above 0, to 1'))),
    keepFor: v.optional(v.pipe(names(GROUP_NAMES), v.minLength(1, GROUP_NAMES))),
    hardMaxLength: whole(1, VAST),
  },
  partitions: { count: wholeFrom(1, MAX_PARTITIONS), by: v.optional(partitionKey) },
  batch: {
    maxRecords: whole(1, 5_000),
    maxBytes: whole(KIB, 64 * MIB),
    maxDelayMs: whole(0, 60_000),
    maxInFlight: whole(1, 64),
  },
  queue: {
    maxRecords: whole(1, 10_000_000),
    maxBytes: whole(KIB, 4 * GIB),
    overflow: oneOf('drop-oldest', 'drop-newest'),
  },
  spool: {
    directory: filledText('the path of a directory'),
    maxBytes: whole(MIB, VAST),
  },
  sampling: {
    traces: v.optional(share),
    ratio: v.optional(share),
    levels: v.optional(
      group(Object.fromEntries(LEVEL_NAMES.map((name) => [name, v.optional(share)])), 'shares by level'),
    ),
    contexts: v.optional(v.pipe(v.custom(isFields, 'shares by context'), v.record(v.string(), share))),
  },
  rateLimit: { maxRecords: wholeFrom(1, 1_000_000), windowMs, maxTemplates: whole(1, 100_000) },
  deduplicate: { windowMs },
  redact: { paths: names(PATHS), censor: v.optional(censor) },
  http: {
    ignore: v.optional(v.array(v.union([filledText(IGNORED), v.instance(RegExp)], IGNORED), IGNORED)),
    ignoreIf: method<HttpLogOptions['ignoreIf']>(),
    level: method<HttpLogOptions['level']>(),
    attributes: method<HttpLogOptions['attributes']>(),
    requestId: v.optional(v.lazy((input) => (input === false ? no : group(REQUEST_ID, OR_FALSE)))),
    query: flag,
  },
  insights: {
    bucketMs: whole(1_000, 86_400_000),
    keptBuckets: whole(2, 1_000),
    maxTemplates: whole(10, 100_000),
    countBy: oneOf('template', 'text'),
    compatibility: v.optional(v.picklist(['redis-in-action'], 'redis-in-action')),
  },
} as const;

const retention = v.lazy((input) => (input === false ? no : group(GROUPS.retention, OR_FALSE)));
const partitions = v.lazy((input) =>
  isFields(input)
    ? // It is an object, so this is only said where its count is missing.
      group(GROUPS.partitions, `a whole number from 1 to ${MAX_PARTITIONS}`)
    : v.pipe(
        wholeFrom(1, MAX_PARTITIONS),
        v.transform((count) => ({ count, by: undefined })),
      ),
);
const spool = v.lazy((input) => (input === false ? no : group(GROUPS.spool, OR_FALSE)));
const sampling = v.lazy((input) => (input === false ? no : group(GROUPS.sampling, OR_FALSE)));
const rateLimit = v.lazy((input) => (input === false ? no : group(GROUPS.rateLimit, OR_FALSE)));
const deduplicate = v.lazy((input) =>
  typeof input === 'boolean' ? v.boolean() : group(GROUPS.deduplicate, 'an object, true or false'),
);
const http = v.lazy((input) =>
  typeof input === 'boolean' ? v.boolean() : group(GROUPS.http, 'true, false or an object'),
);
const insights = v.lazy((input) =>
  typeof input === 'boolean' ? v.boolean() : group(GROUPS.insights, 'true, false or an object'),
);
const redact = v.lazy((input) => {
  if (input === false) return no;
  return Array.isArray(input) ? names(PATHS) : group(GROUPS.redact, PATHS);
});

const stream = v.custom<StreamOption>(
  (value) => typeof value === 'function' || isStreamName(value),
  'a stream name (with a "}" only as part of a hash tag such as {logs}) or a function of the record',
);

const FORMATS: readonly unknown[] = ['fields', 'json', 'list', 'plumelog'];
const format = v.custom<'fields' | 'json' | 'list' | 'plumelog' | StreamEncoder>((value) => {
  if (!isFields(value)) return FORMATS.includes(value);
  return (
    (value['target'] === 'stream' || value['target'] === 'list') && typeof value['encode'] === 'function'
  );
}, 'fields, json, list, plumelog, or an encoder { target: "stream" or "list", encode(record) }');

const ATTRIBUTES = 'fields, json, or an array of attribute names';
const attributes = v.lazy((input) =>
  Array.isArray(input) ? names(ATTRIBUTES) : v.picklist(['fields', 'json'], ATTRIBUTES),
);

const connection = v.custom<ConnectionOptions>(
  (value) => connectionAdvice(value) === undefined,
  (issue) => connectionAdvice(issue.input) ?? '',
);

const resource = v.custom<Resource>(
  (value) => isFields(value) && isFields(value['attributes']),
  'an OpenTelemetry resource, { attributes: {...} }',
);

export const WRITER_OPTIONS = v.objectWithRest(
  {
    connection: v.optional(connection),
    service: v.optional(group(GROUPS.service, 'an object')),
    stream: v.optional(stream),
    partitions: v.optional(partitions),
    retention: v.optional(retention),
    batch: v.optional(group(GROUPS.batch, 'an object')),
    queue: v.optional(group(GROUPS.queue, 'an object')),
    sendTimeoutMs: whole(1, 600_000),
    shutdownTimeoutMs: whole(1, 600_000),
    delivery: oneOf('exactly-once', 'at-least-once'),
    acknowledge: oneOf('written', 'replicated', 'fsynced'),
    spool: v.optional(spool),
    format: v.optional(format),
    attributes: v.optional(attributes),
    redact: v.optional(redact),
    sampling: v.optional(sampling),
    rateLimit: v.optional(rateLimit),
    deduplicate: v.optional(deduplicate),
    connect: oneOf('lazy', 'eager'),
    resource: v.optional(resource),
  },
  unknownKey,
);

const PROCESSORS = 'an array of log record processors, each with onEmit(record, context)';
const processors = v.array(
  v.custom<LogProcessor>((value) => isFields(value) && typeof value['onEmit'] === 'function', PROCESSORS),
  PROCESSORS,
);

export const LOGGER_OPTIONS = v.objectWithRest(
  {
    level: v.optional(level),
    levels: v.optional(v.pipe(v.custom(isFields, 'an object'), v.record(v.string(), level))),
    console: v.optional(v.union([v.picklist(['pretty', 'json']), v.literal(false)], 'pretty, json or false')),
    enabled: flag,
    fleetLevels: flag,
    structuredParams: flag,
    consoleWhenAwayMs: whole(100, 86_400_000),
    captureCrashes: flag,
    processors: v.optional(processors),
    http: v.optional(http),
    insights: v.optional(insights),
  },
  unknownKey,
);

const exporter = v.custom<object>(
  (value) => isFields(value) && typeof value['export'] === 'function',
  'a RedisLogRecordExporter',
);

/** What only `RedisLogModule` takes; the module itself reads these two. */
export const MODULE_OPTIONS = v.objectWithRest(
  {
    ...WRITER_OPTIONS.entries,
    ...LOGGER_OPTIONS.entries,
    exporter: v.optional(exporter),
    isGlobal: flag,
  },
  unknownKey,
);

export type WriterInput = v.InferOutput<typeof WRITER_OPTIONS>;
export type LoggerInput = v.InferOutput<typeof LOGGER_OPTIONS>;
