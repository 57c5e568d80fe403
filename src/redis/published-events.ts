import { channel } from 'node:diagnostics_channel';
import type { DropReason } from '../pipeline/account.js';
import type { StoreState } from '../pipeline/ports.js';
import type { WriteWatch } from './watched-store.js';

/**
 * Channels of `node:diagnostics_channel` that tell what happens as it happens, without the limits of what is printed.
 * Without subscribers they cost nothing. docs/health.md lists them.
 */
export const STATE_CHANNEL = 'nestjs-redis-log:state';
export const DROP_CHANNEL = 'nestjs-redis-log:drop';
export const RETRY_CHANNEL = 'nestjs-redis-log:retry';

/** The connection has changed its state. */
export interface StateEvent {
  readonly stream: string;
  readonly state: StoreState;
}

/** One record was dropped. */
export interface DropEvent {
  readonly stream: string;
  readonly reason: DropReason;
}

/** A batch was not stored, or nobody can tell, and is sent again. */
export interface RetryEvent {
  readonly stream: string;
  /** First word of the error of Redis, the code of the socket, or `guard_refused` and `guard_absent`. */
  readonly error: string;
  /** From its sending to the error, in milliseconds. */
  readonly durationMs: number;
}

const states = channel(STATE_CHANNEL);
const drops = channel(DROP_CHANNEL);
const retries = channel(RETRY_CHANNEL);

/** Publishes what becomes of the records of one pipeline; `stream` is the one that its options name. */
export class PublishedEvents implements WriteWatch {
  readonly #stream: string;
  readonly #state: () => StoreState;
  #isPublishing = false;

  constructor(stream: string, state: () => StoreState) {
    this.#stream = stream;
    this.#state = state;
  }

  stateChanged(): void {
    if (states.hasSubscribers) this.#publish(states, { stream: this.#stream, state: this.#state() });
  }

  appended(durationMs: number, errorType: string | undefined): void {
    if (errorType === undefined || !retries.hasSubscribers) return;
    this.#publish(retries, { stream: this.#stream, error: errorType, durationMs });
  }

  dropped(reason: DropReason): void {
    if (drops.hasSubscribers) this.#publish(drops, { stream: this.#stream, reason });
  }

  /** A subscriber that logs through us may cause the next event, and so on without end. */
  #publish(to: typeof states, event: StateEvent | DropEvent | RetryEvent): void {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      to.publish(event);
    } finally {
      this.#isPublishing = false;
    }
  }
}
