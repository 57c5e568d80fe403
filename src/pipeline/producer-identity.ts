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
   * What the next OPEN says. `isDurable`: batches are on disk under this id already, so it cannot be changed; then
   * nothing of it may ever begin it anew, and Redis is only asked where it begins.
   */
  nextOpen(isDurable: boolean): Pick<OpenRequest, 'producer' | 'epoch' | 'history' | 'from'> {
    if (this.isFresh && isDurable) {
      return { producer: this.#id, epoch: this.#epoch, history: 'look', from: this.#from };
    }
    // Executed after the guard was lost, a loose OPEN would begin the id anew, over records that are there.
    if (this.isFresh && this.#openIsLoose) this.#id = this.#newId();
    this.#openIsLoose = true;
    this.#epoch++;
    return { producer: this.#id, epoch: this.#epoch, history: this.#history, from: this.#from };
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

  sending(): void {
    if (this.isFresh) this.#history = 'unacknowledged';
  }

  acknowledged(lastId: string): void {
    this.#history = 'acknowledged';
    this.#from = lastId;
  }

  /** All trace of this producer is gone: the next one takes over. */
  renew(): void {
    this.#id = this.#newId();
    this.#history = 'fresh';
  }
}
