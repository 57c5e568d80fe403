import { say } from './report.js';

/** The time of the demo, from its boot on. */
export class Clock {
  readonly #started = performance.now();

  /** To a tenth. */
  get seconds(): number {
    return Math.round((performance.now() - this.#started) / 100) / 10;
  }

  /** Says what happens, and when. */
  tell(first: string, ...lines: readonly string[]): void {
    say('', `${this.seconds.toFixed(1).padStart(5)} s  ${first}`, ...lines);
  }
}
