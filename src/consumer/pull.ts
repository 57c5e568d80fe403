import type { LogBatch } from './batch.js';

interface Offer {
  readonly batch: LogBatch;
  /** Whoever took the batch is done with it. */
  done(): void;
}

/** Where the engine's batches meet those who ask for one. */
export class BatchExchange {
  readonly #offers: Offer[] = [];
  readonly #taken = new Set<Offer>();
  readonly #asking: ((offer: Offer | undefined) => void)[] = [];
  #isOver = false;
  #failure: unknown;

  /** A handler for the engine: settles when somebody has taken the batch and is done with it. */
  readonly offer = (batch: LogBatch): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        this.#taken.delete(offer);
        // Only what was acknowledged in the loop is.
        void batch.ack([]);
        resolve();
      };
      const offer = { batch, done };
      // Nobody will ever take it.
      if (this.#isOver) return done();
      const ask = this.#asking.shift();
      if (ask === undefined) this.#offers.push(offer);
      else ask(offer);
    });

  /** The next batch, or none any more. */
  async take(): Promise<Offer | undefined> {
    const offer = this.#offers.shift() ?? (await this.#next());
    if (offer !== undefined) this.#taken.add(offer);
    return offer;
  }

  async #next(): Promise<Offer | undefined> {
    const asked = this.#isOver
      ? undefined
      : await new Promise<Offer | undefined>((ask) => this.#asking.push(ask));
    if (this.#failure !== undefined) throw this.#failure as Error;
    return asked;
  }

  /** There will never be a batch: whoever asks is told why. */
  fail(error: unknown): void {
    this.#failure = error;
    this.end();
  }

  /**
   * Nobody waits any longer; batches that nobody took are given back. One that was taken and is acknowledged is over: a
   * loop that closes its consumer and waits for that does not wait for itself.
   */
  end(): void {
    this.#isOver = true;
    for (const ask of this.#asking.splice(0)) ask(undefined);
    for (const { done } of this.#offers.splice(0)) done();
    for (const { batch, done } of this.#taken) if (batch.open.length === 0) done();
  }
}

/** One loop over batches. Going on to the next one ends the last: what is open of it is handed out again. */
export class BatchIterator implements AsyncIterableIterator<LogBatch, undefined> {
  readonly #exchange: BatchExchange;
  readonly #left: () => Promise<void>;
  #current: Offer | undefined;

  /** `left`: called when the loop is left early. */
  constructor(exchange: BatchExchange, left: () => Promise<void>) {
    this.#exchange = exchange;
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<LogBatch, undefined>> {
    this.#finish();
    this.#current = await this.#exchange.take();
    const batch = this.#current?.batch;
    return batch === undefined ? { done: true, value: undefined } : { done: false, value: batch };
  }

  async return(): Promise<IteratorResult<LogBatch, undefined>> {
    this.#finish();
    await this.#left();
    return { done: true, value: undefined };
  }

  #finish(): void {
    this.#current?.done();
    this.#current = undefined;
  }
}
