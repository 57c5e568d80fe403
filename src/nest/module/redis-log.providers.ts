import { ConsoleLogger, type Provider, Scope } from '@nestjs/common';
import { INQUIRER } from '@nestjs/core';
import { resolveModuleOptions } from '../../options/resolve.js';
import type { ResolvedLoggerOptions, ResolvedWriterOptions } from '../../options/types.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import { adoptEarlyLoggers } from '../logger/early-logger.js';
import { LoggerCore } from '../logger/logger-core.js';
import { RedisLogger } from '../logger/redis-logger.js';
import type { RedisLogModuleOptions } from './redis-log-options.js';
import { REDIS_CHILD_LOGGER, REDIS_LOG_OPTIONS, REDIS_LOG_RESOLVED } from './redis-log.tokens.js';

export interface ResolvedModuleOptions {
  readonly writer: ResolvedWriterOptions;
  readonly logger: ResolvedLoggerOptions;
  /** The exporter that was handed in, if any. */
  readonly exporter: RedisLogRecordExporter | undefined;
}

/** What `RedisLogModule` provides. Injected by token throughout, so that no decorator metadata is needed. */
export const REDIS_LOG_PROVIDERS: Provider[] = [
  {
    provide: REDIS_LOG_RESOLVED,
    inject: [{ token: REDIS_LOG_OPTIONS, optional: true }],
    useFactory: (options: RedisLogModuleOptions | undefined): ResolvedModuleOptions => ({
      ...resolveModuleOptions(options ?? {}),
      exporter: options?.exporter,
    }),
  },
  {
    provide: RedisLogRecordExporter,
    inject: [REDIS_LOG_RESOLVED],
    useFactory: ({ exporter, writer }: ResolvedModuleOptions) => exporter ?? new RedisLogRecordExporter(writer),
  },
  {
    provide: RedisLogger,
    inject: [REDIS_LOG_RESOLVED, RedisLogRecordExporter],
    useFactory: makeLogger,
  },
  {
    provide: REDIS_CHILD_LOGGER,
    scope: Scope.TRANSIENT,
    inject: [RedisLogger, INQUIRER],
    useFactory: (logger: RedisLogger, inquirer: object | undefined) =>
      logger.withContext(inquirer?.constructor?.name ?? ''),
  },
];

function makeLogger(resolved: ResolvedModuleOptions, exporter: RedisLogRecordExporter): RedisLogger {
  const { logger } = resolved;
  const { resource, redact } = exporter.options;
  // An exporter of the user's own censors what it was told to; the logger's records come to it censored already.
  const sink = {
    emit: (record: Parameters<RedisLogRecordExporter['emit']>[0]) =>
      resolved.exporter === undefined ? exporter.emitRedacted(record) : exporter.emit(record),
    flush: (options?: { readonly timeoutMs?: number }) => exporter.flush(options),
    stats: () => exporter.stats(),
  };
  const options = { logger, resource, redact: resolved.exporter === undefined ? redact : resolved.writer.redact };
  const core = new LoggerCore(options, sink, consoleOf(logger));
  adoptEarlyLoggers(core);
  return new RedisLogger(core);
}

function consoleOf(options: ResolvedLoggerOptions): ConsoleLogger | undefined {
  // Levels are decided by us; the console prints whatever it is handed.
  const logLevels = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;
  if (!options.enabled) return new ConsoleLogger({ logLevels: [...logLevels] });
  if (options.console === false) return undefined;
  return new ConsoleLogger({ logLevels: [...logLevels], json: options.console === 'json' });
}
