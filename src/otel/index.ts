export { type ExportResult, RedisLogRecordExporter } from './exporter.js';
export { registerGlobalLogs } from './global-logs.js';
export { RedisBatchLogRecordProcessor, type RedisBatchLogRecordProcessorOptions } from './processor.js';
export type { RedisLogWriterOptions } from '../options/types.js';
export type { DropReason, LogStats } from '../pipeline/account.js';
export type { FlushResult } from '../pipeline/pipeline-parts.js';
