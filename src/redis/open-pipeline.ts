import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { EntryEncoder } from '../codec/entry-encoder.js';
import { entryEncoder } from '../codec/formats.js';
import { createDiagnostics, describeError, type Diagnostics, maskUrl } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { isStreamName } from '../options/stream-name.js';
import type { ConnectionOptions, ResolvedWriterOptions } from '../options/types.js';
import { NoiseGate } from '../pipeline/noise/noise-gate.js';
import type { FlushResult, PipelineOptions } from '../pipeline/pipeline-parts.js';
import { Pipeline } from '../pipeline/pipeline.js';
import { partitionRouter } from '../pipeline/partition-router.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import { Spool } from '../pipeline/spool/spool.js';
import type { SpoolOpening } from '../pipeline/spool-desk.js';
import { MAX_STREAMS, streamRouter } from '../pipeline/stream-router.js';
import type { LogRecord } from '../record/log-record.js';
import { atExit, exitOnInterrupt } from './exit-hook.js';
import { FleetLevels, type LevelsListener } from './fleet-levels.js';
import { type HealthOptions, HealthWatch, type LogHealth } from './health.js';
import { LateStore } from './late-store.js';
import type { OpenStoreParts } from './open-store.js';
import { PublishedEvents } from './published-events.js';
import { Reporter } from './reporter.js';
import { acceptsAnyCertificate } from './unverified-tls.js';
import { watchedStore, type WriteWatch } from './watched-store.js';

export interface PipelineSurroundings {
  /** Runs the pipeline's own work outside the request that happens to log. Default: the place where the pipeline is made. */
  readonly isolate?: Isolate;
  readonly diagnostics?: Diagnostics;
  readonly runtime?: Runtime;
  /** Told of every write; for metrics. */
  readonly watch?: WriteWatch;
}

type Isolate = <T>(work: () => T) => T;

/** A pipeline, the way into it, and its way to Redis. */
export interface OpenPipeline {
  readonly pipeline: Pipeline;
  /** As the pipeline's own, but for what the options leave out. */
  emit(record: LogRecord): boolean;
  close(timeoutMs: number): Promise<FlushResult>;
  health(options?: HealthOptions): LogHealth;
  /** Calls back with the levels that are set for the fleet, whenever they are read; ends with the function returned. */
  watchLevels(listener: LevelsListener): () => void;
  /** Connects now rather than with the first record. */
  connect(): void;
}

/** Puts the write path together: queue and senders, script and connection, and what is said on stderr. */
export function openPipeline(
  options: ResolvedWriterOptions,
  around: PipelineSurroundings = {},
): OpenPipeline {
  const diagnostics = around.diagnostics ?? createDiagnostics();
  const runtime = around.runtime ?? systemRuntime;
  const isolate: Isolate = around.isolate ?? AsyncLocalStorage.snapshot();
  warnOfAnyCertificate(options.connection, diagnostics);
  const encoder = encoderOf(options, diagnostics);
  const reporter = new Reporter(diagnostics, {
    address: addressOf(options.connection),
    stats: () => pipeline.stats(),
    now: () => runtime.now(),
    drop: (reason) => published.dropped(reason),
  });
  const events = told(reporter, (count) => pipeline.countTrimmed(count));
  const store = new LateStore({ options, target: encoder.target, runtime, ...events });
  const published = new PublishedEvents(options.defaultStream, () => store.state);
  const health = new HealthWatch({
    now: () => runtime.now(),
    state: () => store.state,
    cause: () => store.cause,
    stats: () => pipeline.stats(),
    queueCapacity: options.queue.maxRecords,
  });
  const pipeline: Pipeline = new Pipeline(pipelineOptions(options, encoder), {
    store: watchedStore(store, [health, published, around.watch], runtime),
    encoder,
    streamOf: routerOf(options, { diagnostics, runtime }),
    newProducerId: () => randomBytes(9).toString('base64url'),
    runtime,
    events: reporter,
    isolate,
    spool: openSpool(options, { runtime, diagnostics }),
  });
  const cancelExit = atExit(() => reporter.exiting(() => pipeline.abandon()));
  const levels = new FleetLevels({ connection: store, stream: options.defaultStream, runtime, diagnostics });
  store.onState((state) => {
    levels.stateChanged(state);
    if (state === 'closed') cancelExit();
  });
  return {
    pipeline,
    ...wayIn(options, pipeline, runtime),
    connect: () => isolate(() => store.connect()),
    health: (asked) => health.health(asked),
    watchLevels: (listener) => isolate(() => levels.watch(listener)),
  };
}

/** What the store tells: all of it is said, and some of it counted. */
function told(
  reporter: Reporter,
  countTrimmed: (count: number) => void,
): Omit<OpenStoreParts, 'options' | 'target' | 'runtime'> {
  return {
    state: (...change) => reporter.connection(...change),
    trimFailed: (...about) => reporter.trimFailed(...about),
    resourceFailed: (...about) => reporter.resourceFailed(...about),
    groupMissing: (...about) => reporter.groupMissing(...about),
    trimmedUnacknowledged: (stream, group, count) => {
      countTrimmed(count);
      reporter.trimmedUnacknowledged(stream, group, count);
    },
    unconfirmed: (...about) => reporter.trouble(...about),
  };
}

