import type { Failure } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';
import type { RedisConnection } from './connection.js';
import { failureOfReply, isReplyError } from './failure.js';
import { closedError, ENDED } from './link-errors.js';

export type Acknowledge = 'written' | 'replicated' | 'fsynced';

export interface AcknowledgementParts {
  readonly connection: RedisConnection;
  readonly kind: Exclude<Acknowledge, 'written'>;
  readonly sendTimeoutMs: number;
  readonly runtime: Runtime;
}

/** A server that refuses at once is not asked again at once. */
const PAUSE_MS = 500;

/**
 * Asks Redis whether what was sent on a connection has reached a replica (WAIT) or the disk (WAITAOF). The server runs
 * nothing else of that connection until it has answered, so one question is under way at a time, and it covers all
 * that was sent before it. Nothing of it works across the nodes of a Cluster, where commands may be redirected.
 */
export class Acknowledgement {
  readonly #parts: AcknowledgementParts;
  /** Half of a send's time: a batch that waits behind another one's question still gets an answer in time. */
  readonly #waitMs: number;
  readonly #command: { readonly name: string; readonly args: readonly string[] };
  #link: object | undefined;
  #usable = new WeakSet<object>();
  #asked: Promise<unknown> = Promise.resolve();
  #next: Promise<Failure | undefined> | undefined;

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
    this.#waitMs = Math.max(1, Math.floor(parts.sendTimeoutMs / 2));
    this.#command =
      parts.kind === 'replicated'
        ? { name: 'wait', args: ['1', String(this.#waitMs)] }
        : { name: 'waitaof', args: ['1', '0', String(this.#waitMs)] };
  }

  /**
   * Why what has been sent so far is not yet where it was asked to be; `undefined` when it is. Rejects when the
   * connection ends first.
   */
  confirm(): Promise<Failure | undefined> {
    const { link } = this.#parts.connection;
    if (link !== this.#link) {
      this.#link = link;
      this.#asked = Promise.resolve();
      this.#next = undefined;
    }
    return (this.#next ??= this.#ask(link));
  }

  /** Whether this connection's server can confirm anything, asked once, before anything is written to it. */
  async refusal(): Promise<Failure | undefined> {
    const { link } = this.#parts.connection;
    if (link !== undefined && this.#usable.has(link)) return undefined;
    const failure = await this.confirm();
    if (failure === undefined && link !== undefined) this.#usable.add(link);
    return failure;
  }

  /**
   * Asks until the answer is yes, for records that cannot be sent again without being stored twice. `failed` is told
   * each no. Rejects when the connection ends first: on a new one, which may be another server's, the answer would be
   * yes without a word about these records.
   */
  async confirmed(failed: (failure: Failure) => void): Promise<void> {
    const { connection, runtime } = this.#parts;
    const { link } = connection;
    for (let failure = await this.confirm(); failure !== undefined; failure = await this.confirm()) {
      failed(failure);
      await new Promise<void>((resolve) => runtime.after(PAUSE_MS, resolve));
      if (connection.link !== link) throw closedError(ENDED);
    }
  }

  async #ask(link: RedisConnection['link']): Promise<Failure | undefined> {
    const { connection, sendTimeoutMs } = this.#parts;
    await this.#asked;
    if (link === undefined || connection.link !== link) throw new Error('Connection is closed.');
    // What is sent from here on is not covered by this question.
    this.#next = undefined;
    const { name, args } = this.#command;
    const reply = connection.send(new link.ioredis.Command(name, [...args]), sendTimeoutMs);
    this.#asked = reply.catch(() => undefined);
    try {
      return this.#failureOf(await reply);
    } catch (error) {
      if (isReplyError(error)) return this.#refused(error.message);
      throw error;
    }
  }

  /** WAIT answers how many replicas have it, WAITAOF how many local disks and how many replicas. */
  #failureOf(reply: unknown): Failure | undefined {
    if (Number(Array.isArray(reply) ? reply[0] : reply) >= 1) return undefined;
    const text =
      this.#parts.kind === 'replicated'
        ? `no replica has confirmed the records within ${this.#waitMs} ms, as acknowledge: "replicated" asks; check that one is connected`
        : `the server's disk has not confirmed the records within ${this.#waitMs} ms, as acknowledge: "fsynced" asks; check its disk`;
    return circuit('UNCONFIRMED', text);
  }

  #refused(message: string): Failure {
    if (/unknown command/i.test(message)) {
      const text =
        'this server has no WAITAOF, which acknowledge: "fsynced" needs (Redis 7.2 or later); set acknowledge to "replicated" or "written"';
      return circuit('UNSUPPORTED', text);
    }
    if (/appendonly/i.test(message)) {
      return circuit('NOAOF', 'acknowledge: "fsynced" needs an append-only file; set appendonly to yes');
    }
    return { ...failureOfReply(message), kind: 'circuit', persisted: 'possibly' };
  }
}

/** Somebody must act. The records are stored, but nobody may rely on it yet. */
function circuit(token: string, text: string): Failure {
  return { kind: 'circuit', token, text, persisted: 'possibly' };
}
