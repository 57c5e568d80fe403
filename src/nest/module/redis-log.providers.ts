import { type Provider, Scope } from '@nestjs/common';
import { INQUIRER } from '@nestjs/core';
import { DetachedExporter } from '../../otel/detached-exporter.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import { offerToEarlyLoggers } from '../logger/early-logger.js';
import { LoggerCore } from '../logger/logger-core.js';
import { type AnyExporter, sinkOf } from '../logger/log-sink.js';
import { RedisLogger } from '../logger/redis-logger.js';
import {
  REDIS_CHILD_LOGGER,
  REDIS_LOG_OPTIONS,
  REDIS_LOG_PARTS,
  REDIS_LOG_RESOLVED,
} from './redis-log.tokens.js';
import { type ResolvedModuleOptions, resolveModule } from './resolve-module.js';

/** What belongs to one application. */
export interface ModuleParts {
  readonly resolved: ResolvedModuleOptions;
  readonly exporter: AnyExporter;
  readonly core: LoggerCore;
}

/** What `RedisLogModule` provides. Injected by token throughout, so that no decorator metadata is needed. */
export const REDIS_LOG_PROVIDERS: Provider[] = [
  {
    provide: REDIS_LOG_RESOLVED,
    inject: [{ token: REDIS_LOG_OPTIONS, optional: true }],
    useFactory: resolveModule,
  },
  {
    provide: RedisLogRecordExporter,
    inject: [REDIS_LOG_RESOLVED],
    useFactory: makeExporter,
  },
  {
    provide: REDIS_LOG_PARTS,
    inject: [REDIS_LOG_RESOLVED, RedisLogRecordExporter],
    useFactory: makeParts,
  },
  {
    provide: RedisLogger,
    inject: [REDIS_LOG_PARTS],
    useFactory: ({ core }: ModuleParts) => new RedisLogger(core),
  },
  {
    provide: REDIS_CHILD_LOGGER,
    scope: Scope.TRANSIENT,
    inject: [RedisLogger, INQUIRER],
    useFactory: (logger: RedisLogger, inquirer: object | undefined) =>
      logger.withContext(inquirer?.constructor?.name ?? ''),
  },
];

/** Turned off means no socket, whoever injects the exporter. */
function makeExporter({ exporter, writer, logger }: ResolvedModuleOptions): AnyExporter {
  if (!logger.enabled) return new DetachedExporter(writer);
  return exporter ?? new RedisLogRecordExporter(writer);
}

function makeParts(resolved: ResolvedModuleOptions, exporter: AnyExporter): ModuleParts {
  const { logger, writer } = resolved;
  const sink = resolved.exporter === undefined ? sinkOf(exporter) : exporter;
  const core = new LoggerCore({ logger, resource: exporter.options.resource, redact: writer.redact }, sink);
  offerToEarlyLoggers(core);
  if (resolved.startsAtOnce === true) core.start();
  return { resolved, exporter, core };
}
