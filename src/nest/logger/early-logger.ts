import { ConsoleLogger, type LoggerService, type LogLevel } from '@nestjs/common';
import { createDiagnostics } from '../../diagnostics.js';
import { processWide } from '../../process-wide.js';
import type { LogRecord } from '../../record/log-record.js';
import type { Level } from '../../record/severity.js';
import { atExit } from '../../redis/exit-hook.js';
import { type CallStyle, detectCallStyle, readCall, resolveMessage } from './call-arguments.js';
import { lineOf } from './early-line.js';
import { type LoggerCore, safeRedactor } from './logger-core.js';
import { type Moment, RecordBuilder, thisMoment } from './record-builder.js';

/** A boot logs some hundred lines; one that logs more goes on without its first ones. */
const MAX_KEPT = 10_000;

/** Most applications boot in a few seconds. Longer silence would be taken for a hang. */
const PATIENCE_MS = 10_000;

/** What Nest says last when it starts, with or without a `RedisLogModule`. */
const READY = new Set(['Nest application successfully started', 'Nest microservice successfully started']);

const EXPLANATION =
  'No RedisLogModule has taken over what RedisLogger.early() keeps, so it is printed here. Import RedisLogModule.forRoot() in the root module.';

interface KeptCall {
  readonly level: Level;
  readonly args: readonly unknown[];
  readonly moment: Moment;
  /**
   * Made at once, so that nothing can change afterwards, in both styles, since the options are not known yet; not where a
   * lazy message must wait for its level.
   */
  readonly records: Readonly<Record<CallStyle, readonly LogRecord[]>> | undefined;
}

const diagnostics = createDiagnostics();

/** One per process, also where the package is loaded twice. */
function registry(): Set<EarlyLogger> {
  return processWide('early-loggers', () => new Set());
}

/**
 * Hands what early loggers have kept, and whatever they get from now on, to the logger of an application: once that is
 * up (or logs directly), because of an application that fails to boot nothing could be sent any more.
 */
export function offerToEarlyLoggers(core: LoggerCore): void {
  for (const early of registry()) early.offer(core);
  core.beforeFirst(() => {
    for (const early of registry()) early.adoptedBy(core);
  });
}

/** See `RedisLogger.early()`. */
export class EarlyLogger implements LoggerService {
  readonly #builder = new RecordBuilder({ attributes: {} }, undefined);
  /** Of the installed Nest. The options of an application may ask for the other. */
  readonly #style = detectCallStyle();
  readonly #cancelExit = atExit(() => this.#printKept());
  #timer: NodeJS.Timeout | undefined;
  #kept: KeptCall[] = [];
  #lost = 0;
  /** The logger that is there but not in use yet. */
  #offered: LoggerCore | undefined;
  #core: LoggerCore | undefined;
  /** Nest's own, once waiting has lasted too long. */
  #console: ConsoleLogger | undefined;
  /** How many of the kept calls were printed already. */
  #printed = 0;
  #levels: readonly Level[] | undefined;

  constructor() {
    registry().add(this);
  }

  log(...args: unknown[]): void {
    this.#take('log', args);
  }

  error(...args: unknown[]): void {
    this.#take('error', args);
  }

  warn(...args: unknown[]): void {
    this.#take('warn', args);
  }

  debug(...args: unknown[]): void {
    this.#take('debug', args);
  }

  verbose(...args: unknown[]): void {
    this.#take('verbose', args);
  }

  fatal(...args: unknown[]): void {
    this.#take('fatal', args);
  }

  setLogLevels(levels: LogLevel[]): void {
    this.#levels = levels as Level[];
    this.#core?.setLevels(this.#levels);
    this.#console?.setLogLevels(levels);
  }

  offer(core: LoggerCore): void {
    this.#offered = core;
  }

