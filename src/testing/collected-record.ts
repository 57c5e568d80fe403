import type { Attributes, LogRecord } from '../record/log-record.js';
import { type Level, LEVELS, severityClass } from '../record/severity.js';

/** An error as it was logged. */
export interface CollectedError {
  /** The name of its class, or the name that it gave itself. */
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** `ECONNREFUSED`, 11000, ...; undefined without one. */
  readonly code: unknown;
  /** The error behind it as another `CollectedError`, or whatever else was given as the cause. */
  readonly cause: unknown;
}

/** One record, as a test wants to look at it. */
export interface CollectedRecord {
  readonly level: Level;
  /** Nest's context; undefined where the call had none. */
  readonly context: string | undefined;
  /** A text, or the copy of whatever else was logged as the message. Of an error, its message. */
  readonly message: unknown;
  /** The parameters of the call, without what is told by `error`. */
  readonly attributes: Attributes;
  readonly time: Date;
  /** 32 hex digits; undefined outside a span. */
  readonly traceId: string | undefined;
  /** 16 hex digits; undefined outside a span. */
  readonly spanId: string | undefined;
  /** The error that was logged, if any. */
  readonly error: CollectedError | undefined;
  /** The record as it would have been written. */
  readonly record: LogRecord;
}

const PREFIX = 'exception.';

/** The OpenTelemetry record in the words of a test. */
export function collected(record: LogRecord): CollectedRecord {
  const [seconds, nanoseconds] = record.hrTime;
  return {
    // By its number: what comes over a bridge has the word of another logger.
    level: LEVELS[severityClass(record.severityNumber)] ?? 'log',
    context: record.instrumentationScope.name === '' ? undefined : record.instrumentationScope.name,
    message: record.body,
    attributes: Object.fromEntries(
      Object.entries(record.attributes).filter(([name]) => !name.startsWith(PREFIX)),
    ),
    time: new Date(seconds * 1_000 + nanoseconds / 1e6),
    traceId: record.spanContext?.traceId,
    spanId: record.spanContext?.spanId,
    error: errorAt(PREFIX, record.attributes),
    record,
  };
}

function errorAt(prefix: string, attributes: Attributes): CollectedError | undefined {
  const type = attributes[`${prefix}type`];
  const stack = attributes[`${prefix}stacktrace`];
  const message = attributes[`${prefix}message`];
  if (typeof type !== 'string' && typeof stack !== 'string') return undefined;
  return {
    type: typeof type === 'string' ? type : 'Error',
    message: typeof message === 'string' ? message : '',
    stack: typeof stack === 'string' ? stack : undefined,
    code: attributes[`${prefix}code`],
    cause: attributes[`${prefix}cause`] ?? errorAt(`${prefix}cause.`, attributes),
  };
}
