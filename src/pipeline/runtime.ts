/** Time and chance, handed in so that tests can rule them. */
export interface Runtime {
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /**
   * Calls back once after `delayMs`, and returns a function that cancels. The process is kept alive for it only with
   * `keepAlive`, for somebody who waits: a logger's own business never holds up an exit.
   */
  after(delayMs: number, callback: () => void, keepAlive?: boolean): () => void;
}

export const systemRuntime: Runtime = {
  now: () => performance.now(),
  random: Math.random,
  after(delayMs, callback, keepAlive = false) {
    const timer = setTimeout(callback, delayMs);
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Waits between tries: full jitter over an exponentially growing bound, so that many producers that lost one
 * server do not come back in the same moment.
 */
export class Backoff {
  readonly #random: () => number;
  readonly #baseMs: number;
  readonly #maxMs: number;
  #tries = 0;

  constructor(random: () => number, baseMs: number, maxMs: number) {
    this.#random = random;
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  next(): number {
    const bound = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#tries++, 30));
    return bound / 10 + this.#random() * bound * 0.9;
  }

  reset(): void {
    this.#tries = 0;
  }
}