  adoptedBy(core: LoggerCore): void {
    this.#core = core;
    if (this.#levels !== undefined) core.setLevels(this.#levels);
    this.#stopWaiting();
    const printed = this.#printed;
    for (const [index, call] of this.#kept.splice(0).entries()) this.#handOver(core, call, index < printed);
  }

  static isOf(core: LoggerCore, logger: unknown): boolean {
    return logger instanceof EarlyLogger && logger.#core === core;
  }

  #handOver(core: LoggerCore, { level, args, moment, records }: KeptCall, isPrinted: boolean): void {
    if (!core.isEnabled(level, contextOf(args))) return;
    const reading = { style: core.style, context: undefined };
    if (records === undefined && !isPrinted) return core.replay(level, args, { reading, moment });
    if (!isPrinted) core.print(level, args, { reading, moment });
    core.adopt(records?.[core.style] ?? this.#records(core.style, { level, args, moment }));
  }

  #take(level: Level, args: readonly unknown[]): void {
    const core = this.#core;
    if (core !== undefined) return core.write(level, args, { style: core.style, context: undefined });
    const console = this.#console;
    if (console !== undefined) printTo(console, level, args);
    if (console === undefined || this.#kept.length > 0) this.#keep(level, args);
    if (console !== undefined) this.#keptIsPrinted();
    else if (this.#offered === undefined && typeof args[0] === 'string' && READY.has(args[0])) this.#speak();
  }

  #keep(level: Level, args: readonly unknown[]): void {
    this.#timer ??= setTimeout(() => this.#outOfPatience(), PATIENCE_MS).unref();
    if (this.#kept.length >= MAX_KEPT) {
      this.#kept.shift();
      this.#lost++;
    }
    const moment = thisMoment();
    const isLazy = args.some((arg) => typeof arg === 'function');
    const call = { level, args, moment };
    const inStyle = (style: CallStyle): LogRecord[] => this.#records(style, call);
    const records = isLazy ? undefined : { structured: inStyle('structured'), separate: inStyle('separate') };
    this.#kept.push({ ...call, records });
  }

  #records(style: CallStyle, { level, args, moment }: Omit<KeptCall, 'records'>): LogRecord[] {
    const call = readCall(level, args, { style, context: undefined });
    return call.messages.map((_, index) => this.#builder.build(level, call, { moment, index }));
  }

  #outOfPatience(): void {
    // An application that is up without having initialised, as `NestFactory.create()` alone leaves it.
    if (this.#offered !== undefined) this.#offered.start();
    else this.#speak();
  }

  /** Prints as Nest does from here on. What is kept stays so: a module may still come, and then it goes to Redis too. */
  #speak(): void {
    if (this.#console !== undefined) return;
    diagnostics.warn('early', EXPLANATION);
    this.#console = new ConsoleLogger();
    if (this.#levels !== undefined) this.#console.setLogLevels([...this.#levels]);
    for (const { level, args } of this.#kept) printTo(this.#console, level, args);
    this.#keptIsPrinted();
  }

  #keptIsPrinted(): void {
    // So many lines are no boot any more: there is no module, and nothing to keep them for.
    if (this.#kept.length >= MAX_KEPT) this.#kept = [];
    this.#printed = this.#kept.length;
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#cancelExit();
    registry().delete(this);
  }

  /** The process ends and the application never came up. Its last words are worth most. */
  #printKept(): void {
    const unprinted = this.#kept.slice(this.#printed);
    if (unprinted.length === 0) return;
    const isOn = levelTest(this.#levels);
    const builder = new RecordBuilder({ attributes: {} }, safeRedactor(undefined));
    const more = this.#lost === 0 ? '' : ` (${this.#lost} earlier ones were not kept)`;
    const lines = [`[nestjs-redis-log] The process ends before its first logs could be sent${more}:`];
    for (const { level, args, moment, records } of unprinted) {
      if (!isOn(level)) continue;
      for (const record of records?.[this.#style] ?? this.#records(this.#style, { level, args, moment }))
        lines.push(lineOf(builder.adopt(record)));
    }
    process.stderr.write(`${lines.join('\n')}\n`);
  }
}

/** As Nest's own logger decides it, `NEST_LOG_LEVEL` included. */
function levelTest(levels: readonly Level[] | undefined): (level: Level) => boolean {
  const console = new ConsoleLogger(levels === undefined ? {} : { logLevels: [...levels] });
  return (level) => console.isLevelEnabled(level);
}

function printTo(console: ConsoleLogger, level: Level, args: readonly unknown[]): void {
  try {
    const [message, ...rest] = args.map(resolveMessage);
    console[level](message, ...rest);
  } catch {
    console[level]('[a log call that cannot be printed]');
  }
}

function contextOf(args: readonly unknown[]): string | undefined {
  const last = args.length > 1 ? args.at(-1) : undefined;
  return typeof last === 'string' ? last : undefined;
}
