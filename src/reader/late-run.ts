import type { LogEntry } from './types.js';

type Step = IteratorResult<LogEntry, undefined>;

interface Run {
  next(): Promise<Step>;
  return(): Promise<Step>;
}

/**
 * An iteration that is loaded with its first step. Reading is a lot of code, which an application that injects a reader
 * for a rare moment does not have to wait for at its start.
 */
export class LateRun<R extends Run> implements Run {
  readonly #load: () => Promise<R>;
  #loading: Promise<R> | undefined;
  #loaded: R | undefined;
  #isEnded = false;

  constructor(load: () => Promise<R>) {
    this.#load = load;
  }

  /** Undefined before the first step. */
  get loaded(): R | undefined {
    return this.#loaded;
  }

  next(): Promise<Step> {
    return this.#loaded === undefined ? this.#first() : this.#loaded.next();
  }

  async return(): Promise<Step> {
    this.#isEnded = true;
    return this.#loaded?.return() ?? { done: true, value: undefined };
  }

  async #first(): Promise<Step> {
    if (!this.#isEnded) this.#loading ??= this.#load();
    const run = await this.#loading;
    if (run === undefined || this.#isEnded) return { done: true, value: undefined };
    this.#loaded = run;
    return run.next();
  }
}
