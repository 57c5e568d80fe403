import { createDiagnostics, describeError } from '../../diagnostics.js';
import { RedisLogError } from '../../errors.js';
import type { RedisLogRecordExporter } from '../../otel/exporter.js';
import type { Attributes, SpanContext } from '../../record/log-record.js';
import { LEVELS, severityClass } from '../../record/severity.js';
import { safeRedactor } from '../logger/logger-core.js';
import { RecordBuilder, thisMoment } from '../logger/record-builder.js';

/** What the bridges from other loggers are given. */
export interface BridgeOptions {
  /** Where the records go: the exporter of `RedisLogModule` (inject it), or one of your own. It stays yours to close. */
  readonly exporter: RedisLogRecordExporter;
}

/** One record of another logger, in the words of this package. */
export interface ForeignRecord {
  /** 1 to 24. */
  readonly severityNumber: number;
  /** The other logger's own word. */
  readonly severityText: string;
  readonly message: unknown;
  readonly context: string | undefined;
  readonly error: unknown;
  /** A stack that was given as text. */
  readonly stack: string | undefined;
  readonly attributes: Attributes;
  /** Milliseconds since the Unix epoch. Default: now. */
  readonly time?: number | undefined;
  /** Default: the active span. */
  readonly spanContext?: SpanContext | undefined;
}

const diagnostics = createDiagnostics();

/**
 * Takes records of another logger into the exporter's pipeline. They are bounded and censored as those of `RedisLogger`
 * are, and get the attributes of `RedisLogContext`. Their level is the other logger's business.
 */
export class Bridge {
  readonly #exporter: RedisLogRecordExporter;
  readonly #builder: RecordBuilder;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` without an exporter of this package */
  constructor({ exporter }: BridgeOptions) {
    if (typeof (exporter as Partial<RedisLogRecordExporter> | undefined)?.emitRedacted !== 'function') {
      throw new RedisLogError(
        'REDIS_LOG_INVALID_OPTIONS',
        'exporter is missing or something else. Inject RedisLogRecordExporter, or make one, and hand it over.',
        { subject: 'exporter' },
      );
    }
    const { resource, redact } = exporter.options;
    this.#exporter = exporter;
    this.#builder = new RecordBuilder(resource, safeRedactor(redact));
  }

  /** Writes what `read` makes of the other logger's record. Never throws, and never waits. */
  write(read: () => ForeignRecord): void {
    try {
      this.#emit(read());
    } catch (error) {
      diagnostics.error('bridge', `A record of another logger could not be read: ${describeError(error)}`);
    }
  }

  /** Calls back when everything written so far has an outcome, or the time is up; see `RedisLogRecordExporter.flush`. */
  flush(done: () => void): void {
    void this.#exporter.flush().then(() => done());
  }

  #emit(record: ForeignRecord): void {
    const { severityNumber, severityText, message, attributes, context, stack, error } = record;
    const now = thisMoment();
    const moment = {
      ...now,
      time: record.time ?? now.time,
      spanContext: record.spanContext ?? now.spanContext,
    };
    const call = { messages: [message], context, stack, params: attributes, error };
    const level = LEVELS[severityClass(severityNumber)] ?? 'log';
    const built = this.#builder.build(level, call, { moment, index: 0 });
    this.#exporter.emitRedacted({ ...built, severityNumber, severityText });
  }
}

/** An error of which only the properties are left, as an error again. */
export function revivedError(properties: object): object {
  return Object.assign(Object.create(Error.prototype) as object, properties);
}
