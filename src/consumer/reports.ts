import { describeError, type Diagnostics } from '../diagnostics.js';
import type { StoreState } from '../pipeline/ports.js';
import { failureOf } from '../redis/failure.js';
import type { Doubt } from './outcome.js';

/** Says on stderr what a consumer goes through: one line per change, in words that help. */
export class Reports {
  readonly #diagnostics: Diagnostics;
  readonly #who: string;
  readonly #key: string;
  readonly #told = new Set<string>();
  #isAway = false;
  #trouble: string | undefined;

  constructor(diagnostics: Diagnostics, at: { readonly stream: string; readonly group: string }) {
    this.#diagnostics = diagnostics;
    this.#who = `Group ${JSON.stringify(at.group)} of stream ${at.stream}`;
    this.#key = `consumer:${at.stream}:${at.group}`;
  }

  connection(state: StoreState, reason: string | undefined): void {
    if (state === 'closed' && reason !== undefined) {
      this.#diagnostics.error(`${this.#key}:unusable`, reason);
    } else if (state === 'waiting' && !this.#isAway) {
      this.#isAway = true;
      const text = `${this.#who}: Redis is not usable: ${reason}. Reading goes on when it answers.`;
      this.#diagnostics.warn(`${this.#key}:lost`, text);
    }
  }

  /** Something that Redis refused; what lies in the connection is told when its state changes. */
  trouble(error: unknown): void {
    const { kind, token, text, persisted } = failureOf(error);
    const isLink = kind === 'retry' && (persisted === 'possibly' || token === 'UNSENT');
    if (isLink || this.#trouble === token) return;
    this.#trouble = token;
    this.#diagnostics.error(`${this.#key}:${token}`, `${this.#who}: ${text}. It is tried again.`);
  }

  handlerFailed(error: unknown): void {
    const text = `${this.#who}: a handler failed: ${describeError(error)}. Its records are tried again. The option onError gets the error itself.`;
    this.#diagnostics.warn(`${this.#key}:handler`, text);
  }

  /** Ids were named that are not of the batch. */
  misnamed(): void {
    this.#once(
      'misnamed',
      'ids were given that are not of the batch, and ignored. What is meant is entry.id',
    );
  }

  doubtful(doubt: Doubt): void {
    const text = {
      empty:
        'a handler resolved with an empty list, so nothing of its batch is acknowledged and all of it comes again. ' +
        'Where all is done, resolve with nothing',
      strange:
        'a handler resolved with a list of texts that are no entry ids of its batch, so all of it is acknowledged. ' +
        'Where only some are done, resolve with the entry.id of these; else with nothing',
    }[doubt];
    this.#once(doubt, text);
  }

  #once(key: string, text: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#diagnostics.warn(`${this.#key}:${key}`, `${this.#who}: ${text}. Told once.`);
  }

  works(): void {
    if (this.#isAway) this.#diagnostics.info(`${this.#key}:back`, `${this.#who}: Redis answers again.`);
    this.#isAway = false;
    this.#trouble = undefined;
  }

  handedBack(count: number): void {
    const text = `${this.#who}: the time to close was up; ${count} records were handed back to the group.`;
    this.#diagnostics.warn(`${this.#key}:closed`, text);
  }
}
