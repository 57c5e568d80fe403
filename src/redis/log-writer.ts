import { resolveWriterOptions } from '../options/resolve.js';
import type { RedisLogWriterOptions } from '../options/types.js';
import type { LogStats } from '../pipeline/account.js';
import type { FlushResult } from '../pipeline/pipeline-parts.js';
import { timeLimitOf } from '../pipeline/runtime.js';
import type {
  Attributes,
  HrTime,
  InstrumentationScope,
  LogRecord,
  Resource,
  SpanContext,
} from '../record/log-record.js';
import type { HealthOptions, LogHealth } from './health.js';
import { type OpenPipeline, openPipeline, type PipelineSurroundings } from './open-pipeline.js';

/** A record as a caller writes it down; what is left out is filled in. */
export interface LogInput {
  readonly body?: unknown;
  /** Milliseconds since the Unix epoch, a Date, or seconds and nanoseconds. Default: now. */
  readonly timestamp?: number | Date | HrTime;
  /** Default: the same as `timestamp`. */
  readonly observedTimestamp?: number | Date | HrTime;
  /** 1 to 24, as OpenTelemetry numbers them. */
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly eventName?: string;
  readonly attributes?: Attributes;
  readonly spanContext?: SpanContext;
  /** Default: a scope without a name. */
  readonly scope?: InstrumentationScope;
  /** Default: the writer's own, made from its `service` option. */
  readonly resource?: Resource;
}

const NO_SCOPE: InstrumentationScope = { name: '' };
const DEFAULT_FLUSH_TIMEOUT_MS = 30_000;

/**
 * Writes log records to a Redis stream, without Nest and without OpenTelemetry. The first record connects. Values must
 * be of the OpenTelemetry data model (strings, numbers, booleans, bytes, arrays, plain objects).
 *
 * @example
 * await using writer = new RedisLogWriter({ service: { name: 'importer' } });
 * writer.emit({ severityNumber: 9, body: 'row read', attributes: { row: 1 } });
 */
export class RedisLogWriter implements AsyncDisposable {
  readonly #open: OpenPipeline;
  readonly #resource: Resource;
  readonly #shutdownTimeoutMs: number;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options?: RedisLogWriterOptions, around?: PipelineSurroundings) {
    const resolved = resolveWriterOptions(options);
    this.#open = openPipeline(resolved, around);
    this.#resource = resolved.resource;
    this.#shutdownTimeoutMs = resolved.shutdownTimeoutMs;
  }

  /** Never throws and never waits. False when the record was refused; `stats().dropped` says why. */
  emit(input: LogInput): boolean {
    const { pipeline } = this.#open;
    let record: LogRecord;
    try {
      record = toRecord(input, this.#resource);
    } catch {
      return pipeline.emitUnreadable();
    }
    return this.#open.emit(record);
  }

  /** Resolves when everything emitted so far has an outcome, or after `timeoutMs` (default 30,000). Never rejects. */
  flush(options: { readonly timeoutMs?: number } = {}): Promise<FlushResult> {
    return this.#open.pipeline.flush(timeLimitOf(options, DEFAULT_FLUSH_TIMEOUT_MS));
  }

  /** Sends what waits and disconnects, within `timeoutMs` (default: the option `shutdownTimeoutMs`). Never rejects. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<FlushResult> {
    return this.#open.close(timeLimitOf(options, this.#shutdownTimeoutMs));
  }

  stats(): LogStats {
    return this.#open.pipeline.stats();
  }

  /** Whether records are stored as they come, and if not, why and since when. Asks nobody, and answers at once. */
  health(options?: HealthOptions): LogHealth {
    return this.#open.health(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function toRecord(input: LogInput, resource: Resource): LogRecord {
  const hrTime = toHrTime(input.timestamp ?? Date.now());
  return {
    hrTime,
    hrTimeObserved: input.observedTimestamp === undefined ? hrTime : toHrTime(input.observedTimestamp),
    spanContext: input.spanContext,
    severityNumber: input.severityNumber,
    severityText: input.severityText,
    body: input.body,
    eventName: input.eventName,
    resource: input.resource ?? resource,
    instrumentationScope: input.scope ?? NO_SCOPE,
    attributes: input.attributes ?? {},
    droppedAttributesCount: 0,
  };
}

function toHrTime(time: number | Date | HrTime): HrTime {
  if (Array.isArray(time)) return time;
  const ms = typeof time === 'number' ? time : time.getTime();
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
