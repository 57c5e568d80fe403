import type { LoggerService, LogLevel } from '@nestjs/common';
import type { LogRecord } from '../../record/log-record.js';
import type { Level } from '../../record/severity.js';
import { type CallReading, detectCallStyle, readCall } from './call-arguments.js';
import type { LoggerCore } from './logger-core.js';
import { type Moment, RecordBuilder, thisMoment } from './record-builder.js';

/** A boot logs some hundred lines; one that logs more goes on without its first ones. */
const MAX_KEPT = 10_000;
const REGISTRY = Symbol.for('nestjs-redis-log.early-loggers');

interface KeptCall {
  readonly level: Level;
  readonly args: readonly unknown[];
  readonly moment: Moment;
  /** Made at once, so that nothing can change afterwards; not where a lazy message must wait for its level. */
  readonly records: readonly LogRecord[] | undefined;
}

/** One per process, also where the package is loaded twice. */
function registry(): Set<EarlyLogger> {
  const holder = globalThis as { [REGISTRY]?: Set<EarlyLogger> };
  return (holder[REGISTRY] ??= new Set());
}

/** Hands what early loggers have kept, and whatever they get from now on, to a logger. */
export function adoptEarlyLoggers(core: LoggerCore): void {
  for (const early of registry()) early.adoptedBy(core);
  registry().clear();
}

/** See `RedisLogger.early()`. */
export class EarlyLogger implements LoggerService {
  readonly #builder = new RecordBuilder({ attributes: {} }, undefined);
  readonly #reading: CallReading = { style: detectCallStyle(), context: undefined };
  readonly #onExit = (): void => this.#printKept();
  #kept: KeptCall[] = [];
  #lost = 0;
  #core: LoggerCore | undefined;
  #levels: readonly Level[] | undefined;

  constructor() {
    registry().add(this);
    process.once('exit', this.#onExit);
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
  }

  adoptedBy(core: LoggerCore): void {
    this.#core = core;
    if (this.#levels !== undefined) core.setLevels(this.#levels);
    process.removeListener('exit', this.#onExit);
    for (const { level, args, moment, records } of this.#kept.splice(0)) {
      const context = contextOf(args);
      if (!core.isEnabled(level, context)) continue;
      if (records === undefined) core.replay(level, args, { reading: this.#reading, moment });
      else core.adopt(level, args, records);
    }
  }

  #take(level: Level, args: readonly unknown[]): void {
    if (this.#core !== undefined) return this.#core.write(level, args, this.#reading);
    if (this.#kept.length >= MAX_KEPT) {
      this.#kept.shift();
      this.#lost++;
    }
    const moment = thisMoment();
    const isLazy = args.some((arg) => typeof arg === 'function');
    this.#kept.push({ level, args, moment, records: isLazy ? undefined : this.#records(level, args, moment) });
  }

  #records(level: Level, args: readonly unknown[], moment: Moment): LogRecord[] {
    const call = readCall(level, args, this.#reading);
    return call.messages.map((_, index) => this.#builder.build(level, call, { moment, index }));
  }

  /** The process ends and no module ever came: the boot failed. Its last words are worth most. */
  #printKept(): void {
    if (this.#lost > 0) process.stderr.write(`[nestjs-redis-log] ${this.#lost} earlier lines were not kept\n`);
    for (const { level, args, moment, records } of this.#kept.splice(0)) {
      for (const record of records ?? this.#records(level, args, moment)) process.stderr.write(`${lineOf(record)}\n`);
    }
  }
}

function contextOf(args: readonly unknown[]): string | undefined {
  const last = args.length > 1 ? args.at(-1) : undefined;
  return typeof last === 'string' ? last : undefined;
}

function lineOf(record: LogRecord): string {
  const time = new Date(record.hrTime[0] * 1000 + record.hrTime[1] / 1e6).toISOString();
  const { name } = record.instrumentationScope;
  const body = typeof record.body === 'string' ? record.body : JSON.stringify(record.body);
  const stack = record.attributes['exception.stacktrace'];
  const line = `${time} ${(record.severityText ?? '').toUpperCase()} ${name ? `[${name}] ` : ''}${body}`;
  return typeof stack === 'string' ? `${escapeControls(line)}\n${escapeControls(stack)}` : escapeControls(line);
}

/** Text of others must not drive the terminal; line breaks and tabs of a stack may stay. */
function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
}