function encoderOf({ format, attributes }: ResolvedWriterOptions, diagnostics: Diagnostics): EntryEncoder {
  return entryEncoder(format, attributes, (reason) =>
    diagnostics.error('format', `The encoder given as "format" failed: ${reason}. The record is set aside.`),
  );
}

function pipelineOptions(options: ResolvedWriterOptions, { searchable }: EntryEncoder): PipelineOptions {
  const { batch: limits, queue, delivery, deliveryIsExplicit } = options;
  return { limits, queue, delivery, deliveryIsExplicit, searchable };
}

/** Nothing stands in the way where nothing is to be left out. */
function wayIn(
  { noise, spool }: ResolvedWriterOptions,
  pipeline: Pipeline,
  runtime: Runtime,
): Pick<OpenPipeline, 'emit' | 'close'> {
  const { sampling, rateLimit, deduplicate } = noise;
  // Where there is a disk the end may come at once, and nothing is lost.
  const close = (timeoutMs: number): Promise<FlushResult> =>
    spool === false ? pipeline.close(timeoutMs) : exitOnInterrupt(pipeline.close(timeoutMs));
  if (!sampling && !rateLimit && !deduplicate) {
    return { emit: (record) => pipeline.emit(record), close };
  }
  const gate = new NoiseGate(noise, pipeline, runtime);
  return {
    emit: (record) => gate.emit(record),
    close: (timeoutMs) => {
      gate.end();
      return close(timeoutMs);
    },
  };
}

/** A spool that cannot be opened is told, and the application goes on without one. */
function openSpool(
  { spool, connection }: ResolvedWriterOptions,
  parts: { readonly runtime: Runtime; readonly diagnostics: Diagnostics },
): SpoolOpening | undefined {
  if (spool === false) return undefined;
  const { runtime, diagnostics } = parts;
  const problem = (code: string, text: string): void => diagnostics.warn(`spool:${code}`, text);
  const options = { ...spool, target: targetOf(connection), runtime, problem };
  const failed = (error: unknown): 'later' | undefined => {
    diagnostics.error('spool:open', `${describeError(error)} Records are kept in memory alone.`);
    return error instanceof RedisLogError && error.code === 'REDIS_LOG_UNAVAILABLE' ? 'later' : undefined;
  };
  return {
    open: () => Spool.open(options).catch(failed),
    openNow() {
      try {
        return Spool.openNow(options);
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
  };
}

function warnOfAnyCertificate(connection: ConnectionOptions, diagnostics: Diagnostics): void {
  if (!acceptsAnyCertificate(connection)) return;
  const text = `Redis at ${addressOf(connection)} may show any TLS certificate (rejectUnauthorized: false)`;
  diagnostics.warn('tls:any', `${text}: whoever sits in between can read the logs. Set tls.ca instead.`);
}

function routerOf(
  options: ResolvedWriterOptions,
  { diagnostics, runtime }: { readonly diagnostics: Diagnostics; readonly runtime: Runtime },
): (record: LogRecord) => string {
  const { defaultStream, partitions, batch } = options;
  const error = (code: string, text: string): void => diagnostics.error(`stream:${code}`, text);
  const streamOf = streamRouter(
    options.stream,
    { defaultStream, isName: isStreamName, maxNames: Math.floor(MAX_STREAMS / partitions.count) },
    {
      badName: (reason) =>
        error('name', `The option "stream" gave no name: ${reason}. Such records go to ${defaultStream}.`),
      tooMany: (limit) =>
        error(
          'many',
          `The option "stream" named more than ${limit} streams. Further ones go to ${defaultStream}.`,
        ),
    },
  );
  const routing = { ...partitions, runLength: batch.maxRecords, random: runtime.random };
  return partitionRouter(streamOf, routing, (reason) =>
    error('key', `The option "partitions.by" gave no key: ${reason}. Such records go to all in turn.`),
  );
}

/** Which database of which Redis, whoever the user is. */
function targetOf(connection: ConnectionOptions): string {
  const address = addressOf(connection)
    .replace(/^\w+:\/\/(\*{3}@)?/, '')
    .replace('?***', '');
  if (typeof connection === 'string' || 'cluster' in connection) return address;
  const { db }: { db?: unknown } = 'options' in connection ? (connection.options ?? {}) : connection;
  return typeof db === 'number' && db > 0 ? `${address}/${db}` : address;
}

/** Where the connection leads, for messages: never with a password. */
function addressOf(connection: ConnectionOptions): string {
  if (typeof connection === 'string') return maskUrl(connection);
  if ('cluster' in connection) return 'the Cluster';
  const options: { sentinels?: unknown; name?: unknown; path?: unknown; host?: unknown; port?: unknown } =
    'options' in connection ? (connection.options ?? {}) : connection;
  const part = (value: unknown, fallback: string): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : fallback;
  if (options.sentinels !== undefined) return `the Sentinel group ${part(options.name, '')}`;
  if (typeof options.path === 'string') return options.path;
  return `${part(options.host, '127.0.0.1')}:${part(options.port, '6379')}`;
}
