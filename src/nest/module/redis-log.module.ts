import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { createDiagnostics, type Diagnostics } from '../../diagnostics.js';
import { RedisLogError } from '../../errors.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import { RedisLogger } from '../logger/redis-logger.js';
import type { RedisLogModuleAsyncOptions, RedisLogModuleOptions, RedisLogOptionsFactory } from './redis-log-options.js';
import { REDIS_LOG_PROVIDERS, type ResolvedModuleOptions } from './redis-log.providers.js';
import { REDIS_CHILD_LOGGER, REDIS_LOG_OPTIONS, REDIS_LOG_RESOLVED } from './redis-log.tokens.js';

const EXPORTS = [RedisLogger, RedisLogRecordExporter, REDIS_CHILD_LOGGER];

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
export class RedisLogModule implements OnModuleInit, OnApplicationShutdown {
  readonly #resolved: ResolvedModuleOptions | undefined;
  readonly #exporter: RedisLogRecordExporter | undefined;
  readonly #diagnostics: Diagnostics = createDiagnostics();

  constructor(
    @Optional() @Inject(REDIS_LOG_RESOLVED) resolved: ResolvedModuleOptions | undefined,
    @Optional() @Inject(RedisLogRecordExporter) exporter: RedisLogRecordExporter | undefined,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    refuseMisuse(modules);
    this.#resolved = resolved;
    this.#exporter = exporter;
    if (resolved?.logger.enabled) exporter?.hold?.();
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
    const resolved = this.#resolved;
    if (resolved === undefined || !resolved.logger.enabled) return;
    if (resolved.logger.console === false && resolved.logger.consoleIsDefault) this.#sayWhere(resolved);
    if (resolved.writer.connect === 'eager') this.#exporter?.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.#resolved?.logger.enabled || this.#exporter === undefined) return;
    const result = await this.#exporter.release({ isOwner: this.#resolved.exporter === undefined });
    const left = result.pending + result.unconfirmed;
    if (result.timedOut) {
      const text = `Shutdown: the time was up with ${left} records unconfirmed and ${result.dropped} dropped in all.`;
      this.#diagnostics.warn('shutdown', `${text} ${result.delivered} were delivered.`);
    }
  }

  #sayWhere(resolved: ResolvedModuleOptions): void {
    const { stream, defaultStream } = this.#exporter?.options ?? resolved.writer;
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
  if (options.useFactory !== undefined) {
    return [{ provide: REDIS_LOG_OPTIONS, useFactory: options.useFactory, inject: options.inject ?? [] }];
  }
  const useFactory = (factory: RedisLogOptionsFactory): unknown => factory.createRedisLogOptions();
  if (options.useExisting !== undefined) {
    return [{ provide: REDIS_LOG_OPTIONS, useFactory, inject: [options.useExisting] }];
  }
  if (options.useClass !== undefined) {
    return [
      { provide: options.useClass, useClass: options.useClass },
      { provide: REDIS_LOG_OPTIONS, useFactory, inject: [options.useClass] },
    ];
  }
  throw new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    'RedisLogModule.forRootAsync() needs one of useFactory, useClass and useExisting.',
    { subject: 'forRootAsync' },
  );
}

/** Twice would write every record twice, or to two places; bare has no options and no logger. */
function refuseMisuse(modules: ModulesContainer): void {
  const own = [...modules.values()].filter((module) => module.metatype === RedisLogModule);
  if (own.some((module) => !module.providers.has(REDIS_LOG_RESOLVED))) {
    throw new RedisLogError(
      'REDIS_LOG_MODULE_MISUSED',
      'RedisLogModule was imported bare. Import RedisLogModule.forRoot() or .forRootAsync() in the root module; it is global, so other modules need not import it.',
      { subject: 'imports' },
    );
  }
  if (own.length > 1) {
    throw new RedisLogError(
      'REDIS_LOG_MODULE_MISUSED',
      'RedisLogModule.forRoot() was imported more than once. Import it once, in the root module; it is global, so other modules need not import it.',
      { subject: 'imports' },
    );
  }
}
