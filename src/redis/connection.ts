import type { Redis } from 'ioredis';
import { describeError } from '../diagnostics.js';
import { isRedisLogError } from '../errors.js';
import type { ConnectionOptions } from '../options/types.js';
import type { StoreState } from '../pipeline/ports.js';
import { Backoff, type Runtime } from '../pipeline/runtime.js';
import { type Client, type ClientSettings, type IoredisModule, loadIoredis, makeClient } from './client.js';
import { isReplyError, UNSENT } from './failure.js';
import { pingNodes, startHeartbeat } from './heartbeat.js';
import {
  causeOf,
  closedError,
  explained,
  hasEnded,
  isAuthError,
  socketOf,
  timeoutError,
} from './link-errors.js';
import { end, type Socket, unref } from './sockets.js';

/** ioredis' `Command`, as much of it as we use. */
export interface SentCommand {
  readonly promise: Promise<unknown>;
  /** The socket it was last written to, where that is known; undefined while it never left. */
  readonly writtenTo?: Socket | undefined;
}

export interface ConnectionEvents {
  /** `reason`: why it is so, in words. `cause`: in one, as of {@link causeOf}. */
  state(state: StoreState, reason: string | undefined, cause?: string): void;
}

export interface ConnectionParts {
  readonly settings: ClientSettings;
  readonly runtime: Runtime;
  readonly events: ConnectionEvents;
  readonly load?: () => Promise<IoredisModule>;
}

interface Link {
  readonly client: Client;
  readonly ioredis: IoredisModule;
  readonly keyPrefix: string;
  /** We ended it ourselves, for something that none of the other commands on it can help. */
  isGivenUp: boolean;
  /** Commands without a reply. */
  pending: number;
  /** When the last command was sent. */
  lastSentAt: number;
}

/** A refused password is not tried more often than this: servers lock accounts, and logs fill up. */
const AUTH_RETRY_MS = 30_000;
const RETRY_MS = 2_000;
/** How long the nodes of a Cluster may take that answer later than the first one. */
const NODE_GREETING_MS = 1_000;

/**
 * One connection to Redis, made on request and made again when it is lost, with full jitter.
 *
 * States. `idle`: nobody asked yet. `connecting`: an attempt is under way. `ready`: commands can be sent. `waiting`: the
 * last attempt or connection ended, and the next attempt is due. `closed`: for good.
 */
export class RedisConnection {
  readonly #connection: ConnectionOptions;
  readonly #parts: ConnectionParts;
  readonly #backoff: Backoff;
  readonly #authBackoff: Backoff;
  #state: StoreState = 'idle';
  #link: Link | undefined;
  #lastError: unknown;
  #stopHeartbeat: () => void = () => {};

  constructor(connection: ConnectionOptions, parts: ConnectionParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#backoff = new Backoff(parts.runtime.random, 100, RETRY_MS);
    this.#authBackoff = new Backoff(parts.runtime.random, 1_000, AUTH_RETRY_MS);
  }

  get state(): StoreState {
    return this.#state;
  }

  get link(): Link | undefined {
    return this.#state === 'ready' ? this.#link : undefined;
  }

  /** Whether it is a Cluster's, of which a single node can fail while the connection goes on. */
  get hasNodes(): boolean {
    return this.link !== undefined && 'nodes' in this.link.client;
  }

