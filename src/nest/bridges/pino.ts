import * as api from '@opentelemetry/api';
import type { Attributes, SpanContext } from '../../record/log-record.js';
import { withoutArguments } from '../../record/normalize-error.js';
import { SEVERITY_NUMBERS } from '../../record/severity.js';
import { Bridge, type BridgeOptions, type ForeignRecord, revivedError } from './bridge.js';

export interface PinoRedisLogOptions extends BridgeOptions {
  /** Where pino puts the message. Default `msg`. */
  readonly messageKey?: string;
  /** Where pino puts the error. Default `err`. */
  readonly errorKey?: string;
  /** Where the context is; nestjs-pino's `renameContext`. Default `context`. */
  readonly contextKey?: string;
}

/** A destination for pino: the second argument of `pino()`, or one of the streams of `pino.multistream`. */
export interface PinoRedisLogStream {
  /** By this pino knows a destination that is its only argument. */
  readonly writable: true;
  write(line: string): void;
  /** What `logger.flush(callback)` of pino waits for. */
  flush(done?: (error?: Error) => void): void;
  /** Sends what waits. The exporter stays open for its owner. */
  end(): void;
}

/** Pino's levels by their numbers; a level of one's own counts as the one below it. */
const BY_NUMBER: readonly (readonly [least: number, text: string, severityNumber: number])[] = [
  [60, 'fatal', SEVERITY_NUMBERS.fatal],
  [50, 'error', SEVERITY_NUMBERS.error],
  [40, 'warn', SEVERITY_NUMBERS.warn],
  [30, 'info', SEVERITY_NUMBERS.log],
  [20, 'debug', SEVERITY_NUMBERS.debug],
];

/** The least readers take for milliseconds, and for nanoseconds, of a recent time: below are seconds. */
const LEAST_MS = 1e11;
const LEAST_NS = 1e17;

/**
 * Sends what pino logs into the stream too, beside nestjs-pino or without it. Records go through the exporter's queue and
 * account, with their bindings as attributes, their own time, the active span, and the attributes of `RedisLogContext`;
 * pino's own redaction has been applied before, the exporter's and the safe list are applied here.
 *
 * @example
 * LoggerModule.forRootAsync({
 *   inject: [RedisLogRecordExporter],
 *   useFactory: (exporter: RedisLogRecordExporter) => ({
 *     pinoHttp: { stream: pino.multistream([{ stream: process.stdout }, { stream: pinoRedisLog({ exporter }) }]) },
 *   }),
 * });
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` without an exporter
 */
export function pinoRedisLog(options: PinoRedisLogOptions): PinoRedisLogStream {
  const { messageKey = 'msg', errorKey = 'err', contextKey = 'context' } = options;
  const bridge = new Bridge(options);
  const keys = { messageKey, errorKey, contextKey };
  return {
    writable: true,
    write(lines) {
      for (const line of lines.split('\n')) {
        if (line !== '') bridge.write(() => readLine(line, keys));
      }
    },
    flush: (done) => bridge.flush(() => done?.()),
    end: () => bridge.flush(() => undefined),
  };
}

type Keys = Required<Pick<PinoRedisLogOptions, 'messageKey' | 'errorKey' | 'contextKey'>>;

function readLine(line: string, keys: Keys): ForeignRecord {
  const fields = parsed(line);
  if (fields === undefined) return plainText(line);
  const { messageKey, errorKey, contextKey } = keys;
  const {
    level,
    time,
    [messageKey]: message,
    [errorKey]: error,
    [contextKey]: context,
    ...attributes
  } = fields;
  if (typeof context !== 'string' && context !== undefined) attributes[contextKey] = context;
  // pino's default bindings; the resource has both.
  if (attributes['pid'] === process.pid) {
    delete attributes['pid'];
    delete attributes['hostname'];
  }
  return {
    ...severityOf(level),
    message,
    context: typeof context === 'string' ? context : undefined,
    error: isObject(error) ? errorOf(error) : error,
    stack: undefined,
    spanContext: takeSpan(attributes),
    attributes,
    time: timeOf(time),
  };
}

function parsed(line: string): Attributes | undefined {
  try {
    // Errors of ioredis that pino has written out; a reviver is slow, so only for what may be one.
    const value: unknown = line.includes('"args":[') ? JSON.parse(line, withoutArguments) : JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A line of something that is not pino, such as a pretty printer before us. */
function plainText(line: string): ForeignRecord {
  return {
    severityNumber: SEVERITY_NUMBERS.log,
    severityText: 'info',
    message: line,
    context: undefined,
    error: undefined,
    stack: undefined,
    attributes: {},
  };
}

function severityOf(level: unknown): Pick<ForeignRecord, 'severityNumber' | 'severityText'> {
  const found =
    typeof level === 'number'
      ? BY_NUMBER.find(([least]) => level >= least)
      : BY_NUMBER.find(([, text]) => text === String(level).toLowerCase());
  if (found !== undefined) return { severityText: found[1], severityNumber: found[2] };
  const isKnown = typeof level === 'number' || level === 'trace';
  return isKnown
    ? { severityText: 'trace', severityNumber: SEVERITY_NUMBERS.verbose }
    : { severityText: typeof level === 'string' ? level : '', severityNumber: SEVERITY_NUMBERS.log };
}

/** What pino's serializer made of an error: its class is called `type`. Causes are there with `errWithCause`. */
function errorOf({ type, cause, aggregateErrors, ...rest }: Attributes): object {
  if (typeof type === 'string') rest['name'] = type;
  if (cause !== undefined) rest['cause'] = isObject(cause) ? errorOf(cause) : cause;
  if (aggregateErrors !== undefined) rest['errors'] = aggregateErrors;
  return revivedError(rest);
}

/** The span that an instrumentation has written into the record. */
function takeSpan(attributes: Attributes): SpanContext | undefined {
  const { trace_id: traceId, span_id: spanId, trace_flags: flags } = attributes;
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return undefined;
  const traceFlags = typeof flags === 'string' ? Number.parseInt(flags, 16) : Number(flags ?? 0);
  const spanContext = { traceId, spanId, traceFlags: traceFlags || 0 };
  if (!api.isSpanContextValid(spanContext)) return undefined;
  for (const name of ['trace_id', 'span_id', 'trace_flags']) delete attributes[name];
  return spanContext;
}

/** Each of pino's clocks: milliseconds, seconds, nanoseconds, ISO 8601. */
function timeOf(time: unknown): number | undefined {
  if (typeof time === 'string')
    return finite(Number.isNaN(Number(time)) ? Date.parse(time) : inMs(Number(time)));
  return typeof time === 'number' ? finite(inMs(time)) : undefined;
}

function inMs(time: number): number {
  if (time >= LEAST_NS) return time / 1e6;
  return time < LEAST_MS ? time * 1_000 : time;
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
