import type { Failure } from './ports.js';
import { Backoff } from './runtime.js';

/** Times in a row that the guard may be opened without a record getting through before we slow down. */
const FRUITLESS_OPENS = 3;
/** The same for new ids: one is a guard that was lost, the next one a server that keeps none. */
const FRUITLESS_RENEWALS = 2;

export const GUARD_IS_LOST: Failure = {
  kind: 'circuit',
  token: 'GUARD_LOST',
  text: 'the guard key is lost again and again before a record is stored. Is maxmemory-policy noeviction?',
  persisted: 'no',
};

/** How long a guarded sender waits before it opens the guard again. `undefined`: not at all. */
export class OpeningWaits {
  /** For what heals by itself. */
  readonly #backoff: Backoff;
  /** For what somebody must mend. */
  readonly #probe: Backoff;
  #opens = 0;
  #renewals = 0;

  constructor(random: () => number) {
    this.#backoff = new Backoff(random, 100, 2_000);
    this.#probe = new Backoff(random, 500, 5_000);
  }

  afterFailure(kind: Failure['kind']): number {
    return kind === 'circuit' || kind === 'no-scripts' ? this.#probe.next() : this.#backoff.next();
  }

  /** The guard was not where it should be. */
  afterRefusal(): number | undefined {
    return ++this.#opens > FRUITLESS_OPENS ? this.#backoff.next() : undefined;
  }

  /** Nobody could tell what is there of an id, and another one took over. */
  afterRenewal(): number | undefined {
    return ++this.#renewals >= FRUITLESS_RENEWALS ? this.#probe.next() : undefined;
  }

  /** A record that Redis does not take was looked for, and the search has got further. */
  gotFurther(): void {
    this.#backoff.reset();
  }

  delivered(): void {
    this.#backoff.reset();
    this.#probe.reset();
    this.#opens = 0;
    this.#renewals = 0;
  }
}
