import type { Batch } from './batch.js';
import type { Failure } from './ports.js';

/** So often must the server say no in the same words: to a batch before it is cut, to a lone record before it goes. */
const TRIES = 3;
/**
 * A connection that ends without a word may have any cause. Cutting a batch for it costs nothing; a lone record is given
 * up only after so many of them in a row, over so long a time, while the same connections let other writes through.
 */
const HANG_UPS = 8;
const HANG_UP_MS = 30_000;

export type Verdict = 'send' | 'halve' | 'set-aside';

interface Suspect {
  readonly first: number;
  readonly count: number;
  /** When this very batch was first in trouble. */
  readonly since: number;
  failure: Failure;
  answers: number;
  hangUps: number;
}

/**
 * Finds the record for which the server refuses a whole batch without naming it: one that is larger than the server
 * takes, say. The batch is tried a few times, then cut in halves until the record is alone, and tried again.
 *
 * An outage is no refusal. What counts is an answer of the server that has no other known reason, or a connection that
 * ended just upon this batch; and either counts only if the server took another write in between, which the sender
 * makes sure of before it asks for the verdict.
 */
export class RefusalHunt {
  readonly #now: () => number;
  #suspect: Suspect | undefined;
  /** The last number of a batch that was refused for certain: its parts need not be tried so often. */
  #refusedThrough = 0;
  /** A record was given up without an answer of the server's: no second one before something is stored again. */
  #gaveUpUntold = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether batches must go one at a time, so that there is no doubt which one is refused. */
  get isOn(): boolean {
    return this.#suspect !== undefined || this.#refusedThrough > 0 || this.#gaveUpUntold;
  }

  /** How often in a row the connection ended upon the same batch. */
  get hangUps(): number {
    return this.#suspect?.hangUps ?? 0;
  }

  /** Why the suspect was refused. */
  get failure(): Failure | undefined {
    return this.#suspect?.failure;
  }

  /** The first batch of those on their way has failed. */
  struck(batch: Batch, failure: Failure): void {
    if (failure.refusal === undefined) return;
    const suspect = this.#suspectFor(batch, failure);
    if (failure.refusal === 'hung-up') {
      suspect.hangUps++;
      return;
    }
    if (suspect.failure.token !== failure.token) suspect.answers = 0;
    suspect.answers++;
    suspect.failure = failure;
  }

  /** The batch is stored. */
  passed(batch: Batch): void {
    this.#suspect = undefined;
    this.#gaveUpUntold = false;
    if (batch.last >= this.#refusedThrough) this.#refusedThrough = 0;
  }

  /** What to do with the batch that comes next, now that the server has shown that it takes writes. */
  verdict(next: Batch | undefined): Verdict {
    const suspect = this.#suspect;
    if (suspect === undefined) return 'send';
    if (next === undefined || !isSame(suspect, next)) {
      // It is stored, or a part of it is.
      this.#suspect = undefined;
      return 'send';
    }
    if (next.count === 1) return this.#verdictOnOne(suspect);
    const isRefused = answersOf(suspect) >= (this.#refusedThrough >= next.last ? 1 : TRIES);
    if (!isRefused && suspect.hangUps < TRIES) return 'send';
    if (isRefused) this.#refusedThrough = Math.max(this.#refusedThrough, next.last);
    this.#suspect = this.#newSuspect({ first: next.first, count: next.count >> 1 }, suspect.failure);
    return 'halve';
  }

  #verdictOnOne(suspect: Suspect): Verdict {
    const isTold = answersOf(suspect) >= TRIES;
    const isLong = suspect.hangUps >= HANG_UPS && this.#now() - suspect.since >= HANG_UP_MS;
    if (!isTold && (!isLong || this.#gaveUpUntold)) return 'send';
    this.#suspect = undefined;
    this.#gaveUpUntold ||= !isTold;
    return 'set-aside';
  }

  #suspectFor(batch: Batch, failure: Failure): Suspect {
    if (this.#suspect === undefined || !isSame(this.#suspect, batch)) {
      this.#suspect = this.#newSuspect(batch, failure);
    }
    return this.#suspect;
  }

  #newSuspect({ first, count }: Pick<Batch, 'first' | 'count'>, failure: Failure): Suspect {
    return { first, count, since: this.#now(), failure, answers: 0, hangUps: 0 };
  }
}

function isSame(one: Pick<Batch, 'first' | 'count'>, other: Pick<Batch, 'first' | 'count'>): boolean {
  return one.first === other.first && one.count === other.count;
}

/**
 * After a protocol error the server ends the connection, and most often the end outruns the answer: once it has said
 * why, the ends that it did not explain count as well.
 */
function answersOf({ answers, hangUps, failure }: Suspect): number {
  return answers > 0 && failure.token === 'PROTOCOL' ? answers + hangUps : answers;
}
