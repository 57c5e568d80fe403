import { RedisLogger } from '../index.js';
import { resolveLoggerOptions, resolveWriterOptions } from '../options/resolve.js';
import type { RedisLoggerOptions, RedisLogWriterOptions } from '../options/types.js';
import { DetachedExporter } from '../otel/detached-exporter.js';
import { CollectedLogs } from './collected-logs.js';

/** What a logger without an application can be told. */
export type TestingLoggerOptions = Pick<RedisLoggerOptions, 'level' | 'levels'> &
  Pick<RedisLogWriterOptions, 'redact'>;

export interface TestingLogger {
  /** Hand it to the class under test, or to Nest: `Logger.overrideLogger(logger)`. */
  readonly logger: RedisLogger;
  readonly logs: CollectedLogs;
}

/**
 * A `RedisLogger` that keeps its records instead of sending them, for unit tests without a testing module.
 *
 * @example
 * const { logger, logs } = createTestingLogger();
 * new OrdersService(logger).place();
 * expect(logs.at('error').count).toBe(0);
 *
 * @param options Default: every level is on, and `redact` is the safe list.
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options.
 */
export function createTestingLogger(options: TestingLoggerOptions = {}): TestingLogger {
  const { redact, ...rest } = options;
  const logs = new CollectedLogs();
  const writer = resolveWriterOptions(redact === undefined ? {} : { redact }, {});
  const settings = resolveLoggerOptions({ level: 'verbose', ...rest, console: false, enabled: true }, {});
  const exporter = new DetachedExporter(writer, (record) => logs.add(record));
  return { logger: RedisLogger.over(exporter, settings), logs };
}
