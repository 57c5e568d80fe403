import type { DetachedExporter } from '../../otel/detached-exporter.js';
import type { RedisLogRecordExporter } from '../../otel/exporter.js';
import type { LogStats } from '../../pipeline/account.js';
import type { FlushResult } from '../../pipeline/pipeline-parts.js';
import type { HealthOptions, LogHealth } from '../../redis/health.js';
import type { LogRecord } from '../../record/log-record.js';

/** An exporter, of either kind. */
export type AnyExporter = RedisLogRecordExporter | DetachedExporter;

/** Where the logger's records go: the exporter, or a collector in tests. */
export interface LogSink {
  /** Never throws, never waits. False when the record was refused. */
  emit(record: LogRecord): boolean;
  flush(options?: { readonly timeoutMs?: number }): Promise<FlushResult>;
  stats(): LogStats;
  health(options?: HealthOptions): LogHealth;
}

/** Logger and exporter have one `redact` option, so the exporter need not censor again what the logger censored. */
export function sinkOf(exporter: AnyExporter): LogSink {
  return {
    emit: (record) => exporter.emitRedacted(record),
    flush: (options) => exporter.flush(options),
    stats: () => exporter.stats(),
    health: (options) => exporter.health(options),
  };
}
