/**
 * How many entries may be fetched for counting, per sample over all groups: fetching costs the server 1.3 us each. One
 * half is for lags that must be counted, first come first served. The other is shared out evenly, to hold the lags that
 * were calculated against a count.
 */
export class CountBudget {
  readonly #share: number;
  #left: number;
  #queue: Promise<unknown> = Promise.resolve();

  /** Nothing is ever counted. */
  readonly isOff: boolean;

  constructor(limit: number, groups: number) {
    this.isOff = limit === 0;
    this.#left = Math.ceil(limit / 2);
    this.#share = Math.floor(limit / 2 / Math.max(1, groups));
  }

  /** What a lag that is known may cost to be verified. */
  get share(): number {
    return this.#share;
  }

  /**
   * Runs the work with what is left, and takes what it used: one after the other, so that what one leaves over is there
   * for the next.
   */
  spend(work: (limit: number) => Promise<number>): Promise<void> {
    const turn = this.#queue.then(async () => {
      this.#left -= await work(this.#left);
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
