import type { MonitorSample } from './types.js';

/** Samples for a `for await`: the newest one waits for a reader that is slow, and those before are skipped. */
export class SampleQueue implements AsyncIterator<MonitorSample, undefined> {
  readonly #returned: () => void;
  #next: MonitorSample | undefined;
  #waiting: ((result: IteratorResult<MonitorSample, undefined>) => void) | undefined;
  #hasEnded = false;

  constructor(returned: () => void) {
    this.#returned = returned;
  }

  push(sample: MonitorSample): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#next = sample;
    else waiting({ done: false, value: sample });
  }

  end(): void {
    this.#hasEnded = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<MonitorSample, undefined>> {
    const value = this.#next;
    this.#next = undefined;
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<MonitorSample, undefined>> {
    this.end();
    this.#returned();
    return Promise.resolve({ done: true, value: undefined });
  }
}
