import type { LogRecord } from '../record/log-record.js';
import type { RedisLogRecordExporter } from './exporter.js';

export interface RedisBatchLogRecordProcessorOptions {
  readonly exporter: RedisLogRecordExporter;
}

/**
 * The `LogRecordProcessor` to use with `RedisLogRecordExporter`. It takes no copy and keeps no queue of its own: a
 * record is encoded when it is emitted, straight into the exporter's bounded queue, where batches, retries and the
 * account are. Put processors that change records before it. `forceFlush` can be joined and never rejects.
 *
 * @example
 * new NodeSDK({ logRecordProcessors: [new RedisBatchLogRecordProcessor({ exporter })] });
 */
export class RedisBatchLogRecordProcessor {
  readonly #exporter: RedisLogRecordExporter;
  #isShutDown = false;

  constructor(options: RedisBatchLogRecordProcessorOptions) {
    this.#exporter = options.exporter;
  }

  onEmit(record: LogRecord): void {
    this.#exporter.emit(record);
  }

  enabled(): boolean {
    return !this.#isShutDown;
  }

  async forceFlush(options: { timeoutMillis?: number } = {}): Promise<void> {
    if (options.timeoutMillis === undefined) await this.#exporter.forceFlush();
    else await this.#exporter.flush({ timeoutMs: options.timeoutMillis });
  }

  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await this.#exporter.shutdown();
  }
}
