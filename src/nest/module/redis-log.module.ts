import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { createDiagnostics, type Diagnostics } from '../../diagnostics.js';
import { RedisLogError } from '../../errors.js';
import type { ResolvedWriterOptions } from '../../options/types.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import { LogInsights } from '../../reader/insights/log-insights.js';
import { LogReader } from '../../reader/log-reader.js';
import { RedisLogContext } from '../context/redis-log-context.js';
import { RedisLogInterceptor } from '../handlers/redis-log.interceptor.js';
import { RedisLogTasks } from '../handlers/redis-log-tasks.js';
import { RedisLogHealthIndicator } from '../health/redis-log-health.indicator.js';
import { shutDownProcessors } from '../logger/log-processors.js';
import { RedisLogLevels } from '../../redis/redis-log-levels.js';
import { RedisLogger } from '../logger/redis-logger.js';
import { noteRunning } from '../logger/running-loggers.js';
import { startFeatures } from './run-time-features.js';
import type {
  RedisLogModuleAsyncOptions,
  RedisLogModuleOptions,
  RedisLogOptionsFactory,
} from './redis-log-options.js';
import { type ModuleParts, REDIS_LOG_PROVIDERS } from './redis-log.providers.js';
import {
  REDIS_CHILD_LOGGER,
  REDIS_LOG_OPTIONS,
  REDIS_LOG_OUTCOMES,
  REDIS_LOG_PARTS,
} from './redis-log.tokens.js';

const EXPORTS = [
  LogInsights,
  LogReader,
  RedisLogger,
  RedisLogRecordExporter,
  RedisLogContext,
  RedisLogInterceptor,
  RedisLogTasks,
  RedisLogHealthIndicator,
  RedisLogLevels,
  REDIS_CHILD_LOGGER,
  REDIS_LOG_OPTIONS,
  REDIS_LOG_OUTCOMES,
];

/**
 * Provides `RedisLogger` and `RedisLogRecordExporter`, and ties them to the application's life: connected by the first
 * record (or at init, with `connect: 'eager'`), flushed and closed in `onApplicationShutdown`. Import it once, in the
 * root module, before other modules: only then do the records of their shutdown hooks arrive.
 *
 * @example
 * \@Module({ imports: [RedisLogModule.forRoot({ service: { name: 'orders' } }), OrdersModule] })
 * export class AppModule {}
 */
@Module({})
export class RedisLogModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #parts: ModuleParts;
  readonly #stopFeatures: () => void;
  #noLongerRuns: () => void = () => undefined;
  readonly #diagnostics: Diagnostics = createDiagnostics();

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Optional() @Inject(REDIS_LOG_PARTS) parts: ModuleParts | undefined,
  ) {
    if (parts === undefined) throw importedBare();
    refuseSecond(modules);
    this.#parts = parts;
    parts.exporter.hold();
    this.#stopFeatures = startFeatures(parts);
  }

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` at start, with every problem of the options. */
  static forRoot(options: RedisLogModuleOptions = {}): DynamicModule {
    return define([{ provide: REDIS_LOG_OPTIONS, useValue: options }], options.isGlobal, []);
  }

  /** The same, with options from a factory or a class: `{ imports, inject, useFactory | useClass | useExisting }`. */
  static forRootAsync(options: RedisLogModuleAsyncOptions): DynamicModule {
    return define(asyncOptions(options), options.isGlobal, options.imports ?? []);
  }

  onModuleInit(): void {
    const { exporter, resolved } = this.#parts;
    const { console, consoleIsDefault, enabled } = resolved.logger;
    if (enabled && console === false && consoleIsDefault) this.#sayWhere(exporter.options);
    if (enabled && resolved.writer.connect === 'eager') exporter.connect();
  }

  /** Not before: where an init hook fails, early records have to be printed, since nothing is sent any more. */
  onApplicationBootstrap(): void {
    this.#parts.core.start();
    this.#noLongerRuns = noteRunning(this.#parts.core);
  }

  async onApplicationShutdown(): Promise<void> {
    const { core, exporter, resolved } = this.#parts;
    // An application may be closed that was never initialised.
    core.start();
    await shutDownProcessors(resolved.logger.processors, exporter.options.shutdownTimeoutMs);
    const result = await exporter.release({ isOwner: resolved.exporter === undefined });
    this.#stopFeatures();
    this.#noLongerRuns();
    if (!result.timedOut) return;
    const left = result.pending + result.unconfirmed;
    const text = `Shutdown: the time was up with ${left} records unconfirmed and ${result.dropped} dropped in all.`;
    this.#diagnostics.warn('shutdown', `${text} ${result.delivered} were delivered.`);
  }

  #sayWhere({ stream, defaultStream }: ResolvedWriterOptions): void {
    const name = typeof stream === 'string' ? stream : `${defaultStream} and others`;
    const hint = 'Set console to "pretty" or "json" (REDIS_LOG_CONSOLE) to print them here too.';
    this.#diagnostics.info('where', `Logs go to the Redis stream ${name}, and not to the console. ${hint}`);
  }
}

function define(options: Provider[], isGlobal: boolean | undefined, imports: unknown[]): DynamicModule {
  return {
    module: RedisLogModule,
    global: isGlobal ?? true,
    imports: imports as NonNullable<DynamicModule['imports']>,
    providers: [...options, ...REDIS_LOG_PROVIDERS],
    exports: EXPORTS,
  };
}

function asyncOptions(options: RedisLogModuleAsyncOptions): Provider[] {
  const { useFactory, useClass, useExisting } = options;
  if ([useFactory, useClass, useExisting].filter(Boolean).length !== 1) throw notOneSource();
  if (useFactory !== undefined)
    return [{ provide: REDIS_LOG_OPTIONS, useFactory, inject: options.inject ?? [] }];
  const ask = (factory: RedisLogOptionsFactory): unknown => factory.createRedisLogOptions();
  const token = useExisting ?? useClass;
  const provider = {
    provide: REDIS_LOG_OPTIONS,
    useFactory: ask,
    inject: token === undefined ? [] : [token],
  };
  return useClass === undefined ? [provider] : [{ provide: useClass, useClass }, provider];
}

function notOneSource(): RedisLogError {
  return new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    'RedisLogModule.forRootAsync() needs exactly one of useFactory, useClass and useExisting.',
    { subject: 'forRootAsync' },
  );
}

/** Twice would write every record twice, or to two places. */
function refuseSecond(modules: ModulesContainer): void {
  const own = [...modules.values()].filter((module) => module.metatype === RedisLogModule);
  if (own.some((module) => !module.providers.has(REDIS_LOG_PARTS))) throw importedBare();
  if (own.length === 1) return;
  throw new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    'RedisLogModule.forRoot() was imported more than once. Import it once, in the root module; it is global, so other modules need not import it.',
    { subject: 'imports' },
  );
}

/** A bare import has no options and no logger. */
function importedBare(): RedisLogError {
  return new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    'RedisLogModule was imported bare. Import RedisLogModule.forRoot() or .forRootAsync() in the root module; it is global, so other modules need not import it.',
    { subject: 'imports' },
  );
}
