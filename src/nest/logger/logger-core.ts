import type { ConsoleLogger } from '@nestjs/common';
import type { LogRecord, Resource } from '../../record/log-record.js';
import { compileRedactor, SAFE_REDACT_PATHS } from '../../record/redact.js';
import type { Level } from '../../record/severity.js';
import type { ResolvedLoggerOptions, ResolvedRedact } from '../../options/types.js';
import { type CallReading, type CallStyle, detectCallStyle, readCall, resolveMessage } from './call-arguments.js';
import { LevelFilter } from './levels.js';
import type { LogSink } from './log-sink.js';
import { type Moment, RecordBuilder, thisMoment } from './record-builder.js';

export interface LoggerCoreOptions {
  readonly logger: ResolvedLoggerOptions;
  readonly resource: Resource;
  readonly redact: ResolvedRedact | false | undefined;
  /** How arguments are read. Default: as the installed Nest does. */
  readonly style?: CallStyle;
}

const DEFAULT_CENSOR = '[Redacted]';

/** What a logger and all its children share: levels, censoring, output. */
export class LoggerCore {
  readonly sink: LogSink;
  readonly style: CallStyle;
  readonly #filter: LevelFilter;
  readonly #builder: RecordBuilder;
  readonly #console: ConsoleLogger | undefined;
  readonly #enabled: boolean;
  readonly #hasContextLevels: boolean;

  /** `console`: prints every call as Nest would, beside or instead of the sink. */
  constructor(options: LoggerCoreOptions, sink: LogSink, console: ConsoleLogger | undefined) {
    this.sink = sink;
    this.style = options.style ?? detectCallStyle();
    this.#filter = new LevelFilter(options.logger.level, options.logger.levels);
    this.#hasContextLevels = Object.keys(options.logger.levels).length > 0;
    this.#enabled = options.logger.enabled;
    this.#console = console;
    const redact = options.redact ?? { paths: SAFE_REDACT_PATHS, censor: DEFAULT_CENSOR };
    const withSafe = redact && { ...redact, paths: [...new Set([...SAFE_REDACT_PATHS, ...redact.paths])] };
    this.#builder = new RecordBuilder(options.resource, withSafe ? compileRedactor(withSafe) : undefined);
  }

  isEnabled(level: Level, context: string | undefined): boolean {
    return this.#filter.isEnabled(level, context);
  }

  setLevels(levels: readonly Level[]): void {
    this.#filter.setLevels(levels);
  }

  /** One log call. `args`: the message and all that follows it. Never throws. */
  write(level: Level, args: readonly unknown[], reading: CallReading): void {
    if (!this.#filter.isEnabled(level, this.#hasContextLevels ? contextOf(args, reading) : reading.context)) return;
    this.replay(level, args, { reading, moment: thisMoment() });
  }

  /** A call that passed the level check, made at `moment`. */
  replay(level: Level, args: readonly unknown[], at: { reading: CallReading; moment: Moment }): void {
    // A lazy message runs once, whoever prints it.
    const resolved = this.#console !== undefined && args.some(isFunction) ? args.map(resolveMessage) : args;
    if (this.#console !== undefined) this.#print(level, resolved, at.reading.context);
    if (!this.#enabled) return;
    const call = readCall(level, resolved, at.reading);
    for (let index = 0; index < call.messages.length; index++) {
      this.sink.emit(this.#builder.build(level, call, { moment: at.moment, index }));
    }
  }

  /** Records that were made before there was a logger, and the call to print. */
  adopt(level: Level, args: readonly unknown[], records: readonly LogRecord[]): void {
    if (this.#console !== undefined) this.#print(level, args, undefined);
    if (!this.#enabled) return;
    for (const record of records) this.sink.emit(this.#builder.adopt(record));
  }

  #print(level: Level, args: readonly unknown[], context: string | undefined): void {
    try {
      const [message, ...rest] = args;
      const last = rest.at(-1);
      const optional = context !== undefined && typeof last !== 'string' ? [...rest, context] : rest;
      this.#console?.[level](message, ...optional);
    } catch {
      // Nest's own printer stumbled over a hostile argument; the record itself goes to Redis.
    }
  }
}

function contextOf(args: readonly unknown[], reading: CallReading): string | undefined {
  const last = args.length > 1 ? args[args.length - 1] : undefined;
  return typeof last === 'string' ? last : reading.context;
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
