/**
 * Lets so many handlers of a consumer run at once, from whichever partition their batches come; first come, first served.
 */
export class Turns {
  #free: number;
  readonly #waiting: ((isMine: boolean) => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** True when it is this one's turn, to be ended by `give`; false when the signal came first. */
  take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (isMine: boolean): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(isMine);
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(settle), 1);
        settle(false);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(settle);
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next(true);
  }
}
