import { RedisLogError } from '../errors.js';
import type { ConnectionOptions } from '../options/types.js';
import type { StoreState } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';
import { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import { exchange } from './range-exchange.js';

export interface RangeClientOptions {
  readonly connection: ConnectionOptions;
  readonly connectionName: string;
  /** How long one request may take in all, reconnecting included. */
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

export interface RangeRequest {
  /** In lower case: ioredis and Cluster routing go by it. */
  readonly command: string;
  /** The arguments, given the connection's `keyPrefix`, which holds for every key. */
  args(keyPrefix: string): readonly string[];
  /** The stream, for messages. */
  readonly stream: string;
  /** How long the server may hold the answer back, for a blocking read. */
  readonly blockMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Between two tries of a request that the server turned away for the moment. */
const RETRY_MS = 100;
/** So much later than its time a blocked read may end before its connection counts as dead. */
const BLOCK_GRACE_MS = 3_000;
/** The first word of an error that no second try mends: wrong arguments, or a command the server does not have. */
const FINAL = 'ERR';

type Outcome = { readonly reply: unknown } | { readonly error: RedisLogError } | { readonly retry: string };

/**
 * Asks, and asks again: everything sent through here only reads, so a request that got no answer is simply repeated,
 * on a new connection if need be, until `requestTimeoutMs` is over. The first request connects.
 */
export class RangeClient {
  readonly #options: RangeClientOptions;
  readonly #connection: RedisConnection;
  readonly #waiting = new Set<() => void>();
  #reason: string | undefined;

  constructor(options: RangeClientOptions) {
    const { connectionName, runtime, requestTimeoutMs } = options;
    this.#options = options;
    this.#connection = new RedisConnection(options.connection, {
      settings: { connectTimeoutMs: Math.min(requestTimeoutMs, 10_000), connectionName },
      runtime,
      events: { state: (state, reason) => this.#moved(state, reason) },
    });
  }

  get isCluster(): boolean {
    const client = this.#connection.link?.client;
    return client !== undefined && 'nodes' in client;
  }

  /** Resolves when there is a connection; rejects as {@link ask} does. */
  async connected(stream: string, signal?: AbortSignal): Promise<void> {
    const deadline = this.#deadline();
    while (this.#connection.link === undefined) {
      this.#check(stream, deadline);
      await this.#change(deadline - this.#options.runtime.now(), signal);
    }
  }

  /**
   * @throws RedisLogError `REDIS_LOG_REFUSED` where the server will not answer this, `REDIS_LOG_UNAVAILABLE` where no
   * answer came in time, `REDIS_LOG_CLOSED` after `close()`; and the signal's reason.
   */
  async ask(request: RangeRequest): Promise<unknown> {
    const deadline = this.#deadline() + (request.blockMs ?? 0);
    for (;;) {
      request.signal?.throwIfAborted();
      await this.connected(request.stream, request.signal);
      const outcome = await this.#try(request);
      if ('reply' in outcome) return outcome.reply;
      if ('error' in outcome) throw outcome.error;
      this.#reason = outcome.retry;
      this.#check(request.stream, deadline - RETRY_MS);
      await this.#change(RETRY_MS, request.signal);
    }
  }

  /** Resolves after `ms`, or sooner when the connection has changed. */
  pause(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#change(ms, signal);
  }

  close(): void {
    this.#connection.close();
  }

  async #try(request: RangeRequest): Promise<Outcome> {
    const { command, stream, blockMs = 0, signal } = request;
    const link = this.#connection.link;
    if (link === undefined) return { retry: 'not connected' };
    const words = [command, ...request.args(link.keyPrefix)] as const;
    // A blocked read that gets no answer long after its time is over hangs on a dead link.
    const { requestTimeoutMs } = this.#options;
    const timeoutMs = blockMs > 0 ? blockMs + Math.min(BLOCK_GRACE_MS, requestTimeoutMs) : requestTimeoutMs;
    try {
      return {
        reply: await abortable(exchange(this.#connection, words, timeoutMs), signal),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const failure = failureOf(error);
      if (failure.token === 'ETIMEDOUT') this.#connection.reset(error);
      if (failure.kind === 'retry' && failure.token !== FINAL) return { retry: failure.text };
      return { error: refused(stream, failure.text) };
    }
  }

  #moved(state: StoreState, reason: string | undefined): void {
    if (reason !== undefined) this.#reason = reason;
    if (state === 'connecting') return;
    for (const wake of this.#waiting) wake();
  }

  #deadline(): number {
    this.#connection.connect();
    return this.#options.runtime.now() + this.#options.requestTimeoutMs;
  }

  #check(stream: string, deadline: number): void {
    if (this.#connection.state === 'closed') {
      const text = this.#reason ?? 'The reader is closed. Make a new one.';
      throw new RedisLogError('REDIS_LOG_CLOSED', text, { subject: stream });
    }
    if (this.#options.runtime.now() < deadline) return;
    throw new RedisLogError(
      'REDIS_LOG_UNAVAILABLE',
      `${stream} could not be read within ${this.#options.requestTimeoutMs} ms: ${this.#reason ?? 'no connection'}. Check connection, or raise requestTimeoutMs.`,
      { subject: stream },
    );
  }

  /** The process stays alive for it: somebody waits. */
  #change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        if (signal?.aborted === true) reject(signal.reason as Error);
        else resolve();
      };
      const cancel = this.#options.runtime.after(Math.max(1, ms), done, true);
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
      if (signal?.aborted === true) done();
    });
  }
}

function refused(stream: string, text: string): RedisLogError {
  return new RedisLogError('REDIS_LOG_REFUSED', `${stream} cannot be read: ${text}`, { subject: stream });
}

/** Rejects with the signal's reason as soon as it is aborted; the reply is then nobody's. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
