import type { LoggerService, LogLevel } from '@nestjs/common';
import { RedisLogError } from '../../errors.js';
import type { ResolvedLoggerOptions } from '../../options/types.js';
import type { DetachedExporter } from '../../otel/detached-exporter.js';
import type { LogStats } from '../../pipeline/account.js';
import type { FlushResult } from '../../pipeline/pipeline-parts.js';
import type { Level } from '../../record/severity.js';
import type { HealthOptions, LogHealth } from '../../redis/health.js';
import { checkLevelChange } from '../../redis/redis-log-levels.js';
import type { CallReading } from './call-arguments.js';
import { EarlyLogger } from './early-logger.js';
import { sinkOf } from './log-sink.js';
import { LoggerCore } from './logger-core.js';

/** What a log method is given: the message and, after it, parameters, errors, a stack, and last the context. */
type LogArguments = [message: unknown, ...optionalParams: unknown[]];

/**
 * Nest's logger, writing to a Redis stream. `RedisLogModule` provides it; use it as `app.useLogger(app.get(RedisLogger))`
 * and go on with Nest's own `new Logger(OrdersService.name)`. Arguments mean what they mean to the ConsoleLogger of the
 * installed Nest. A log call never throws and never waits.
 */
export class RedisLogger implements LoggerService {
  readonly #core: LoggerCore;
  readonly #reading: CallReading;

  /** @internal `RedisLogModule` makes the first one, `withContext` the others. */
  constructor(core?: LoggerCore, context?: string) {
    if (!(core instanceof LoggerCore)) throw notToBeMade();
    this.#core = core;
    this.#reading = { style: core.style, context };
  }

  /**
   * A logger for `NestFactory.create(AppModule, { logger: RedisLogger.early() })`: it keeps what Nest logs while the
   * application boots, with its true time, and hands it to the first `RedisLogModule` that has initialised. A process that
   * ends before gets it all on stderr; an application that runs on without the module, on Nest's own console.
   */
  static early(): LoggerService {
    return new EarlyLogger();
  }

  /** @internal A logger without a module, in front of an exporter that has the `redact` option of both. */
  static over(exporter: DetachedExporter, logger: ResolvedLoggerOptions): RedisLogger {
    const { resource, redact } = exporter.options;
    return new RedisLogger(new LoggerCore({ logger, resource, redact }, sinkOf(exporter)));
  }

  /** @internal Whether it, or one that shares everything with it, is that logger. */
  static isOf(core: LoggerCore, logger: unknown): boolean {
    return logger instanceof RedisLogger && logger.#core === core;
  }

  log(...args: LogArguments): void {
    this.#core.write('log', args, this.#reading);
  }

  error(...args: LogArguments): void {
    this.#core.write('error', args, this.#reading);
  }

  warn(...args: LogArguments): void {
    this.#core.write('warn', args, this.#reading);
  }

  debug(...args: LogArguments): void {
    this.#core.write('debug', args, this.#reading);
  }

  verbose(...args: LogArguments): void {
    this.#core.write('verbose', args, this.#reading);
  }

  fatal(...args: LogArguments): void {
    this.#core.write('fatal', args, this.#reading);
  }

  /** Sets the levels of this logger and of all its children; levels given by context stay. */
  setLogLevels(levels: LogLevel[]): void {
    this.#core.setLevels(levels as Level[]);
  }

  /**
   * Sets the level of a context in this process, before the option `levels` and before what `RedisLogLevels` sets for all
   * processes; `clearLevel` takes it back.
   *
   * @param context a context, or a pattern with `*` for any text; `*` alone is everything
   * @param options `forMs`: how long, from 1 to 2,147,483,647 milliseconds (24 days). Default: until it is cleared.
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` for what cannot be set
   */
  setLevel(context: string, level: LogLevel, options: { readonly forMs?: number } = {}): void {
    checkLevelChange(context, level, options);
    this.#core.ownLevels.set({ context, level: level as Level, remainingMs: options.forMs });
  }

  /** Ends what `setLevel` set for exactly this context or pattern; all of it where none is given. */
  clearLevel(context?: string): void {
    if (context === undefined) this.#core.ownLevels.replace([]);
    else this.#core.ownLevels.clear(context);
  }

  isLevelEnabled(level: LogLevel): boolean {
    return this.#core.isEnabled(level as Level, this.#reading.context);
  }

  /** A logger that shares everything with this one and has `name` as its context. */
  withContext(name: string): RedisLogger {
    return new RedisLogger(this.#core, name);
  }

  /**
   * Resolves, and never rejects, when everything emitted before the call has an outcome, or after `timeoutMs` (default
   * 30,000). The figures are those of all records so far, as in `stats()`; `pending` is 0 when the flush was complete.
   */
  flush(options: { readonly timeoutMs?: number } = {}): Promise<FlushResult> {
    return this.#core.sink.flush(options);
  }

  /** Whether records are stored as they come, and if not, why and since when. Asks nobody, and answers at once. */
  health(options?: HealthOptions): LogHealth {
    return this.#core.sink.health(options);
  }

  /** The account of all records so far; see `LogStats`. */
  stats(): LogStats {
    return this.#core.sink.stats();
  }
}

/** It stands among the providers of somebody's module, and Nest tries to make it. */
function notToBeMade(): RedisLogError {
  return new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    'RedisLogger cannot be made by hand or listed in providers. Import RedisLogModule.forRoot() in the root module, and inject it.',
    { subject: 'providers' },
  );
}
