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

/** Node's timers hold no more (24.8 days); for anything beyond that they fire at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * The `timeoutMs` of options that may come from plain JavaScript: what is no number means the default, what is more
 * than a timer can hold means as long as it can.
 */
export function timeLimitOf(
  options: { readonly timeoutMs?: unknown } | null | undefined,
  defaultMs: number,
): number {
  const given = options?.timeoutMs;
  if (typeof given !== 'number' || Number.isNaN(given)) return defaultMs;
  return Math.min(Math.max(given, 0), MAX_DELAY_MS);
}

export const systemRuntime: Runtime = {
  now: () => performance.now(),
  random: Math.random,
  after(delayMs, callback, keepAlive = false) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
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
