import type { RedisOptions } from 'ioredis';
import { createDiagnostics, describeError, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import type { ConnectionOptions } from '../options/types.js';
import type { StoreState } from '../pipeline/ports.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import { RedisConnection, type SentCommand } from './connection.js';
import { isReplyError } from './failure.js';
import { serverMsOf } from './fleet-levels.js';
import { type StreamKeys, streamKeys } from './keys.js';
import type { RangeRequest } from './range-client.js';
import { rawCommandMaker } from './raw-command.js';

export interface MonitorConnectionParts {
  /** For one answer, and for the connection, in milliseconds. */
  readonly timeoutMs: number;
  readonly runtime?: Runtime;
  readonly diagnostics?: Diagnostics;
}

const CONNECTION_NAME = 'nestjs-redis-log-monitor';
const TIME = Buffer.from('*1\r\n$4\r\nTIME\r\n');

/**
 * The monitor's own connection: made with the first command, made again when it is lost, never queueing. Every command
 * settles by a deadline. Keys are given as {@link keys} names them, with the connection's `keyPrefix` in place.
 */
export class MonitorConnection {
  readonly #connection: RedisConnection;
  readonly #parts: Required<MonitorConnectionParts>;
  readonly #isSentinel: boolean;
  readonly #waiting = new Set<(state: StoreState) => void>();
  /** What this user may not ask; not asked again over this connection, since a server keeps a log of refusals. */
  readonly #refused = new Set<'TIME' | 'INFO'>();
  #reason: string | undefined;

  constructor(connection: ConnectionOptions, parts: MonitorConnectionParts) {
    const { timeoutMs, runtime = systemRuntime, diagnostics = createDiagnostics() } = parts;
    this.#parts = { timeoutMs, runtime, diagnostics };
    this.#isSentinel = hasSentinels(connection);
    this.#connection = new RedisConnection(connection, {
      settings: { connectTimeoutMs: timeoutMs, connectionName: CONNECTION_NAME },
      runtime,
      events: { state: (state, reason) => this.#moved(state, reason) },
    });
  }

  /** Resolves when commands can be sent. @throws RedisLogError `REDIS_LOG_UNAVAILABLE` when that takes too long. */
  async ready(): Promise<void> {
    this.#connection.connect();
    if (this.#connection.state === 'ready') return;
    if (this.#connection.state === 'closed') throw closedError(this.#reason);
    await new Promise<void>((resolve, reject) => {
      const finish = (outcome: () => void): void => {
        cancel();
        this.#waiting.delete(listen);
        outcome();
      };
      const listen = (state: StoreState): void => {
        if (state === 'ready') finish(resolve);
        else if (state === 'closed') finish(() => reject(closedError(this.#reason)));
      };
      // Somebody waits for the sample, so this one keeps the process alive.
      const cancel = this.#parts.runtime.after(
        this.#parts.timeoutMs,
        () => finish(() => reject(notConnected(this.#reason))),
        true,
      );
      this.#waiting.add(listen);
    });
  }

  keys(stream: string): StreamKeys {
    return streamKeys(stream, this.#connection.link?.keyPrefix);
  }

  /** Sends one command; in a Cluster to the node of its key. The name in lower case. */
  send(name: string, ...args: (string | number)[]): Promise<unknown> {
    const link = this.#connection.link;
    if (link === undefined) return Promise.reject(notConnected(this.#reason));
    const command = new link.ioredis.Command(name, args.map(String), { replyEncoding: 'utf8' });
    return this.#answer(command as unknown as SentCommand);
  }

  /** As a client that reads takes it, but asked once. */
  ask({ command, args }: Pick<RangeRequest, 'command' | 'args'>): Promise<unknown> {
    return this.send(command, ...args(this.#connection.link?.keyPrefix ?? ''));
  }

  /** The clock of the server that holds this key, in milliseconds; our own for a user who may not ask. */
  async serverMs(key: string): Promise<number> {
    const link = this.#connection.link;
    if (link === undefined) throw notConnected(this.#reason);
    if (this.#refused.has('TIME')) return Date.now();
    // Routed as a command with a key, since TIME itself would go to any node of a Cluster.
    const command = rawCommandMaker(link.ioredis)('xlen', [key], TIME);
    try {
      return serverMsOf(await this.#answer(command));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refused.add('TIME');
      return Date.now();
    }
  }

  /** INFO of the server, or of every master of a Cluster, with the address of each; none for a user who may not ask. */
  async infos(): Promise<{ readonly address: string; readonly info: string }[]> {
    const client = this.#connection.link?.client;
    if (client === undefined) throw notConnected(this.#reason);
    if (this.#refused.has('INFO')) return [];
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    const ask = async (node: (typeof nodes)[number]): Promise<{ address: string; info: string }> => ({
      address: addressOf(node.options),
      info: await this.#deadline(node.info()),
    });
    try {
      return await Promise.all(nodes.map(ask));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refused.add('INFO');
      return [];
    }
  }

  /** A master that Sentinel has demoted still answers, with yesterday's figures. */
  demoted(): void {
    if (this.#isSentinel) this.#connection.reset(new Error('Demoted to replica.'));
  }

  close(): void {
    this.#connection.close();
  }

  #moved(state: StoreState, reason: string | undefined): void {
    if (state === 'ready') this.#refused.clear();
    this.#reason = reason ?? (state === 'ready' ? undefined : this.#reason);
    if (state === 'waiting') {
      this.#parts.diagnostics.warn('monitor:connection', `The monitor has no connection: ${reason ?? ''}.`);
    }
    for (const listen of this.#waiting) listen(state);
  }

  async #answer(command: SentCommand): Promise<unknown> {
    try {
      return await this.#connection.send(command, this.#parts.timeoutMs);
    } catch (error) {
      if (!isReplyError(error)) this.#connection.reset(error);
      throw error;
    }
  }

  #deadline<T>(promise: Promise<T>): Promise<T> {
    const { runtime, timeoutMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const cancel = runtime.after(timeoutMs, () => reject(new Error('Command timed out')), true);
      promise.then(resolve, reject).finally(cancel);
    });
  }
}

/** What may be shown of an error that a command of the monitor failed with. */
export function problemOf(error: unknown): string {
  return error instanceof RedisLogError ? error.message : describeError(error);
}

/** Whether the user may not ask this. */
export function isRefusal(error: unknown): boolean {
  return isReplyError(error) && error.message.startsWith('NOPERM');
}

function hasSentinels(connection: ConnectionOptions): boolean {
  if (typeof connection === 'string') return false;
  const options: unknown = 'options' in connection ? connection.options : connection;
  return typeof options === 'object' && options !== null && Reflect.get(options, 'sentinels') != null;
}

function addressOf({ path, host, port }: RedisOptions): string {
  return path ?? `${host ?? '127.0.0.1'}:${port ?? 6379}`;
}

function notConnected(reason: string | undefined): RedisLogError {
  const because = reason === undefined ? '' : ` The last attempt said: ${reason}.`;
  return new RedisLogError(
    'REDIS_LOG_UNAVAILABLE',
    `The monitor is not connected to Redis.${because} It tries again by itself; check connection.`,
    { subject: 'connection' },
  );
}

function closedError(reason: string | undefined): RedisLogError {
  return new RedisLogError(
    'REDIS_LOG_CLOSED',
    reason ?? 'The monitor was stopped. Make a new StreamMonitor.',
    { subject: 'connection' },
  );
}
