import * as api from '@opentelemetry/api';
import { createDiagnostics, describeError } from '../../diagnostics.js';
import type { LogProcessor } from '../../options/types.js';
import type { Attributes, LogRecord } from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import type { Redactor } from '../../record/redact.js';
import type { LogSink } from './log-sink.js';

const diagnostics = createDiagnostics();

/** The sink, with the processors of a user before it. One that throws is told of, and passed over. */
export function processedSink(
  sink: LogSink,
  processors: readonly LogProcessor[],
  redactor: Redactor | undefined,
): LogSink {
  if (processors.length === 0) return sink;
  return {
    emit(record) {
      const open = new ProcessedRecord(record, redactor);
      const context = api.context.active();
      for (const processor of processors) {
        try {
          processor.onEmit(open, context);
        } catch (error) {
          diagnostics.error('processors', `A log record processor failed: ${describeError(error)}`);
        }
      }
      return sink.emit(open.close());
    },
    flush: (options) => sink.flush(options),
    stats: () => sink.stats(),
    health: (options) => sink.health(options),
  };
}

/** Ends what the processors hold, as a LoggerProvider does; resolves, and never rejects, within `timeoutMs`. */
export async function shutDownProcessors(
  processors: readonly LogProcessor[],
  timeoutMs: number,
): Promise<void> {
  if (processors.length === 0) return;
  const ends = processors.map(async (processor) => processor.shutdown?.());
  const timer = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
  await Promise.race([Promise.allSettled(ends), timer]);
}

/**
 * A record as processors of either generation of the SDK expect it: it reads like a `ReadableLogRecord`, and can be
 * changed until the last of them has returned. What is set is made storable and censored like everything else.
 */
class ProcessedRecord implements LogRecord {
  readonly hrTime: LogRecord['hrTime'];
  readonly hrTimeObserved: LogRecord['hrTimeObserved'];
  readonly spanContext: LogRecord['spanContext'];
  readonly resource: LogRecord['resource'];
  readonly instrumentationScope: LogRecord['instrumentationScope'];
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  severityNumber: LogRecord['severityNumber'];
  severityText: LogRecord['severityText'];
  body: LogRecord['body'];
  eventName: LogRecord['eventName'];
  readonly #redactor: Redactor | undefined;
  #isOpen = true;

  constructor(record: LogRecord, redactor: Redactor | undefined) {
    this.hrTime = record.hrTime;
    this.hrTimeObserved = record.hrTimeObserved;
    this.spanContext = record.spanContext;
    this.resource = record.resource;
    this.instrumentationScope = record.instrumentationScope;
    this.attributes = record.attributes;
    this.droppedAttributesCount = record.droppedAttributesCount;
    this.severityNumber = record.severityNumber;
    this.severityText = record.severityText;
    this.body = record.body;
    this.eventName = record.eventName;
    this.#redactor = redactor;
  }

  close(): this {
    this.#isOpen = false;
    return this;
  }

  setAttribute(key: string, value: unknown): this {
    return this.setAttributes({ [key]: value });
  }

  setAttributes(attributes: object): this {
    if (this.#isOpen) Object.assign(this.attributes, this.#clean(attributes));
    return this;
  }

  setBody(body: unknown): this {
    if (this.#isOpen) this.body = this.#clean({ body })['body'];
    return this;
  }

  setEventName(eventName: string): this {
    if (this.#isOpen) this.eventName = eventName;
    return this;
  }

  setSeverityNumber(severityNumber: number): this {
    if (this.#isOpen) this.severityNumber = severityNumber;
    return this;
  }

  setSeverityText(severityText: string): this {
    if (this.#isOpen) this.severityText = severityText;
    return this;
  }

  #clean(values: object): Attributes {
    const clean: Attributes = {};
    const normalizer = new Normalizer();
    normalizer.begin();
    normalizer.attributes(values as Attributes, clean);
    this.#redactor?.redact(clean);
    return clean;
  }
}