  connect(): void {
    if (this.#state === 'idle') void this.#attempt();
  }

  /**
   * Settles with the reply, or rejects with the error or by the deadline; never later. `transmit` sends the command in
   * another way than ioredis does, or returns undefined to leave it to ioredis.
   */
  send(
    command: SentCommand,
    timeoutMs: number,
    transmit?: (client: Client) => Promise<unknown> | undefined,
  ): Promise<unknown> {
    const link = this.link;
    if (link === undefined) return Promise.reject(closedError(UNSENT));
    if (link.pending++ === 0) unref(link.client, false);
    link.lastSentAt = this.#parts.runtime.now();
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (outcome: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        cancel();
        if (--link.pending === 0) unref(link.client, true);
        outcome();
      };
      const cancel = this.#parts.runtime.after(timeoutMs, () => {
        afterWaitingReplies(() => settle(() => reject(explained(timeoutError(timeoutMs), command, link))));
      });
      const reply =
        transmit?.(link.client) ??
        (link.client.sendCommand(command as Parameters<Client['sendCommand']>[0]) as Promise<unknown>);
      reply.then(
        (value) => {
          this.#works();
          settle(() => resolve(value));
        },
        (error: unknown) => settle(() => reject(explained(error, command, link))),
      );
    });
  }

  /**
   * Gives up what the error came from, after which nothing that was sent there can arrive any more. Of a Cluster that is
   * the link to one node, which is made again when it is needed: streams on other nodes are not held up. Else it is the
   * whole connection, and a new one is made.
   */
  reset(error: unknown): void {
    const { link } = this;
    if (link === undefined || hasEnded(error)) return;
    const socket = socketOf(error);
    if ('nodes' in link.client && socket?.destroy !== undefined) {
      socket.destroy();
      return;
    }
    link.isGivenUp = true;
    this.#lost(error);
  }

  close(): void {
    const client = this.#link?.client;
    this.#link = undefined;
    this.#stopHeartbeat();
    this.#move('closed', undefined);
    if (client !== undefined) end(client);
  }

  async #attempt(): Promise<void> {
    this.#move('connecting', undefined);
    let client: Client | undefined;
    try {
      const ioredis = await (this.#parts.load ?? loadIoredis)();
      if (this.#isClosed()) return;
      const made = makeClient(ioredis, this.#connection, this.#parts.settings);
      client = made.client;
      const lastSentAt = this.#parts.runtime.now();
      const { keyPrefix } = made;
      const link: Link = { client, ioredis, keyPrefix, isGivenUp: false, pending: 0, lastSentAt };
      this.#link = link;
      this.#listen(client);
      await this.#deadline(client.connect());
      await this.#handshake(client, made.db);
      if (this.#isClosed() || this.#link?.client !== client) return end(client);
      this.#established(link);
    } catch (error) {
      this.#failed(client, error);
    }
  }

  /** A server that wants a password lets us in without one, and refuses only the first command. */
  async #handshake(client: Client, db: number): Promise<void> {
    try {
      if ('nodes' in client) await this.#greet(client.nodes('master'));
      else await this.#deadline(client.ping());
    } catch (error) {
      if (!isReplyError(error) || isAuthError(error)) throw error;
      // Answered, if only with "not allowed" or "still loading": what matters shows with the first batch.
    }
    if (db !== 0 && 'select' in client) await this.#deadline(client.select(db));
  }

  /**
   * Connects to all nodes of a Cluster. ioredis would do so with the first command to each, and refuse a second one
   * meanwhile, such as that of another stream. A node that is down holds the others up for a moment only.
   */
  async #greet(nodes: readonly Redis[]): Promise<void> {
    const greetings = nodes.map((node) => node.ping());
    const settled = Promise.allSettled(greetings);
    try {
      await this.#deadline(Promise.any(greetings));
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
    await this.#deadline(settled, NODE_GREETING_MS).catch(() => undefined);
  }

  /** Connecting proves little: a replica, or a server with too many clients, lets us in and then refuses. */
  #works(): void {
    this.#backoff.reset();
    this.#authBackoff.reset();
  }

  #established(link: Link): void {
    const { client } = link;
    unref(client, true);
    this.#stopHeartbeat = startHeartbeat({
      runtime: this.#parts.runtime,
      pulse: link,
      ping: () => pingNodes(client, (promise) => this.#deadline(promise)),
      lost: (error) => this.reset(error),
    });
    this.#move('ready', undefined);
  }

  #failed(client: Client | undefined, error: unknown): void {
    if (this.#isClosed()) return;
    if (isRedisLogError(error)) {
      // Without ioredis there is nothing to try again.
      this.#move('closed', error.message);
      return;
    }
    if (client !== undefined && this.#link?.client !== client) return;
    this.#lost(usefulError(error, this.#lastError));
  }

  #lost(error: unknown): void {
    const client = this.#link?.client;
    this.#link = undefined;
    this.#stopHeartbeat();
    if (client !== undefined) end(client);
    const wait = isAuthError(error) ? this.#authBackoff : this.#backoff;
    const delayMs = wait.next();
    this.#parts.runtime.after(delayMs, () => {
      if (this.#state === 'waiting') void this.#attempt();
    });
    this.#move('waiting', describeError(error), causeOf(error));
  }

  #listen(client: Client): void {
    this.#lastError = undefined;
    client.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    // `node error` carries what a Cluster's own error event leaves out.
    client.on('node error', (error: unknown) => {
      this.#lastError ??= error;
    });
    client.on('end', () => {
      if (this.#state === 'ready' && this.#link?.client === client) {
        this.#lost(this.#lastError ?? new Error('Connection is closed.'));
      }
    });
  }

  #deadline<T>(promise: Promise<T>, ms = this.#parts.settings.connectTimeoutMs): Promise<T> {
    const { runtime } = this.#parts;
    return new Promise((resolve, reject) => {
      const cancel = runtime.after(ms, () => afterWaitingReplies(() => reject(timeoutError(ms))));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  #move(state: StoreState, reason: string | undefined, cause?: string): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    this.#parts.events.state(state, reason, cause);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

/** A blocked event loop must not pass for a silent server: a reply that waits in the socket comes first. */
function afterWaitingReplies(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

/** ioredis rejects `connect()` with a bare "Connection is closed."; the cause came as an event before. */
function usefulError(error: unknown, lastError: unknown): unknown {
  return isReplyError(error) ? error : (lastError ?? error);
}
