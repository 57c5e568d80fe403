import * as api from '@opentelemetry/api';
import { exceptionAttributes } from '../record/exception.js';
import type {
  Attributes,
  HrTime,
  InstrumentationScope,
  LogRecord,
  Resource,
  SpanContext,
} from '../record/log-record.js';
import { Normalizer } from '../record/normalize.js';
import { readSafely } from '../record/normalize-text.js';

/** The part of an exporter that a provider needs. */
export interface RecordSink {
  readonly options: { readonly resource: Resource };
  readonly isClosed: boolean;
  emit(record: LogRecord): boolean;
}

/** The least a logger of the API has to be; the same in `@opentelemetry/api` 1.10 and `@opentelemetry/api-logs`. */
export interface GlobalLogger {
  emit(record: object): void;
  enabled(): boolean;
}

/** Libraries have one logger each; one that makes up names all the time must not fill the memory. */
const MAX_LOGGERS = 1_000;

/**
 * A LoggerProvider of the Logs API whose loggers write straight into an exporter. What a library hands over is copied
 * and made storable at once: nothing it holds can make a log call throw, or change the record later.
 */
export class GlobalLoggerProvider {
  readonly #sink: RecordSink;
  readonly #normalizer = new Normalizer();
  readonly #loggers = new Map<string, GlobalLogger>();
  #isOpen = true;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  getLogger(name: unknown, version?: unknown, options?: unknown): GlobalLogger {
    const scope = this.#scopeOf(name, version, options);
    const { attributes = {} } = scope;
    const key = JSON.stringify([scope.name, scope.version, scope.schemaUrl, attributes]);
    let logger = this.#loggers.get(key);
    if (logger === undefined) {
      if (this.#loggers.size >= MAX_LOGGERS) this.#loggers.clear();
      logger = this.#loggerOf(scope);
      this.#loggers.set(key, logger);
    }
    return logger;
  }

  /** Loggers that libraries hold on to write nothing from now on. */
  close(): void {
    this.#isOpen = false;
  }

  #loggerOf(scope: InstrumentationScope): GlobalLogger {
    return {
      emit: (record) => {
        if (this.#isOpen) this.#sink.emit(this.#recordOf(record, scope));
      },
      enabled: () => this.#isOpen && !this.#sink.isClosed,
    };
  }

  #scopeOf(name: unknown, version: unknown, options: unknown): InstrumentationScope {
    const given = typeof options === 'object' && options !== null ? options : {};
    const schemaUrl = text(readSafely(given, 'schemaUrl'));
    const named = readSafely(given, 'attributes');
    const attributes: Attributes = {};
    this.#normalizer.begin();
    if (isObject(named)) this.#normalizer.attributes(named, attributes);
    return {
      name: text(name) ?? '',
      version: text(version),
      schemaUrl,
      ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    };
  }

  #recordOf(given: object, scope: InstrumentationScope): LogRecord {
    const normalizer = this.#normalizer;
    normalizer.begin();
    const now = Date.now();
    const attributes: Attributes = {};
    const body = normalizer.value(readSafely(given, 'body'));
    const named = readSafely(given, 'attributes');
    if (isObject(named)) normalizer.attributes(named, attributes);
    const exception = readSafely(given, 'exception');
    if (exception !== undefined && exception !== null) addException(exception, attributes, normalizer);
    if (normalizer.truncations > 0) attributes['log.truncations'] = normalizer.truncations;
    const severityNumber = readSafely(given, 'severityNumber');
    return {
      hrTime: hrTimeOf(readSafely(given, 'timestamp'), now),
      hrTimeObserved: hrTimeOf(readSafely(given, 'observedTimestamp'), now),
      spanContext: spanOf(readSafely(given, 'context')),
      severityNumber: typeof severityNumber === 'number' ? severityNumber : undefined,
      severityText: text(readSafely(given, 'severityText')),
      body,
      eventName: text(readSafely(given, 'eventName')),
      resource: this.#sink.options.resource,
      instrumentationScope: scope,
      attributes,
      droppedAttributesCount: normalizer.droppedAttributes,
    };
  }
}

/** What the library says of the exception itself wins, as the SDK has it. */
function addException(exception: unknown, attributes: Attributes, normalizer: Normalizer): void {
  const described: Attributes = {};
  exceptionAttributes(exception, described, normalizer);
  for (const name of Object.keys(described)) {
    if (!Object.hasOwn(attributes, name)) attributes[name] = described[name];
  }
}

function spanOf(context: unknown): SpanContext | undefined {
  try {
    const span = api.trace.getSpanContext((context as api.Context | undefined) ?? api.context.active());
    return span !== undefined && api.isSpanContextValid(span) ? span : undefined;
  } catch {
    // Something that is no context.
    return undefined;
  }
}

/**
 * The API's TimeInput: milliseconds since the epoch, a Date, seconds and nanoseconds, or a reading of
 * `performance.now()`, which is a small number. Everything else is now.
 */
function hrTimeOf(input: unknown, now: number): HrTime {
  if (Array.isArray(input)) {
    const [seconds, nanoseconds] = input as unknown[];
    return isNumber(seconds) && isNumber(nanoseconds) ? [seconds, nanoseconds] : hrTimeOfMs(now);
  }
  const ms = input instanceof Date ? input.getTime() : input;
  if (!isNumber(ms)) return hrTimeOfMs(now);
  return hrTimeOfMs(ms < performance.timeOrigin / 2 ? performance.timeOrigin + ms : ms);
}

function hrTimeOfMs(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
