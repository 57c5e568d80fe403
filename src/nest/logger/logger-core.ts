import { createDiagnostics, describeError } from '../../diagnostics.js';
import type { ResolvedLoggerOptions, ResolvedRedact } from '../../options/types.js';
import type { LogRecord, Resource } from '../../record/log-record.js';
import { compileRedactor, type Redactor, SAFE_REDACT_PATHS } from '../../record/redact.js';
import type { Level } from '../../record/severity.js';
import {
  type CallReading,
  type CallStyle,
  detectCallStyle,
  readCall,
  resolveMessage,
} from './call-arguments.js';
import { ConsoleOutput, consoleOutput } from './console-output.js';
import type { LevelChanges } from './level-changes.js';
import { LevelFilter } from './levels.js';
import { processedSink } from './log-processors.js';
import type { LogSink } from './log-sink.js';
import { type Moment, type ReadyParts, RecordBuilder, thisMoment } from './record-builder.js';

export interface LoggerCoreOptions {
  readonly logger: ResolvedLoggerOptions;
  readonly resource: Resource;
  readonly redact: ResolvedRedact | false | undefined;
  /** How arguments are read. Default: as the installed Nest does. */
  readonly style?: CallStyle;
}

const DEFAULT_CENSOR = '[Redacted]';

/** A getter or a censor function that logs makes calls within calls; one that does so for what it logs never ends. */
const MAX_NESTED_CALLS = 4;

const diagnostics = createDiagnostics();

/** What a logger and all its children share: levels, censoring, output. */
export class LoggerCore {
  readonly sink: LogSink;
  readonly style: CallStyle;
  readonly #filter: LevelFilter;
  readonly #builder: RecordBuilder;
  #console: ConsoleOutput | undefined;
  /** Prints in the place of a console that there is not. */
  #standIn: ConsoleOutput | undefined;
  readonly #redactor: Redactor | undefined;
  readonly #enabled: boolean;
  #beforeFirst: (() => void) | undefined;
  #nested = 0;

  constructor(options: LoggerCoreOptions, sink: LogSink) {
    this.style = options.style ?? styleOf(options.logger.structuredParams);
    this.#filter = new LevelFilter(options.logger.level, options.logger.levels);
    this.#enabled = options.logger.enabled;
    const redactor = safeRedactor(options.redact);
    this.#redactor = redactor;
    this.sink = processedSink(sink, options.logger.processors, redactor);
    this.#builder = new RecordBuilder(options.resource, redactor);
    this.#console = consoleOutput(options.logger, redactor);
  }

  isEnabled(level: Level, context: string | undefined): boolean {
    return this.#filter.isEnabled(level, context);
  }

  setLevels(levels: readonly Level[]): void {
    this.#filter.setLevels(levels);
  }

  /** Levels that this process was told at run time; they come before those of the options. */
  get ownLevels(): LevelChanges {
    return this.#filter.own;
  }

  /** Levels that were set for all processes of the stream. */
  get fleetLevels(): LevelChanges {
    return this.#filter.fleet;
  }

  /** Prints calls too, or no longer, where the options ask for no console. */
  printMeanwhile(isOn: boolean): void {
    const format = process.stdout.isTTY ? 'pretty' : 'json';
    if (isOn) this.#console ??= this.#standIn ??= new ConsoleOutput(format, this.#redactor);
    else if (this.#console === this.#standIn) this.#console = undefined;
  }

  /** Has `work` done by `start()`, or right before the first record, whichever comes first. */
  beforeFirst(work: () => void): void {
    this.#beforeFirst = work;
  }

  /** The application is up: what it logged before there was a logger is due. */
  start(): void {
    const work = this.#beforeFirst;
    this.#beforeFirst = undefined;
    work?.();
  }

  /** One log call. `args`: the message and all that follows it. Never throws. */
  write(level: Level, args: readonly unknown[], reading: CallReading): void {
    if (!this.#filter.isEnabled(level, this.#filter.hasRules ? contextOf(args, reading) : reading.context))
      return;
    this.writeAt(level, args, { reading, moment: thisMoment() });
  }

  /** The same for a call that passed the level check, about what has its own time, span and context. Never throws. */
  writeAt(level: Level, args: readonly unknown[], at: { reading: CallReading; moment: Moment }): void {
    if (this.#beforeFirst !== undefined) this.start();
    this.replay(level, args, at);
  }

  /** One record that passed the level check, of parts that can be stored as they are. Never throws. */
  writeReady(level: Level, parts: ReadyParts, moment: Moment): void {
    const { body, attributes, context } = parts;
    if (this.#console !== undefined || !this.#enabled) {
      this.writeAt(level, [body, attributes], { reading: { style: 'structured', context }, moment });
      return;
    }
    if (this.#beforeFirst !== undefined) this.start();
    try {
      this.sink.emit(this.#builder.ready(level, parts, moment));
    } catch (error) {
      diagnostics.error('logger:failed', `A record could not be written: ${describeError(error)}`);
    }
  }

  /** A call that passed the level check, made at `moment`. Never throws. */
  replay(level: Level, args: readonly unknown[], at: { reading: CallReading; moment: Moment }): void {
    if (this.#nested >= MAX_NESTED_CALLS) {
      diagnostics.warn(
        'logger:nested',
        'A log call was left out: what it logs logs itself, again and again.',
      );
      return;
    }
    this.#nested++;
    try {
      this.#replay(level, args, at);
    } catch (error) {
      // Nothing that is logged gets here; a stack that is used up might.
      diagnostics.error('logger:failed', `A log call could not be recorded: ${describeError(error)}`);
    } finally {
      this.#nested--;
    }
  }

  /** Records that were made before there was a logger, and the call to print where that is still to be done. */
  adopt(records: readonly LogRecord[]): void {
    if (!this.#enabled) return;
    for (const record of records) this.sink.emit(this.#builder.adopt(record));
  }

  /** Prints a call on the console, where this logger has one. */
  print(level: Level, args: readonly unknown[], at: { reading: CallReading; moment: Moment }): void {
    const { style, context } = at.reading;
    const { spanContext, scope } = at.moment;
    const attributes = scope === undefined ? undefined : this.#builder.inherited(scope);
    this.#console?.print(level, args, { style, context, spanContext, attributes });
  }

  #replay(
    level: Level,
    args: readonly unknown[],
    { reading, moment }: { reading: CallReading; moment: Moment },
  ): void {
    // A lazy message runs once, whoever prints it.
    const resolved = this.#console !== undefined && args.some(isFunction) ? args.map(resolveMessage) : args;
    if (this.#console !== undefined) this.print(level, resolved, { reading, moment });
    if (!this.#enabled) return;
    const call = readCall(level, resolved, reading);
    for (let index = 0; index < call.messages.length; index++) {
      this.sink.emit(this.#builder.build(level, call, { moment, index }));
    }
  }
}

/** The safe list always applies, unless redaction was turned off. */
export function safeRedactor(redact: ResolvedRedact | false | undefined): Redactor | undefined {
  if (redact === false) return undefined;
  const { paths, censor } = redact ?? { paths: [], censor: DEFAULT_CENSOR };
  return compileRedactor({ paths: [...new Set([...SAFE_REDACT_PATHS, ...paths])], censor });
}

function styleOf(structuredParams: boolean | undefined): CallStyle {
  if (structuredParams === undefined) return detectCallStyle();
  return structuredParams ? 'structured' : 'separate';
}

function contextOf(args: readonly unknown[], reading: CallReading): string | undefined {
  const last = args.length > 1 ? args[args.length - 1] : undefined;
  return typeof last === 'string' ? last : reading.context;
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
