import type { ResolvedLoggerOptions } from '../../options/types.js';
import type { Redactor } from '../../record/redact.js';
import type { Level } from '../../record/severity.js';
import { ConsoleCleaner } from './console-cleaner.js';
import { LinePrinter, type Surroundings } from './line-printer.js';

/** Prints calls as Nest does, and hides in them what the records hide. */
export class ConsoleOutput {
  readonly #printer: LinePrinter;
  readonly #cleaner: ConsoleCleaner | undefined;

  constructor(format: 'pretty' | 'json', redactor: Redactor | undefined) {
    this.#printer = new LinePrinter(format);
    this.#cleaner = redactor === undefined ? undefined : new ConsoleCleaner(redactor);
  }

  /** `context`: the logger's own, for calls that give none. Never throws. */
  print(
    level: Level,
    args: readonly unknown[],
    { context, ...surroundings }: Surroundings & { readonly context: string | undefined },
  ): void {
    try {
      if (context !== undefined) this.#printer.setContext(context);
      const cleaner = this.#cleaner;
      const clean = cleaner === undefined ? args : args.map((arg) => cleaner.clean(arg));
      this.#printer.printCall(level, clean, surroundings);
    } catch {
      // Nest's own printer stumbled over a hostile argument; the record itself goes to Redis.
    } finally {
      if (context !== undefined) this.#printer.resetContext();
    }
  }
}

/** What is printed beside Redis, or instead of it where logging to Redis is turned off. */
export function consoleOutput(
  options: ResolvedLoggerOptions,
  redactor: Redactor | undefined,
): ConsoleOutput | undefined {
  if (!options.enabled) return new ConsoleOutput('pretty', redactor);
  return options.console === false ? undefined : new ConsoleOutput(options.console, redactor);
}
