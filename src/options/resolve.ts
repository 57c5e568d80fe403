import { isRedisLogError } from '../errors.js';
import { settleConnection } from './connection.js';
import { addContradictions, completeInsights } from './insights.js';
import type { ResolvedInsights } from './insights-types.js';
import {
  LOGGER_OPTIONS,
  MODULE_OPTIONS,
  WRITER_OPTIONS,
  type LoggerInput,
  type WriterInput,
} from './schema.js';
import { Problems } from './problems.js';
import { completeRetention } from './retention.js';
import { defaultStreamOf, describeResource, resolveService } from './service.js';
import type {
  RedisLoggerOptions,
  RedisLogWriterOptions,
  ResolvedHttpOptions,
  ResolvedLoggerOptions,
  ResolvedNoise,
  ResolvedRedact,
  ResolvedWriterOptions,
} from './types.js';
import { readOptions } from './validate.js';

const DEFAULT_URL = 'redis://127.0.0.1:6379';
const DEFAULT_CENSOR = '[Redacted]';
const BATCH = { maxRecords: 256, maxBytes: 1_048_576, maxDelayMs: 0, maxInFlight: 4 } as const;
const QUEUE = { maxRecords: 100_000, maxBytes: 67_108_864, overflow: 'drop-oldest' } as const;
const SPOOL_MAX_BYTES = 1_073_741_824;
const RATE_WINDOW_MS = 60_000;
const MAX_TEMPLATES = 1_000;
const REPEAT_WINDOW_MS = 10_000;
const REQUEST_ID_HEADER = 'x-request-id';
const SEND_TIMEOUT_MS = 10_000;
const SHUTDOWN_TIMEOUT_MS = 5_000;

interface WriterSource {
  readonly given: WriterInput;
  readonly resourceAttributes: ReadonlyMap<string, string>;
}

/**
 * Complete options of the writer and the exporter: explicit ones, else the environment, else the defaults.
 * Throws a RedisLogError (REDIS_LOG_INVALID_OPTIONS) that lists every problem. The result is frozen, except
 * for what belongs to the user: clients, an explicit resource, encoders and functions.
 */
