import type { Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { resolveWriterOptions } from '../options/resolve.js';
import type { RedisLogWriterOptions, ResolvedWriterOptions } from '../options/types.js';
import type { LogStats } from '../pipeline/account.js';
import type { FlushResult } from '../pipeline/pipeline-parts.js';
import { timeLimitOf } from '../pipeline/runtime.js';
import type { LogRecord } from '../record/log-record.js';
import { compileRedactor, type Redactor } from '../record/redact.js';
import type { LevelsListener } from '../redis/fleet-levels.js';
import type { HealthOptions, LogHealth } from '../redis/health.js';
import { type OpenPipeline, openPipeline } from '../redis/open-pipeline.js';
import { feedDiag } from './diag.js';
import { isolated } from './isolation.js';
import { ExporterMetrics } from './metrics.js';
import { redacted, unredactable } from './redacted.js';
import { resolveAll } from './resolve-redact.js';

/** The SDK's `ExportResult`, whose codes are 0 for success and 1 for failure in all its versions. */
export interface ExportResult {
  code: 0 | 1;
  error?: Error;
}

const SUCCESS: ExportResult = { code: 0 };
const FLUSH_TIMEOUT_MS = 30_000;
const UNREADABLE = {} as LogRecord;

/**
 * An OpenTelemetry `LogRecordExporter` that writes to a Redis stream. Use it behind `RedisBatchLogRecordProcessor`,
 * behind the SDK's own BatchLogRecordProcessor, or hand it to `RedisLogModule` as `exporter`; all that share one
 * exporter share its queue, its connection and its account. The first record connects.
 *
 * `export` answers as soon as the records are accepted: waiting, retrying and counting are this exporter's business
 * from then on. `forceFlush` and `shutdown` never reject and are bounded.
 */
export class RedisLogRecordExporter {
  /** The options in force, with every default. */
  readonly options: ResolvedWriterOptions;
  readonly #open: OpenPipeline;
  readonly #redactor: Redactor | undefined;
  #holders = 0;
  #isShutDown = false;
  #isRedacting = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(
    options?: RedisLogWriterOptions | ResolvedWriterOptions,
    around: { readonly diagnostics?: Diagnostics } = {},
  ) {
    feedDiag();
    this.options = resolveAll(() => resolveWriterOptions(options), options?.redact);
    this.#redactor = this.options.redact ? compileRedactor(this.options.redact) : undefined;
    const { maxRecords } = this.options.queue;
    const watch = new ExporterMetrics({ stats: () => this.stats(), queueCapacity: maxRecords });
    this.#open = openPipeline(this.options, { ...around, isolate: isolated, watch });
  }

  /** Calls back exactly once: success when all records are accepted, else failure with what was refused. */
  export(records: readonly LogRecord[], resultCallback: (result: ExportResult) => void): void {
    let refused = 0;
    for (const record of records) if (!this.emit(record)) refused++;
    resultCallback(refused === 0 ? SUCCESS : { code: 1, error: this.#refusal(refused, records.length) });
  }

  /** One record, straight into the queue. Never throws; false when it was refused, which `stats().dropped` counts. */
  emit(record: LogRecord): boolean {
    return this.#open.emit(this.#redactor === undefined ? record : this.#redacted(record, this.#redactor));
  }

  /** One record that was redacted already. */
  emitRedacted(record: LogRecord): boolean {
    return this.#open.emit(record);
  }

  /** Resolves when everything accepted so far has an outcome, or after `sendTimeoutMs`. Never rejects. */
  async forceFlush(): Promise<void> {
    await this.flush({ timeoutMs: this.options.sendTimeoutMs });
  }

  /**
   * Sends what waits and disconnects, within `shutdownTimeoutMs`. While a Nest module holds the exporter, it only
   * flushes: records of the module's own shutdown are still to come, and the module ends the connection. Never rejects.
   */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    if (this.#holders > 0) await this.flush({ timeoutMs: this.options.shutdownTimeoutMs });
    else await this.#close();
  }

  /** As `forceFlush`, with a time of one's own (default 30,000 ms) and an account of what became of the records. */
  flush(options: { readonly timeoutMs?: number } = {}): Promise<FlushResult> {
    const timeoutMs = timeLimitOf(options, FLUSH_TIMEOUT_MS);
    return isolated(() => this.#open.pipeline.flush(timeoutMs));
  }

  stats(): LogStats {
    return this.#open.pipeline.stats();
  }

  /** Whether records are stored as they come, and if not, why and since when. Asks nobody, and answers at once. */
  health(options?: HealthOptions): LogHealth {
    return this.#open.health(options);
  }

  /**
   * Calls back with the levels that `RedisLogLevels` has set for all processes of the stream, every few seconds while there
   * are any, and once when there are none any more. Ends with the function returned.
   */
  watchLevels(listener: LevelsListener): () => void {
    return this.#open.watchLevels(listener);
  }

  get isClosed(): boolean {
    return this.#open.pipeline.isClosed;
  }

  /** Connects now rather than with the first record. */
  connect(): void {
    this.#open.connect();
  }

  /** Keeps `shutdown()` from closing the exporter until `release()`. */
  hold(): void {
    this.#holders++;
  }

  /**
   * Ends a hold. The last one out closes when `shutdown()` has been called meanwhile, or when it owns the exporter;
   * else it flushes.
   */
  release(options: { readonly isOwner: boolean }): Promise<FlushResult> {
    this.#holders = Math.max(0, this.#holders - 1);
    const closes = this.#holders === 0 && (options.isOwner || this.#isShutDown);
    return closes ? this.#close() : this.flush({ timeoutMs: this.options.shutdownTimeoutMs });
  }

  #close(): Promise<FlushResult> {
    return isolated(() => this.#open.close(this.options.shutdownTimeoutMs));
  }

  #redacted(record: LogRecord, redactor: Redactor): LogRecord {
    // A censor function of the user's that logs a secret in turn would never end.
    const isNested = this.#isRedacting;
    this.#isRedacting = true;
    try {
      return isNested ? unredactable(record) : redacted(record, redactor);
    } catch {
      // A record whose own getters throw; the pipeline sets it aside, and counts it.
      return UNREADABLE;
    } finally {
      this.#isRedacting = isNested;
    }
  }

  #refusal(refused: number, total: number): Error {
    const reason = this.isClosed ? 'the exporter is shut down' : 'see stats().dropped for the reasons';
    return new RedisLogError(
      'REDIS_LOG_REFUSED',
      `${refused} of ${total} log records were refused: ${reason}.`,
    );
  }
}
