import type { LogRecord } from '../record/log-record.js';

/** A stream in several parts, each a stream of its own, which readers and consumers read as one. See docs/partitions.md. */
export interface PartitionOptions {
  /** How many, 1 to 64. Readers and consumers need the same number, or a higher one. 1: the stream itself. */
  readonly count: number;
  /**
   * What keeps records in one partition. `trace` (default): the trace id. A function: the text that it returns. Records
   * for which there is none, or an empty one, go in turn to all partitions, in runs as long as a batch.
   */
  readonly by?: 'trace' | ((record: LogRecord) => string);
}
