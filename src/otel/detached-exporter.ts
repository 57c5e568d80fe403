import type { ResolvedWriterOptions } from '../options/types.js';
import type { LogStats } from '../pipeline/account.js';
import type { FlushResult } from '../pipeline/pipeline-parts.js';
import type { LogRecord } from '../record/log-record.js';
import { compileRedactor, type Redactor } from '../record/redact.js';
import { HealthWatch, type LogHealth } from '../redis/health.js';
import type { ExportResult, RedisLogRecordExporter } from './exporter.js';
import { redacted } from './redacted.js';

/** All that an exporter shows, so that the one can stand in the place of the other. */
type ExporterSurface = Pick<RedisLogRecordExporter, keyof RedisLogRecordExporter>;

/**
 * An exporter without Redis: hands its records, redacted, to a function, or lets go of them. It opens no socket and no
 * timer. For tests, and for logging that is turned off, where somebody may inject the exporter all the same.
 */
export class DetachedExporter implements ExporterSurface {
  readonly options: ResolvedWriterOptions;
  readonly #take: ((record: LogRecord) => void) | undefined;
  readonly #redactor: Redactor | undefined;
  #taken = 0;
  #isShutDown = false;

  constructor(options: ResolvedWriterOptions, take?: (record: LogRecord) => void) {
    this.options = options;
    this.#take = take;
    this.#redactor = options.redact ? compileRedactor(options.redact) : undefined;
  }

  get isClosed(): boolean {
    return this.#isShutDown;
  }

  export(records: readonly LogRecord[], resultCallback: (result: ExportResult) => void): void {
    for (const record of records) this.emit(record);
    resultCallback({ code: 0 });
  }

  emit(record: LogRecord): boolean {
    return this.emitRedacted(this.#redactor === undefined ? record : redacted(record, this.#redactor));
  }

  emitRedacted(record: LogRecord): boolean {
    if (this.#take !== undefined) {
      this.#taken++;
      this.#take(record);
    }
    return true;
  }

  flush(): Promise<FlushResult> {
    const none = { dropped: 0, spooled: 0, unconfirmed: 0, pending: 0, timedOut: false };
    return Promise.resolve({ delivered: this.#taken, ...none });
  }

  async forceFlush(): Promise<void> {
    await this.flush();
  }

  shutdown(): Promise<void> {
    this.#isShutDown = true;
    return Promise.resolve();
  }

  stats(): LogStats {
    const nothing = { recovered: 0, queued: 0, spooled: 0, inFlight: 0, unconfirmed: 0, retried: 0 };
    const { delivery } = this.options;
    const noDuplicates = { duplicatesSuppressed: 0, possibleDuplicates: 0, trimmedUnacknowledged: 0 };
    return {
      emitted: this.#taken,
      delivered: this.#taken,
      ...nothing,
      dropped: {},
      ...noDuplicates,
      delivery,
    };
  }

  /** Nothing can be away that is not used. */
  health(): LogHealth {
    return new HealthWatch({
      now: () => 0,
      state: () => 'idle',
      cause: () => undefined,
      stats: () => this.stats(),
      queueCapacity: this.options.queue.maxRecords,
    }).health();
  }

  watchLevels(): () => void {
    return () => undefined;
  }

  connect(): void {
    // There is nowhere to connect to.
  }

  hold(): void {
    // Nothing is open that could be closed too early.
  }

  async release(): Promise<FlushResult> {
    await this.shutdown();
    return this.flush();
  }
}
