import { describeError } from '../diagnostics.js';
import type {
  AppendReply,
  AppendRequest,
  Failed,
  LogStore,
  OpenReply,
  OpenRequest,
  PlainReply,
  StoreState,
} from '../pipeline/ports.js';
import type { RedisConnection } from './connection.js';
import { UNSENT } from './failure.js';
import type { OpenStore, OpenStoreParts } from './open-store.js';

type Listener = (state: StoreState) => void;

/** A store that is loaded when it is to connect: what only speaks to Redis does not slow the start of a process. */
export class LateStore implements LogStore {
  readonly #parts: OpenStoreParts;
  readonly #listeners: Listener[] = [];
  #state: StoreState = 'idle';
  #cause: string | undefined;
  #opened: OpenStore | undefined;

  constructor(parts: OpenStoreParts) {
    this.#parts = parts;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Why there is no connection, in one word of Redis or of the socket, where either said one. */
  get cause(): string | undefined {
    return this.#cause;
  }

  get link(): RedisConnection['link'] {
    return this.#opened?.connection.link;
  }

  connect(): void {
    if (this.#state !== 'idle') return;
    this.#move('connecting', undefined);
    void this.#open();
  }

  async open(request: OpenRequest): Promise<OpenReply> {
    return this.#opened?.store.open(request) ?? unsent();
  }

  async append(request: AppendRequest): Promise<AppendReply> {
    return this.#opened?.store.append(request) ?? unsent();
  }

  async appendPlain(...request: Parameters<LogStore['appendPlain']>): Promise<PlainReply> {
    return this.#opened?.store.appendPlain(...request) ?? unsent();
  }

  async sweep(stream: string): Promise<void> {
    await this.#opened?.store.sweep(stream);
  }

  close(): void {
    if (this.#opened === undefined) this.#move('closed', undefined);
    else this.#opened.store.close();
  }

  onState(listener: Listener): void {
    this.#listeners.push(listener);
  }

  async #open(): Promise<void> {
    try {
      const { openStore } = await import('./open-store.js');
      if (this.#state === 'closed') return;
      const state: OpenStoreParts['state'] = (...change) => this.#move(...change);
      this.#opened = openStore({ ...this.#parts, state });
      this.#opened.store.connect();
    } catch (error) {
      this.#move('closed', describeError(error));
    }
  }

  #move(state: StoreState, reason: string | undefined, cause?: string): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    // While the next attempt is under way, the reason is still that of the last one.
    if (state !== 'connecting') this.#cause = cause;
    this.#parts.state(state, reason, cause);
    for (const listener of this.#listeners) listener(state);
  }
}

/** Nobody sends before the state says that it can be done. */
function unsent(): Failed {
  const text = 'there is no connection yet';
  return { status: 'failed', failure: { kind: 'retry', token: UNSENT, text, persisted: 'no' } };
}
