import type { Attributes, SpanContext } from '../../record/log-record.js';
import type { Level } from '../../record/severity.js';
import { loggedErrors, wasLogged, wasLoggedAround } from '../context/logged-errors.js';
import { runIn, type Scope, scopeOf } from '../context/scope.js';
import type { CallReading } from '../logger/call-arguments.js';
import { isOwnError } from '../logger/call-values.js';
import type { LoggerCore } from '../logger/logger-core.js';
import { activeSpan } from '../logger/record-builder.js';
import { watchResult } from './watch-result.js';

/** A message, a job, a task: something that begins, and that ends well or badly. */
export interface Followed {
  /** Of its record, such as `RPC`; levels apply by it. */
  readonly context: string;
  /** What the record's text begins with. */
  readonly title: string;
  /** Of its record alone. */
  readonly attributes: Attributes;
  /** Of every record that is written meanwhile. */
  readonly shared: Attributes;
}

/** Writes one record of whatever was followed, with how long it took and how it ended. */
export class OutcomeLog {
  readonly #core: LoggerCore;

  constructor(core: LoggerCore) {
    this.#core = core;
  }

  begin(what: Followed): Watch {
    return new Watch(this.#core, what);
  }

  /**
   * Calls `work` in a context of its own, and passes on what it returns or throws. What it returns is followed to its end
   * where it has one: see `watchResult`.
   */
  run<T>(what: Followed, work: () => T): T {
    const watch = this.begin(what);
    try {
      return watchResult(watch, watch.run(work));
    } catch (error) {
      watch.fail(error);
      throw error;
    }
  }
}

/** One of them, while it lasts. */
export class Watch {
  readonly #core: LoggerCore;
  readonly #what: Followed;
  readonly #reading: CallReading;
  readonly #scope: Scope;
  readonly #spanContext: SpanContext | undefined = activeSpan();
  readonly #startedAt = performance.now();
  #isOver = false;

  constructor(core: LoggerCore, what: Followed) {
    this.#core = core;
    this.#what = what;
    this.#reading = { style: 'structured', context: what.context };
    this.#scope = scopeOf({ ...what.shared });
  }

  run<T>(work: () => T): T {
    return runIn(this.#scope, work);
  }

  succeed(): void {
    if (this.#endsNow()) this.#write('log', 'done', this.#duration());
  }

  /** Whoever waited has gone. */
  cancel(): void {
    if (this.#endsNow()) this.#write('warn', 'cancelled', this.#duration());
  }

  /** Told a moment later: only then is it known whether the framework, which hears of it after us, logs the error. */
  fail(error: unknown): void {
    if (!this.#endsNow()) return;
    const attributes = { ...this.#duration(), 'error.type': typeOf(error) };
    const level = isExpected(error) ? 'warn' : 'error';
    const before = loggedErrors();
    setImmediate(() => {
      const isTold = wasLogged(error, this.#scope) || wasLoggedAround(error, this.#scope, before);
      this.#write(level, 'failed', attributes, isOwnError(error) && !isTold ? error : undefined);
    });
  }

  #endsNow(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    return true;
  }

  #duration(): Attributes {
    return { duration_ms: Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000 };
  }

  #write(level: Level, end: string, ...[attributes, error]: [attributes: Attributes, error?: Error]): void {
    const { context, title } = this.#what;
    if (!this.#core.isEnabled(level, context)) return;
    const args: unknown[] = [`${title} ${end}`, { ...this.#what.attributes, ...attributes }];
    if (error !== undefined) args.push(error);
    const moment = { time: Date.now(), spanContext: this.#spanContext, scope: this.#scope };
    this.#core.writeAt(level, args, { reading: this.#reading, moment });
  }
}

/** What was thrown for the caller to read: an HTTP error below 500, or an exception of Nest's for messages. */
function isExpected(error: unknown): boolean {
  if (!isOwnError(error)) return false;
  const told = error as { getStatus?: unknown; getError?: unknown };
  if (typeof told.getStatus === 'function') return Number(told.getStatus.call(error)) < 500;
  return typeof told.getError === 'function';
}

function typeOf(error: unknown): string {
  return isOwnError(error) ? (error.constructor?.name ?? error.name) : typeof error;
}