export function resolveWriterOptions(
  options: RedisLogWriterOptions | ResolvedWriterOptions | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedWriterOptions {
  if (options !== undefined && isResolved(options)) return options;
  return completeWriter(readOptions(WRITER_OPTIONS, { options, environment }));
}

/** The same for what takes some of these options beside its own: the problems go to the others of the same object. */
export function resolveSharedOptions(
  options: object,
  { environment, problems }: { environment: NodeJS.ProcessEnv; problems: Problems },
): ResolvedWriterOptions | undefined {
  try {
    return resolveWriterOptions(options, environment);
  } catch (error) {
    if (!isRedisLogError(error)) throw error;
    problems.addAll(error);
    return undefined;
  }
}

/** The same for the options of Nest's logger. `isTerminal` (default: of stdout) decides where `console` starts. */
export function resolveLoggerOptions(
  options: RedisLoggerOptions | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  isTerminal: boolean = process.stdout.isTTY,
): ResolvedLoggerOptions {
  const { given } = readOptions(LOGGER_OPTIONS, { options, environment });
  return completeLogger(given, isTerminal);
}

/**
 * Both at once for `RedisLogModule`, with all problems of both in one error. `exporter` and `isGlobal` are
 * known here; the module reads them itself.
 */
export function resolveModuleOptions(
  options: unknown,
  environment: NodeJS.ProcessEnv = process.env,
  isTerminal: boolean = process.stdout.isTTY,
): { writer: ResolvedWriterOptions; logger: ResolvedLoggerOptions } {
  const validated = readOptions(MODULE_OPTIONS, { options, environment });
  return { writer: completeWriter(validated), logger: completeLogger(validated.given, isTerminal) };
}

function completeWriter({ given, resourceAttributes }: WriterSource): ResolvedWriterOptions {
  const service = resolveService(given.service ?? {}, given.resource);
  const stream = given.stream ?? defaultStreamOf(service, given.format);
  const resolved = Object.freeze({
    connection: settleConnection(given.connection ?? DEFAULT_URL),
    service: freeze(service),
    resource: given.resource ?? freeze(describeResource(service, resourceAttributes)),
    stream,
    defaultStream: typeof stream === 'string' ? stream : defaultStreamOf(service, given.format),
    partitions: Object.freeze(completePartitions(given.partitions)),
    retention: freeze(completeRetention(given.retention)),
    ...completeLimits(given),
    sendTimeoutMs: given.sendTimeoutMs ?? SEND_TIMEOUT_MS,
    shutdownTimeoutMs: given.shutdownTimeoutMs ?? SHUTDOWN_TIMEOUT_MS,
    delivery: given.delivery ?? 'exactly-once',
    deliveryIsExplicit: given.delivery !== undefined,
    acknowledge: given.acknowledge ?? 'written',
    spool: freeze(completeSpool(given.spool)),
    format: given.format ?? 'fields',
    attributes: freeze(given.attributes ?? 'fields'),
    noise: freeze(completeNoise(given)),
    redact: freeze(completeRedact(given.redact)),
    connect: given.connect ?? 'lazy',
  });
  complete.add(resolved);
  return resolved;
}

/** What is complete already is not completed again: the Nest module resolves once for logger and exporter. */
const complete = new WeakSet<object>();

function isResolved(options: object): options is ResolvedWriterOptions {
  return complete.has(options);
}

function completeLimits({
  batch = {},
  queue = {},
}: WriterInput): Pick<ResolvedWriterOptions, 'batch' | 'queue'> {
  const records = queue.maxRecords ?? QUEUE.maxRecords;
  const bytes = queue.maxBytes ?? QUEUE.maxBytes;
  return {
    // A batch nobody sized fits itself to a queue that is smaller than it.
    batch: freeze({
      maxRecords: batch.maxRecords ?? Math.min(BATCH.maxRecords, records),
      maxBytes: batch.maxBytes ?? Math.min(BATCH.maxBytes, bytes),
      maxDelayMs: batch.maxDelayMs ?? BATCH.maxDelayMs,
      maxInFlight: batch.maxInFlight ?? BATCH.maxInFlight,
    }),
    queue: freeze({ maxRecords: records, maxBytes: bytes, overflow: queue.overflow ?? QUEUE.overflow }),
  };
}

function completePartitions(
  given: WriterInput['partitions'] = { count: 1, by: undefined },
): ResolvedWriterOptions['partitions'] {
  return { count: given.count, by: given.by ?? 'trace' };
}

function completeSpool(given: WriterInput['spool'] = false): ResolvedWriterOptions['spool'] {
  return given === false
    ? false
    : { directory: given.directory, maxBytes: given.maxBytes ?? SPOOL_MAX_BYTES };
}

function completeRedact(given: WriterInput['redact']): ResolvedRedact | false | undefined {
  if (given === undefined || given === false) return given;
  const { paths, censor = DEFAULT_CENSOR } = Array.isArray(given) ? { paths: given } : given;
  return { paths, censor };
}

function completeNoise({ sampling, rateLimit, deduplicate }: WriterInput): ResolvedNoise {
  const { traces, ratio = 1, levels = {}, contexts = {} } = sampling || {};
  const repeats = deduplicate === true ? {} : deduplicate;
  return {
    sampling: sampling ? { traces, ratio, levels, contexts } : false,
    rateLimit: rateLimit
      ? {
          maxRecords: rateLimit.maxRecords,
          windowMs: rateLimit.windowMs ?? RATE_WINDOW_MS,
          maxTemplates: rateLimit.maxTemplates ?? MAX_TEMPLATES,
        }
      : false,
    deduplicate: repeats ? { windowMs: repeats.windowMs ?? REPEAT_WINDOW_MS } : false,
  };
}

function completeLogger(given: LoggerInput, isTerminal: boolean): ResolvedLoggerOptions {
  return Object.freeze({
    level: given.level ?? 'log',
    levels: freeze({ ...given.levels }),
    console: given.console ?? (isTerminal ? 'pretty' : false),
    consoleIsDefault: given.console === undefined,
    enabled: given.enabled ?? true,
    fleetLevels: given.fleetLevels ?? true,
    structuredParams: given.structuredParams,
    consoleWhenAwayMs: given.consoleWhenAwayMs,
    captureCrashes: given.captureCrashes ?? false,
    processors: given.processors ?? [],
    http: completeHttp(given.http),
    insights: completeCounting(given.insights),
  });
}

function completeCounting(given: LoggerInput['insights'] = false): ResolvedInsights | false {
  if (given === false) return false;
  const options = given === true ? {} : given;
  const problems = new Problems();
  addContradictions(options, problems, 'insights.');
  if (!problems.isEmpty) throw problems.toError();
  return freeze(completeInsights(options));
}

/** Frozen only at its top: functions and regular expressions are the user's. */
function completeHttp(given: LoggerInput['http'] = false): ResolvedHttpOptions | false {
  if (given === false) return false;
  const {
    ignore = [],
    ignoreIf,
    level,
    attributes,
    requestId = {},
    query = false,
  } = given === true ? {} : given;
  return Object.freeze({
    ignore,
    ignoreIf,
    level,
    attributes,
    requestId: requestId !== false && {
      header: (requestId.header ?? REQUEST_ID_HEADER).toLowerCase(),
      generate: requestId.generate,
    },
    query,
  });
}

/** Freezes plain data of ours to its full depth. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
