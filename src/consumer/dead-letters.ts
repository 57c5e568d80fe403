import type { Diagnostics } from '../diagnostics.js';
import { stripUserinfo } from '../record/url.js';
import type { GroupStore } from '../redis/group-store.js';
import { failureOf } from '../redis/failure.js';
import type { Counters } from './stats.js';

/** Why an entry was set aside, as its dead letter says. */
export type DeadLetterReason = 'undecodable' | 'max-deliveries' | 'rejected';

export interface DeadLetterRequest {
  readonly id: string;
  readonly reason: DeadLetterReason;
  readonly error: string;
}

export interface DeadLettersParts {
  readonly store: GroupStore;
  readonly stream: string;
  readonly diagnostics: Diagnostics;
  readonly counters: Counters;
  /** Told of entries that are off the group's list now. */
  settled(ids: readonly string[]): void;
}

const MAX_ERROR = 300;

/** Sets entries aside in the stream's dead letters. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
  }

  /** Never rejects: an entry that cannot be moved stays pending, and comes again when it has been idle for long. */
  async moveAll(requests: readonly DeadLetterRequest[]): Promise<void> {
    await Promise.all(requests.map((request) => this.#move(request)));
  }

  async #move({ id, reason, error }: DeadLetterRequest): Promise<void> {
    const { store, stream, diagnostics, counters, settled } = this.#parts;
    try {
      const outcome = await store.deadLetter(id, reason, error);
      if (outcome === 'MOVED') {
        counters.deadLettered++;
        const text = `Stream ${stream}: a record went to the dead letters (${reason}); replayDeadLetters brings it back.`;
        diagnostics.warn(`consumer:dead-letter:${stream}`, text);
      }
      if (outcome === 'TRIMMED') counters.trimmedPending++;
      if (outcome !== 'TAKEN') settled([id]);
    } catch (cause) {
      const { text } = failureOf(cause);
      const advice = 'It stays pending and is tried again; allow EVAL, EVALSHA and XADD on the dead letters.';
      diagnostics.error(
        `consumer:dead-letter-failed:${stream}`,
        `Stream ${stream}: a record could not be moved to the dead letters: ${text}. ${advice}`,
      );
    }
  }
}

/** Name and first line of an error, without what its URLs carry; never more than 300 characters. */
export function errorText(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `a thrown ${error === null ? 'null' : typeof error}`;
    const [line = ''] = error.message.split('\n', 1);
    const text = stripUserinfo(`${error.name}: ${line}`, '[Redacted]');
    return text.length > MAX_ERROR ? `${text.slice(0, MAX_ERROR)}...` : text;
  } catch {
    return 'an error that cannot be read';
  }
}
