export { isRedisLogError, RedisLogError, type RedisLogErrorCode } from '../errors.js';
export type { ConnectionOptions, InsightsOptions, ServiceOptions } from '../options/types.js';
export type { LogRecord } from '../record/log-record.js';
export { InsightsCounter, type InsightsStats } from './insights/insights-counter.js';
export { LogInsights, type LogInsightsOptions } from './insights/log-insights.js';
export type { InsightsCounterOptions } from './insights/options.js';
export type { InsightsLevel } from './insights/section.js';
export type {
  CommonMessage,
  CommonMessages,
  CommonOptions,
  RecentMessages,
  RecentOptions,
} from './insights/types.js';
export type { InsightsWindow } from './insights/window.js';
export type { LogQuery } from './log-query.js';
export { LogReader } from './log-reader.js';
export type { LogTail } from './log-tail.js';
export type { Moment } from './moment.js';
export type { LogReaderOptions } from './options.js';
export type { QueryNode, QueryOperator, QueryValue } from './query-language/ast.js';
export { compileQuery } from './query-language/compile.js';
export { parseQuery } from './query-language/parse.js';
export { printQuery } from './query-language/print.js';
export type {
  LogContextOptions,
  LogEntry,
  LogFilter,
  LogQueryOptions,
  LogTailOptions,
  MalformedLogEntry,
  QueryProgress,
  TailGap,
} from './types.js';
