import type { LogStats } from '../../pipeline/account.js';
import type { FlushResult } from '../../pipeline/pipeline-parts.js';
import type { LogRecord } from '../../record/log-record.js';

/** Where the logger's records go: the exporter, or a collector in tests. */
export interface LogSink {
  /** Never throws, never waits. False when the record was refused. */
  emit(record: LogRecord): boolean;
  flush(options?: { readonly timeoutMs?: number }): Promise<FlushResult>;
  stats(): LogStats;
}
