import { ConsoleLogger } from '@nestjs/common';
import type { ResolvedLoggerOptions } from '../../options/types.js';
import type { Attributes } from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import type { Redactor } from '../../record/redact.js';
import { type Level, LEVELS } from '../../record/severity.js';
import { isPlainObject } from './call-values.js';

/** Prints calls as Nest does, and hides in them what the records hide. */
export class ConsoleOutput {
  readonly #console: ConsoleLogger;
  readonly #redactor: Redactor | undefined;
  readonly #normalizer = new Normalizer();

  constructor(format: 'pretty' | 'json', redactor: Redactor | undefined) {
    // Levels are decided before a call gets here.
    this.#console = new ConsoleLogger({ logLevels: [...LEVELS], json: format === 'json' });
    this.#redactor = redactor;
  }

  /** `context`: the logger's own, for calls that give none. Never throws. */
  print(level: Level, args: readonly unknown[], context: string | undefined): void {
    try {
      if (context !== undefined) this.#console.setContext(context);
      const [message, ...rest] = this.#redactor === undefined ? args : args.map((arg) => this.#clean(arg));
      this.#console[level](message, ...rest);
    } catch {
      // Nest's own printer stumbled over a hostile argument; the record itself goes to Redis.
    } finally {
      if (context !== undefined) this.#console.resetContext();
    }
  }

  /** The value itself where there is nothing to hide in it, so that it is printed as the thing that it is. */
  #clean(value: unknown): unknown {
    const redactor = this.#redactor;
    if (redactor === undefined) return value;
    if (typeof value === 'string') return redactor.text(value);
    if (!isPlainObject(value)) return value;
    const copy: Attributes = {};
    this.#normalizer.begin();
    this.#normalizer.attributes(value, copy);
    const before = JSON.stringify(copy);
    redactor.redact(copy);
    return JSON.stringify(copy) === before ? value : copy;
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
