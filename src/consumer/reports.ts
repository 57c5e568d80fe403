import { describeError, type Diagnostics } from '../diagnostics.js';
import type { StoreState } from '../pipeline/ports.js';
import { failureOf } from '../redis/failure.js';

/** Says on stderr what a consumer goes through: one line per change, in words that help. */
export class Reports {
  readonly #diagnostics: Diagnostics;
  readonly #who: string;
  readonly #key: string;
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
    const text = `${this.#who}: a handler failed: ${describeError(error)}. Its records are tried again.`;
    this.#diagnostics.warn(`${this.#key}:handler`, text);
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
