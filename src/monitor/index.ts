export { defaultAlertRules } from './alerts/default-rules.js';
export type {
  Alert,
  AlertFinding,
  AlertOptions,
  AlertRule,
  AlertSeverity,
  AlertSubject,
  WebhookOptions,
} from './alerts/types.js';
export { type CleanedConsumer, type ConsumerHealth, consumerHealth, type HealthLimits } from './janitor.js';
export type { CleanUpOptions, StreamMonitorOptions } from './options.js';
export { ScaleAdvisor, type ScaleAdvisorOptions } from './scaling/scale-advisor.js';
export { scaleEndpoint } from './scaling/scale-endpoint.js';
export {
  backlogRate,
  type DrainOptions,
  drainStrategy,
  type RateOptions,
  rateStrategy,
} from './scaling/strategies.js';
export type { ScaleAdvice, ScaleDecision, ScaleInput, ScaleStrategy, ScaleWish } from './scaling/types.js';
export { type MonitorSurroundings, StreamMonitor } from './stream-monitor.js';
export { renderTable, type TableOptions } from './table.js';
export type {
  ConsumerSample,
  EntryCount,
  ErrorMessage,
  ErrorSample,
  GroupSample,
  GroupStatus,
  HealedGroup,
  MonitorSample,
  OldestPending,
  ProducerSample,
  ServerSample,
  StreamSample,
} from './types.js';
export { isRedisLogError, RedisLogError, type RedisLogErrorCode } from '../errors.js';
export type { ConnectionOptions, RetentionOptions } from '../options/types.js';
