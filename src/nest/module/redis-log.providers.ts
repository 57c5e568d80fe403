import { type Provider, Scope } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, INQUIRER, ModulesContainer } from '@nestjs/core';
import { DetachedExporter } from '../../otel/detached-exporter.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import { LogInsights } from '../../reader/insights/log-insights.js';
import { LogReader } from '../../reader/log-reader.js';
import { LogConsumers } from '../consumers/log-consumers.js';
import { RedisLogContext } from '../context/redis-log-context.js';
import { OutcomeLog } from '../handlers/outcome-log.js';
import { RedisLogInterceptor } from '../handlers/redis-log.interceptor.js';
import { RedisLogTasks } from '../handlers/redis-log-tasks.js';
import { RedisLogHealthIndicator } from '../health/redis-log-health.indicator.js';
import type { RequestLog } from '../http/request-log.js';
import type { ModuleInsightsCounter } from '../reader/module-insights-counter.js';
import { ModuleLogInsights } from '../reader/module-log-insights.js';
import { ModuleLogReader } from '../reader/module-log-reader.js';
import { RedisLogLevels } from '../../redis/redis-log-levels.js';
import { LocalLevels } from '../logger/local-levels.js';
import { offerToEarlyLoggers } from '../logger/early-logger.js';
import { LoggerCore, safeRedactor } from '../logger/logger-core.js';
import { type AnyExporter, sinkOf } from '../logger/log-sink.js';
import { RedisLogger } from '../logger/redis-logger.js';
import {
  REDIS_CHILD_LOGGER,
  REDIS_LOG_INSIGHTS_COUNTER,
  REDIS_LOG_OPTIONS,
  REDIS_LOG_OUTCOMES,
  REDIS_LOG_PARTS,
  REDIS_LOG_REQUESTS,
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
  { provide: RedisLogHealthIndicator, useClass: RedisLogHealthIndicator },
  {
    provide: RedisLogLevels,
    inject: [REDIS_LOG_PARTS],
    useFactory: makeLevels,
  },
  {
    provide: LogConsumers,
    inject: [ModulesContainer, REDIS_LOG_PARTS],
    useFactory: (modules: ModulesContainer, { exporter, resolved }: ModuleParts) =>
      new LogConsumers({
        modules,
        exporter,
        isOn: readsBack(exporter, resolved),
      }),
  },
  {
    provide: LogReader,
    inject: [RedisLogRecordExporter],
    useFactory: ({ options }: AnyExporter) => new ModuleLogReader(options),
  },
  {
    provide: LogInsights,
    inject: [RedisLogRecordExporter],
    useFactory: ({ options }: AnyExporter) => new ModuleLogInsights(options),
  },
  {
    provide: REDIS_LOG_INSIGHTS_COUNTER,
    inject: [REDIS_LOG_PARTS],
    useFactory: makeInsightsCounter,
  },
  { provide: RedisLogContext, useClass: RedisLogContext },
  {
    provide: REDIS_LOG_OUTCOMES,
    inject: [REDIS_LOG_PARTS],
    useFactory: ({ core }: ModuleParts) => new OutcomeLog(core),
  },
  {
    provide: RedisLogTasks,
    inject: [REDIS_LOG_OUTCOMES],
    useFactory: (outcomes: OutcomeLog) => new RedisLogTasks(outcomes),
  },
  RedisLogInterceptor,
  {
    provide: REDIS_LOG_REQUESTS,
    inject: [REDIS_LOG_PARTS, HttpAdapterHost, ApplicationConfig],
    useFactory: makeRequestLog,
  },
];

/** Where logging to Redis is turned off, and in tests, nothing is read from there by itself. */
function readsBack(exporter: AnyExporter, { logger }: ResolvedModuleOptions): boolean {
  return !(exporter instanceof DetachedExporter) && logger.enabled;
}

/** Turned off means no socket, whoever injects the exporter. */
function makeExporter({ exporter, writer, logger }: ResolvedModuleOptions): AnyExporter {
  if (!logger.enabled) return new DetachedExporter(writer);
  return exporter ?? new RedisLogRecordExporter(writer);
}

/** Without Redis they are those of this process. */
function makeLevels({ exporter, core }: ModuleParts): RedisLogLevels {
  const { options } = exporter;
  return exporter instanceof DetachedExporter
    ? new LocalLevels(options, core.fleetLevels)
    : new RedisLogLevels(options);
}

function makeParts(resolved: ResolvedModuleOptions, exporter: AnyExporter): ModuleParts {
  const { logger, writer } = resolved;
  const sink = resolved.exporter === undefined ? sinkOf(exporter) : exporter;
  const core = new LoggerCore({ logger, resource: exporter.options.resource, redact: writer.redact }, sink);
  offerToEarlyLoggers(core);
  if (resolved.startsAtOnce === true) core.start();
  return { resolved, exporter, core };
}

/** Loaded where it is asked for: whoever does not count messages does not wait for that either. */
async function makeInsightsCounter({
  exporter,
  resolved,
}: ModuleParts): Promise<ModuleInsightsCounter | undefined> {
  const { insights } = resolved.logger;
  if (insights === false || !readsBack(exporter, resolved)) return undefined;
  const { ModuleInsightsCounter } = await import('../reader/module-insights-counter.js');
  return new ModuleInsightsCounter(exporter.options, insights);
}

/** With `http` off nothing is installed, and nothing is loaded. */
async function makeRequestLog(
  { core, resolved }: ModuleParts,
  host: HttpAdapterHost,
  config: ApplicationConfig,
): Promise<RequestLog | undefined> {
  const { http } = resolved.logger;
  if (http === false) return undefined;
  const [{ RequestLog }, { installRequestLog }] = await Promise.all([
    import('../http/request-log.js'),
    import('../http/install.js'),
  ]);
  const log = new RequestLog({ core, redactor: safeRedactor(resolved.writer.redact), options: http });
  installRequestLog(log, host, config);
  return log;
}
