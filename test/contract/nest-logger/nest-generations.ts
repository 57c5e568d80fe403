import { ConsoleLogger as ConsoleLogger12, Logger as Logger12, type LoggerService } from '@nestjs/common';
import { ConsoleLogger as ConsoleLogger11, Logger as Logger11 } from 'nest-common-11';
import type { CallStyle } from '../../../src/nest/logger/call-arguments.js';
import type { RawRecord } from './canonical.js';
import type { Call, CallTarget } from './calls.js';

/** Nest's `Logger` class, of either generation: it has the methods of a `LoggerService` as statics too. */
export interface NestLoggerClass extends LoggerService {
  new (): LoggerService;
  new (context: string): LoggerService;
  overrideLogger(logger: LoggerService | false): unknown;
}

/** Makes a logger of its own with the given context; what it would write goes to `emit`, in order. */
export type LoggerFactory = (context: string | undefined) => LoggerService;

export type Emit = (record: RawRecord) => void;

export interface NestGeneration {
  readonly name: 'Nest 12' | 'Nest 11';
  readonly style: CallStyle;
  readonly Logger: NestLoggerClass;
  /** A `ConsoleLogger` in JSON mode that hands over each record instead of writing it. */
  createConsoleLogger(context: string | undefined, emit: Emit): LoggerService;
  /** A `ConsoleLogger` in JSON mode, as an application makes it. */
  createWritingLogger(context: string | undefined): LoggerService;
}

const JSON_OPTIONS = { json: true, colors: false } as const;

function optionsFor(context: string | undefined): { json: true; colors: false; context?: string } {
  return context === undefined ? { ...JSON_OPTIONS } : { ...JSON_OPTIONS, context };
}

/** Both generations build the log object in `getJsonLogObject`, after all reading of the arguments. */
function emitLogObject(logObject: Record<string, unknown>, thrown: unknown, emit: Emit): void {
  emit({
    level: String(logObject['level']),
    context: logObject['context'],
    message: logObject['message'],
    params: logObject['params'] as object | undefined,
    stack: logObject['stack'],
    error: logObject['error'],
    thrown,
  });
}

class EmittingConsoleLogger12 extends ConsoleLogger12 {
  readonly #emit: Emit;

  constructor(context: string | undefined, emit: Emit) {
    super(optionsFor(context));
    this.#emit = emit;
  }

  protected override printAsJson(
    message: unknown,
    options: Parameters<ConsoleLogger12['getJsonLogObject']>[1],
  ): void {
    emitLogObject(this.getJsonLogObject(message, options), options.error, this.#emit);
  }
}

class EmittingConsoleLogger11 extends ConsoleLogger11 {
  readonly #emit: Emit;

  constructor(context: string | undefined, emit: Emit) {
    super(optionsFor(context));
    this.#emit = emit;
  }

  protected override printAsJson(
    message: unknown,
    options: Parameters<ConsoleLogger11['getJsonLogObject']>[1],
  ): void {
    emitLogObject({ ...this.getJsonLogObject(message, options) }, undefined, this.#emit);
  }
}

export const GENERATIONS: readonly NestGeneration[] = [
  {
    name: 'Nest 12',
    style: 'structured',
    Logger: Logger12,
    createConsoleLogger: (context, emit) => new EmittingConsoleLogger12(context, emit),
    createWritingLogger: (context) => new ConsoleLogger12(optionsFor(context)),
  },
  {
    name: 'Nest 11',
    style: 'separate',
    Logger: Logger11,
    createConsoleLogger: (context, emit) => new EmittingConsoleLogger11(context, emit),
    createWritingLogger: (context) => new ConsoleLogger11(optionsFor(context)),
  },
];

/**
 * Makes the call on loggers of the factory, in all the ways an application reaches them. Nest's static logger
 * is off afterwards.
 */
export async function runCall(call: Call, generation: NestGeneration, create: LoggerFactory): Promise<void> {
  const { Logger } = generation;
  const root = create(undefined);
  const target: CallTarget = {
    "new Logger('Orders')": new Logger('Orders'),
    'new Logger()': new Logger(),
    'static Logger': Logger,
    'the logger itself': root,
    'a logger with a context of its own': create('Own'),
  };
  Logger.overrideLogger(root);
  try {
    await call.run(target);
  } finally {
    Logger.overrideLogger(false);
  }
}
