export { type DecodeOptions, decodeLogRecord, type DecodeResult } from './codec/decode.js';
export { encodeLogRecord, type EncodeOptions } from './codec/encode.js';
export { type EncodedResource, encodeResource } from './codec/resource.js';
export { type AclOptions, type AclRole, aclRules } from './redis/acl.js';
export { partitionStreams } from './options/partition-names.js';
export type { DropReason, LogStats } from './pipeline/account.js';
export type { FlushResult } from './pipeline/pipeline-parts.js';
export type { HealthOptions, LogHealth, LogHealthStatus } from './redis/health.js';
export { type FleetLevel, RedisLogLevels } from './redis/redis-log-levels.js';
export type { DropEvent, RetryEvent, StateEvent } from './redis/published-events.js';
export { type LogInput, RedisLogWriter } from './redis/log-writer.js';
export { messageTemplate } from './record/message-template.js';
export { streamByService, streamBySeverity } from './record/stream-functions.js';
export type {
  Attributes,
  HrTime,
  InstrumentationScope,
  LogRecord,
  Resource,
  SpanContext,
} from './record/log-record.js';
export { isRedisLogError, RedisLogError, type RedisLogErrorCode } from './errors.js';
export type * from './options/types.js';
