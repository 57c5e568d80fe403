import type { OpenRequest } from './ports.js';
import type { ResumedProducer } from './sender.js';

/** Who a producer is to Redis: its id, its epoch, and what is known of its past in the stream. */
export class ProducerIdentity {
  readonly #newId: () => string;
  #id: string;
  #epoch = 0;
  #history: OpenRequest['history'] = 'fresh';
  #from = '';
  /** An OPEN went out under this id and was never answered: it may still be executed, at any time. */
  #openIsLoose = false;
  /** It is noted on disk that this id begins, by this process, and nothing was sent under it yet. */
  #isUntouched = false;
  /** The next OPEN begins the guard: nothing of this id can be anywhere. */
  #begins = false;

  constructor(newId: () => string, resume: ResumedProducer | undefined) {
    this.#newId = newId;
    this.#id = resume?.producer ?? newId();
    if (resume?.from === undefined) return;
    this.#history = 'unacknowledged';
    this.#from = resume.from;
  }

  get id(): string {
    return this.#id;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Nothing was ever sent under this id. */
  get isFresh(): boolean {
    return this.#history === 'fresh';
  }

  /**
   * What the next OPEN says. `isDurable`: batches are on disk under this id already, so Redis is first asked where it
   * begins, and that is noted, for a process that goes on under this id.
   */
  nextOpen(isDurable: boolean): Pick<OpenRequest, 'producer' | 'epoch' | 'history' | 'from'> {
    if (this.isFresh && isDurable) {
      return { producer: this.#id, epoch: this.#epoch, history: 'look', from: this.#from };
    }
    // Executed after the guard was lost, a loose OPEN would begin the id anew, over records that are there.
    if (this.isFresh && this.#openIsLoose) this.#id = this.#newId();
    this.#openIsLoose = true;
    this.#epoch++;
    const history = this.#begins ? 'fresh' : this.#history;
    return { producer: this.#id, epoch: this.#epoch, history, from: this.#from };
  }

  /**
   * An OPEN that begins the guard went out under this id and was never answered. Executed after the guard was lost, it
   * would begin the id anew, over records that are there: another id has to take over.
   */
  get isSpent(): boolean {
    return this.#begins && this.#openIsLoose;
  }

  /** OPEN has an answer; `maybeLater`: it may be executed all the same. */
  openAnswered(maybeLater: boolean): void {
    this.#openIsLoose = maybeLater;
  }

  /** An earlier process of this producer had got as far as `epoch`. False: it had not. */
  catchUp(epoch: number): boolean {
    if (epoch <= this.#epoch) return false;
    this.#epoch = epoch;
    return true;
  }

  /** The guard is new, and `lastId` was the stream's last id: whatever is ours comes after it. */
  begunAt(lastId: string): void {
    this.#from = lastId;
  }

  /** It is on disk that this id begins behind `lastId`: from now on an earlier process may have gone on with it. */
  noted(lastId: string): void {
    this.#history = 'unacknowledged';
    this.#from = lastId;
    this.#isUntouched = true;
  }

  /** Redis cannot tell what is there of this id. True: nothing can be, and the next OPEN begins it. */
  mayBegin(): boolean {
    if (this.#isUntouched) this.#begins = true;
    return this.#isUntouched;
  }

  sending(): void {
    if (this.isFresh) this.#history = 'unacknowledged';
    this.#isUntouched = false;
    this.#begins = false;
  }

  acknowledged(lastId: string): void {
    this.#history = 'acknowledged';
    this.#from = lastId;
  }

  /** All trace of this producer is gone: the next one takes over. */
  renew(): void {
    this.#id = this.#newId();
    this.#history = 'fresh';
    this.#openIsLoose = false;
    this.#isUntouched = false;
    this.#begins = false;
  }
}
