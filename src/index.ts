export { isRedisLogError, RedisLogError, type RedisLogErrorCode } from './errors.js';
export { InjectRedisLogger } from './nest/inject-redis-logger.js';
export { RedisLogger } from './nest/logger/redis-logger.js';
export type {
  RedisLogModuleAsyncOptions,
  RedisLogModuleOptions,
  RedisLogOptionsFactory,
} from './nest/module/redis-log-options.js';
export { RedisLogModule } from './nest/module/redis-log.module.js';
export { REDIS_CHILD_LOGGER, REDIS_LOG_OPTIONS } from './nest/module/redis-log.tokens.js';
export type * from './options/types.js';
export { type ExportResult, RedisLogRecordExporter } from './otel/exporter.js';
export { registerGlobalLogs } from './otel/global-logs.js';
export { RedisBatchLogRecordProcessor, type RedisBatchLogRecordProcessorOptions } from './otel/processor.js';
export type { DropReason, LogStats } from './pipeline/account.js';
export type { FlushResult } from './pipeline/pipeline-parts.js';
export type { LogRecord } from './record/log-record.js';
