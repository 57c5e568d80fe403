import type { Runtime } from '../pipeline/runtime.js';

/** Waits that end early when something has happened. */
export class Signals {
  readonly #runtime: Runtime;
  readonly #waiting = new Set<() => void>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Resolves at the next `wake()`, or after so many milliseconds. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel?.();
        this.#waiting.delete(end);
        resolve();
      };
      const cancel = ms === Infinity ? undefined : this.#runtime.after(Math.max(0, ms), end);
      this.#waiting.add(end);
    });
  }

  wake(): void {
    // Each takes itself off the list.
    for (const end of this.#waiting) end();
  }
}
