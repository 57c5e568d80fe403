import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Client } from './client.js';
import type { RedisConnection, SentCommand } from './connection.js';
import { UNSENT } from './failure.js';
import { closedError } from './link-errors.js';
import { ReplyReader } from './range-replies.js';

interface Pending {
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** What we use of ioredis' inside: the socket, and the commands that wait for their replies; the same in 5 and 6. */
interface Inside {
  readonly stream?: Socket;
  readonly commandQueue?: { readonly length: number };
}

/**
 * Requests over a socket of ioredis, with replies taken apart by us. ioredis makes, secures and watches the connection;
 * only while requests of ours are under way do its bytes come here. For a client of ours alone that nobody else uses.
 */
export class RangeExchange {
  readonly #client: Redis;
  readonly #pending: Pending[] = [];
  #socket: Socket | undefined;
  #listeners: ((chunk: Buffer) => void)[] = [];
  #reader = new ReplyReader(() => undefined);

  constructor(client: Redis) {
    this.#client = client;
  }

  /** Undefined where ioredis must do it: it waits for replies itself, or has no socket. */
  send(args: readonly string[]): Promise<unknown> | undefined {
    const { stream, commandQueue } = this.#client as unknown as Inside;
    if (stream === undefined || stream.destroyed) return undefined;
    if (this.#socket === undefined && (commandQueue?.length !== 0 || !stream.writable)) return undefined;
    if (this.#socket === undefined) this.#takeOver(stream);
    const reply = new Promise((resolve, reject) => this.#pending.push({ resolve, reject }));
    stream.write(encoded(args));
    return reply;
  }

  #takeOver(socket: Socket): void {
    this.#socket = socket;
    this.#listeners = socket.rawListeners('data') as ((chunk: Buffer) => void)[];
    socket.removeAllListeners('data');
    this.#reader = new ReplyReader((reply) => this.#settle(reply));
    socket.on('data', this.#read);
    socket.once('close', this.#closed);
  }

  #giveBack(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.off('data', this.#read);
    socket.off('close', this.#closed);
    for (const listener of this.#listeners) socket.on('data', listener);
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      this.#reader.push(chunk);
    } catch {
      this.#socket?.destroy();
    }
  };

  readonly #closed = (): void => {
    this.#giveBack();
    for (const { reject } of this.#pending.splice(0)) reject(new Error('Connection is closed.'));
  };

  #settle(reply: unknown): void {
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#giveBack();
    if (reply instanceof Error) pending?.reject(reply);
    else pending?.resolve(reply);
  }
}

const exchanges = new WeakMap<Client, RangeExchange>();

/**
 * Sends one command, its name in lower case, and resolves with the reply, texts as texts: taken apart by us where that
 * can be, else by ioredis. Settles as {@link RedisConnection.send} does.
 */
export function exchange(
  connection: RedisConnection,
  words: readonly [name: string, ...args: string[]],
  timeoutMs: number,
): Promise<unknown> {
  const { link } = connection;
  if (link === undefined) return Promise.reject(closedError(UNSENT));
  const [name, ...args] = words;
  const command = new link.ioredis.Command(name, args, { replyEncoding: 'utf8' });
  return connection.send(command as SentCommand, timeoutMs, (client) => exchangeOf(client)?.send(words));
}

/** The exchange of a client; undefined for a Cluster, where ioredis has to find the way. */
function exchangeOf(client: Client): RangeExchange | undefined {
  if ('nodes' in client) return undefined;
  const known = exchanges.get(client);
  if (known !== undefined) return known;
  const made = new RangeExchange(client);
  exchanges.set(client, made);
  return made;
}

function encoded(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}
