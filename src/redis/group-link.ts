import { createHash } from 'node:crypto';
import type { ConnectionOptions } from '../options/types.js';
import type { StoreState } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';
import { RedisConnection } from './connection.js';
import { failureOf, isReplyError } from './failure.js';
import { type StreamKeys, streamKeys } from './keys.js';
import { exchange } from './range-exchange.js';

export interface GroupLinkParts {
  readonly connection: ConnectionOptions;
  readonly connectionName: string;
  readonly runtime: Runtime;
  /** How long a command may take that does not say otherwise. */
  readonly timeoutMs: number;
  /** Told of every change of the connection's state. */
  state(state: StoreState, reason: string | undefined): void;
}

/** A Lua script, and the digest under which a server that has seen it knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Names of another kind of server's errors that say that this connection leads to the wrong one. */
const NEEDS_NEW_LINK = new Set(['READONLY', 'NOAUTH']);

/**
 * A connection for commands that are answered one by one. Each settles by a deadline, and one that misses it, or fails
 * for another reason that lies in the link, ends the connection: a link that is dead looks like a stream that is idle.
 */
export class GroupLink {
  readonly #parts: GroupLinkParts;
  readonly #connection: RedisConnection;
  #waiting: (() => void)[] = [];

  constructor(parts: GroupLinkParts) {
    this.#parts = parts;
    this.#connection = new RedisConnection(parts.connection, {
      settings: { connectTimeoutMs: Math.min(5_000, parts.timeoutMs), connectionName: parts.connectionName },
      runtime: parts.runtime,
      events: { state: (state, reason) => this.#changed(state, reason) },
    });
  }

  get state(): StoreState {
    return this.#connection.state;
  }

  /** Resolves when commands can be sent, or never will be; see `state`. */
  async settled(): Promise<void> {
    this.#connection.connect();
    while (this.state !== 'ready' && this.state !== 'closed') {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Key names as this connection's `keyPrefix` makes them. */
  keys(stream: string): StreamKeys {
    return streamKeys(stream, this.#connection.link?.keyPrefix);
  }

  /** The reply, with texts as texts. Rejects with the server's error, or with what is wrong with the link. */
  async call(
    name: string,
    args: readonly (string | number)[],
    timeoutMs: number = this.#parts.timeoutMs,
  ): Promise<unknown> {
    const { link } = this.#connection;
    try {
      return await exchange(this.#connection, [name, ...args.map(String)], timeoutMs);
    } catch (error) {
      const { persisted, token } = failureOf(error);
      const isBroken = persisted === 'possibly' && !isReplyError(error);
      // What was sent over it may still arrive; by then another connection is in use.
      if (this.#connection.link === link && (isBroken || NEEDS_NEW_LINK.has(token))) this.reset(error);
      throw error;
    }
  }

  /** Runs a script; in full where the server does not know it yet. */
  async run({ script: { sha, text }, keys, args }: ScriptCall): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.call('evalsha', [sha, ...rest]);
    } catch (error) {
      if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.call('eval', [text, ...rest]);
    }
  }

  reset(error: unknown): void {
    this.#connection.reset(error);
  }

  close(): void {
    this.#connection.close();
  }

  #changed(state: StoreState, reason: string | undefined): void {
    this.#parts.state(state, reason);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
