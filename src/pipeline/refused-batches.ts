import type { Batch } from './batch.js';
import type { Failure } from './ports.js';
import type { ProducerLedger } from './producer-ledger.js';
import { RefusalHunt } from './refusal-hunt.js';
import { Backoff } from './runtime.js';
import type { SenderContext } from './sender.js';

/** What a guarded sender does about a batch that the server never takes: see {@link RefusalHunt}. */
export class RefusedBatches {
  readonly #stream: string;
  readonly #ledger: ProducerLedger;
  readonly #context: SenderContext;
  readonly #hunt: RefusalHunt;
  readonly #backoff: Backoff;
  #isHeld = false;

  constructor(stream: string, ledger: ProducerLedger, context: SenderContext) {
    this.#stream = stream;
    this.#ledger = ledger;
    this.#context = context;
    this.#hunt = new RefusalHunt(context.runtime.now);
    this.#backoff = new Backoff(context.runtime.random, 100, 2_000);
  }

  get maxInFlight(): number {
    return this.#hunt.isOn ? 1 : this.#context.limits.maxInFlight;
  }

  /** Nothing is to be sent just yet: other streams are to have the connection, before this one ends it again. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The first batch on its way has failed. */
  struck(batch: Batch, failure: Failure): void {
    this.#hunt.struck(batch, failure);
    if (failure.refusal !== 'hung-up' || this.#hunt.hangUps < 2 || this.#isHeld) return;
    this.#isHeld = true;
    this.#context.runtime.after(this.#backoff.next(), () => {
      this.#isHeld = false;
      this.#context.poke();
    });
  }

  passed(batch: Batch): void {
    if (!this.#hunt.isOn) return;
    this.#hunt.passed(batch);
    this.#backoff.reset();
  }

  /**
   * To be called when the guard has been opened and has told what is stored: the batch that comes next is not, and
   * the server takes writes. Returns whether the hunt has got further.
   */
  judge(): boolean {
    const { again } = this.#ledger.outbox;
    const { failure } = this.#hunt;
    const [next] = again;
    const verdict = this.#hunt.verdict(next);
    if (next === undefined || verdict === 'send') return false;
    this.#backoff.reset();
    if (verdict === 'halve') {
      again.splice(0, 1, ...next.halves());
      return true;
    }
    this.#ledger.setAside(next.first);
    if (failure !== undefined) this.#context.trouble(this.#stream, { ...failure, kind: 'record' });
    return true;
  }
}
