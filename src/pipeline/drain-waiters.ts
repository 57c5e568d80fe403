import type { Runtime } from './runtime.js';

interface Waiter {
  readonly target: number;
  readonly done: (timedOut: boolean) => void;
}

/** Those who wait for everything up to some record to have an outcome. */
export class DrainWaiters {
  readonly #runtime: Runtime;
  readonly #oldestPending: () => number;
  #waiters: Waiter[] = [];
  #changes: (() => void)[] = [];

  /** `oldestPending`: the ordinal of the oldest record without an outcome, Infinity when there is none. */
  constructor(runtime: Runtime, oldestPending: () => number) {
    this.#runtime = runtime;
    this.#oldestPending = oldestPending;
  }

  /** Resolves to whether the time ran out before all records up to `target` had an outcome. */
  drained(target: number, timeoutMs: number): Promise<boolean> {
    if (this.#oldestPending() > target) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        target,
        done: (timedOut) => {
          cancel();
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          resolve(timedOut);
        },
      };
      const cancel = this.#runtime.after(Math.max(0, timeoutMs), () => waiter.done(true), true);
      this.#waiters.push(waiter);
    });
  }

  /** Resolves at the next call of `check`, or when the time is up. */
  async nextChange(timeoutMs: number): Promise<void> {
    const change = new Promise<void>((resolve) => this.#changes.push(resolve));
    await this.within(change, timeoutMs, undefined);
  }

  /** `promise`, or `fallback` when it takes longer. */
  within<T>(promise: Promise<T>, timeoutMs: number, fallback: T): Promise<T> {
    return new Promise((resolve) => {
      const cancel = this.#runtime.after(Math.max(0, timeoutMs), () => resolve(fallback), true);
      void promise.then((value) => {
        cancel();
        resolve(value);
      });
    });
  }

  /** Something reached an outcome. */
  check(): void {
    if (this.#changes.length > 0) for (const resolve of this.#changes.splice(0)) resolve();
    if (this.#waiters.length === 0) return;
    const oldest = this.#oldestPending();
    for (const waiter of this.#waiters) if (oldest > waiter.target) waiter.done(false);
  }
}
