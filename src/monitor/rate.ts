/** Samples that a rate is taken from. */
export const RATE_SAMPLES = 5;

/** Sums over time: a rate over the last few samples, so that one odd sample does not tip a decision. */
export class Rate {
  readonly #parts: { readonly amount: number; readonly ms: number }[] = [];

  /** `amount` undefined: what happened in that time is not known, and does not count. */
  add(amount: number | undefined, ms: number): void {
    if (amount === undefined || ms <= 0) return;
    this.#parts.push({ amount, ms });
    if (this.#parts.length > RATE_SAMPLES) this.#parts.shift();
  }

  clear(): void {
    this.#parts.length = 0;
  }

  get perSecond(): number | undefined {
    if (this.#parts.length === 0) return undefined;
    const amount = this.#parts.reduce((sum, part) => sum + part.amount, 0);
    const ms = this.#parts.reduce((sum, part) => sum + part.ms, 0);
    return (amount * 1000) / ms;
  }
}
