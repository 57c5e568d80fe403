import type { LoggerService, LogLevel } from '@nestjs/common';
import type { LogStats } from '../../pipeline/account.js';
import type { FlushResult } from '../../pipeline/pipeline-parts.js';
import type { Level } from '../../record/severity.js';
import type { CallReading } from './call-arguments.js';
import { EarlyLogger } from './early-logger.js';
import type { LoggerCore } from './logger-core.js';

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
  constructor(core: LoggerCore, context?: string) {
    this.#core = core;
    this.#reading = { style: core.style, context };
  }

  /**
   * A logger for `NestFactory.create(AppModule, { logger: RedisLogger.early() })`: it keeps what Nest logs while the
   * application boots, with its true time, and hands it to the first `RedisLogModule` that is made. Where that never
   * happens, it all goes to stderr.
   */
  static early(): LoggerService {
    return new EarlyLogger();
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

  /** The account of all records so far; see `LogStats`. */
  stats(): LogStats {
    return this.#core.sink.stats();
  }
}
