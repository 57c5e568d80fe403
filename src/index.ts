export { isRedisLogError, RedisLogError, type RedisLogErrorCode } from './errors.js';
export { pinoRedisLog, type PinoRedisLogOptions, type PinoRedisLogStream } from './nest/bridges/pino.js';
export { RedisLogWinstonTransport, type RedisLogWinstonTransportOptions } from './nest/bridges/winston.js';
export { RedisLogContext } from './nest/context/redis-log-context.js';
export { LogTask } from './nest/handlers/log-task.js';
export { RedisLogInterceptor } from './nest/handlers/redis-log.interceptor.js';
export { RedisLogTasks } from './nest/handlers/redis-log-tasks.js';
export { SkipRequestLog } from './nest/http/skip-request-log.js';
export {
  RedisLogHealthIndicator,
  type RedisLogHealthResult,
} from './nest/health/redis-log-health.indicator.js';
export { getRedisLoggerToken, InjectRedisLogger } from './nest/inject-redis-logger.js';
export { OnLogs, type OnLogsOptions } from './nest/consumers/on-logs.decorator.js';
export { RedisLogger } from './nest/logger/redis-logger.js';
export {
  ALERT_FIRING_EVENT,
  ALERT_RESOLVED_EVENT,
  MONITOR_SAMPLE_EVENT,
} from './nest/monitor/monitor-events.js';
export type {
  RedisLogMonitorAsyncOptions,
  RedisLogMonitorExtras,
  RedisLogMonitorOptions,
  ScaleRouteOptions,
} from './nest/monitor/monitor-options.js';
export { RedisLogMonitorModule } from './nest/monitor/redis-log-monitor.module.js';
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
export type { HealthOptions, LogHealth, LogHealthStatus } from './redis/health.js';
export { type FleetLevel, RedisLogLevels } from './redis/redis-log-levels.js';
export { partitionStreams } from './options/partition-names.js';
export type { LogRecord } from './record/log-record.js';
export { streamByService, streamBySeverity } from './record/stream-functions.js';
