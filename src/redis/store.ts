import type { Target } from '../codec/template.js';
import type { Batch } from '../pipeline/batch.js';
import type {
  AppendReply,
  AppendRequest,
  Failed,
  Failure,
  LogStore,
  OpenReply,
  OpenRequest,
  PlainReply,
  StoreState,
} from '../pipeline/ports.js';
import type { Acknowledgement } from './acknowledgement.js';
import type { RedisConnection } from './connection.js';
import {
  failureOf,
  failureOfAppend,
  failureOfNode,
  failureOfPlainAppend,
  isReplyError,
  UNSENT,
} from './failure.js';
import { type StreamKeys, streamKeys } from './keys.js';
import { type PlainAnswers, sendPlain } from './plain-append.js';
import { type PlainBatch, PlainRequests } from './plain-requests.js';
import { closedError } from './link-errors.js';
import { rawCommandMaker } from './raw-command.js';
import { appendCall, openCall, type ScriptCall, sweepCall, type TrimLimits } from './requests.js';
import { ResourceGate } from './resource-gate.js';
import type { StreamRetention } from './retention-keeper.js';

export interface StoreOptions {
  readonly target: Target;
  readonly trim: TrimLimits;
  /** Given where more than `trim` is to be looked after, stream by stream. */
  readonly retention?: ((stream: string) => StreamRetention) | undefined;
  readonly sendTimeoutMs: number;
  /** Told when a stream cannot be trimmed, which stops nothing else. */
  trimFailed(stream: string, failure: Failure): void;
  /** Told when what the records of a stream refer to cannot be stored, which stops nothing else. */
  resourceFailed(stream: string, failure: Failure): void;
  /** Given where a batch counts as delivered only once more than the server's memory has it. */
  readonly acknowledgement: Acknowledgement | undefined;
  /** Told when records are stored, and not yet where `acknowledge` wants them. */
  unconfirmed(stream: string, failure: Failure): void;
}

/** The pipeline's Redis: requests become commands, and whatever comes back becomes one of the answers it knows. */
export class RedisLogStore implements LogStore {
  readonly #connection: RedisConnection;
  readonly #options: StoreOptions;
  readonly #gate: ResourceGate;
  readonly #keys = new Map<string, StreamKeys>();
  readonly #plain = new Map<string, PlainRequests>();
  readonly #retentions = new Map<string, StreamRetention>();
  readonly #listeners: ((state: StoreState) => void)[] = [];
  /** Newest server time seen in an entry id, by stream; only plain batches need it. */
  readonly #serverMs = new Map<string, number>();

  constructor(connection: RedisConnection, options: StoreOptions, gate: ResourceGate) {
    this.#connection = connection;
    this.#options = options;
    this.#gate = gate;
  }

  get state(): StoreState {
    return this.#connection.state;
  }

  connect(): void {
    this.#connection.connect();
  }

  onState(listener: (state: StoreState) => void): void {
    this.#listeners.push(listener);
  }

  stateChanged(state: StoreState): void {
    this.#keys.clear();
    this.#plain.clear();
    for (const listener of this.#listeners) listener(state);
  }

  close(): void {
    this.#connection.close();
  }

  async open(request: OpenRequest): Promise<OpenReply> {
    try {
      const reply = await this.#send(openCall(request, this.#keysOf(request.stream), this.#options.target));
      const [status, seq, lastId, epoch] = words(reply);
      if (status === 'GUARD') {
        const failure = await this.#options.acknowledgement?.confirm();
        // Nothing of it is on its way any more: it may be asked again under the same id.
        if (failure !== undefined) return { status: 'failed', failure: { ...failure, persisted: 'no' } };
        return { status: 'guard', seq: Number(seq), lastId: lastId ?? '0-0', epoch: Number(epoch) };
      }
      if (status === 'LAST_ID') return { status: 'last-id', lastId: seq ?? '0-0' };
      if (status === 'CANNOT_TELL') return { status: 'cannot-tell', lastId: seq ?? '0-0' };
      return unexpected(reply);
    } catch (error) {
      return this.#failed(error);
    }
  }

  async append(request: AppendRequest): Promise<AppendReply> {
    try {
      if (request.batch !== undefined) await this.#pass(request.batch);
      const { target } = this.#options;
      const trim = this.#trimOf(request.stream);
      const sent = this.#send(appendCall(request, this.#keysOf(request.stream), { target, trim }));
      // A probe brings nothing that would have to be confirmed.
      const confirmed = request.batch === undefined ? undefined : this.#options.acknowledgement?.confirm();
      // What ends the connection ends both, and is told by the first.
      confirmed?.catch(() => undefined);
      const answer = this.#appended(request, await sent);
      this.#written(request, answer);
      const failure = acknowledges(answer) ? await confirmed : undefined;
      return failure === undefined ? answer : { status: 'failed', failure };
    } catch (error) {
      const failed = this.#failed(error);
      // The script is not cached on that server: OPEN, which is sent in full, puts it there.
      return failed.failure.token === 'NOSCRIPT' ? { status: 'refused' } : failed;
    }
  }

  async appendPlain(stream: string, producer: string, batch: Batch): Promise<PlainReply> {
    try {
      await this.#pass(batch);
      const { acknowledgement } = this.#options;
      const refusal = await acknowledgement?.refusal();
      if (refusal !== undefined) return { status: 'failed', failure: { ...refusal, persisted: 'no' } };
      const sent = this.#plainOf(stream).batch(batch, producer, this.#serverMs.get(stream));
      const answers = await sendPlain(this.#connection, sent, this.#options.sendTimeoutMs);
      // Sent again they would be stored twice; so we ask again instead, for as long as the connection lives.
      await acknowledgement?.confirmed((failure) => this.#options.unconfirmed(stream, failure));
      return this.#plainReply(stream, sent, answers);
    } catch (error) {
      return this.#failed(error);
    }
  }

  async sweep(stream: string): Promise<void> {
    if (this.#options.target !== 'stream') return;
    try {
      await this.#send(sweepCall(this.#keysOf(stream)));
    } catch {
      // Housekeeping: it is tried again in an hour, and whatever is wrong shows where records are written.
    }
  }

  /** What waited is not sent by another connection than it was meant for: the sender has long decided anew there. */
  async #pass(batch: Batch): Promise<void> {
    const { link } = this.#connection;
    await this.#gate.pass(batch.templates);
    if (this.#connection.link !== link) throw closedError(UNSENT);
  }

  #appended(request: AppendRequest, reply: unknown): AppendReply {
    const [status, first, second, third] = words(reply);
    switch (status) {
      case 'OK':
        if (second) this.#options.trimFailed(request.stream, failureOfAppend(second));
        return { status: 'written', lastId: first ?? '' };
      case 'ALREADY':
        return { status: 'already' };
      case 'REFUSED':
        return { status: 'refused' };
      case 'ABSENT':
        return { status: 'absent' };
      case 'BAD': {
        const failure = failureOfAppend(third ?? '');
        if (failure.kind !== 'record') return { status: 'failed', failure };
        return { status: 'bad', appended: Number(first), number: Number(second), failure };
      }
      case undefined:
      default:
        return unexpected(reply);
    }
  }

  #plainReply(stream: string, sent: PlainBatch, { errors, lastId }: PlainAnswers): PlainReply {
    if (lastId !== undefined) this.#serverMs.set(stream, Number.parseInt(lastId, 10));
    this.#retentionOf(stream)?.written(sent.end - sent.first, lastId);
    const failures: (Failure | undefined)[] = [];
    const others: unknown[] = [];
    errors.forEach((error, index) => {
      if (error === undefined) return;
      const isRecord = index >= sent.first && index < sent.end;
      if (isRecord) failures[index - sent.first] = this.#plainFailure(error);
      else others[index] = error;
    });
    const failed = Object.keys(failures).length;
    // What refuses the records, too, is told with them.
    if (failed < sent.end - sent.first) this.#otherFailed(stream, sent, others);
    const rest = sent.ends.length - sent.end;
    const tookRest = rest === 0 ? undefined : Object.keys(others.slice(sent.end)).length < rest;
    return { status: 'answered', failures, tookRest };
  }

  /** The commands around the records: resources before, trimming behind. */
  #otherFailed(stream: string, sent: PlainBatch, errors: readonly unknown[]): void {
    errors.forEach((error, index) => {
      if (!isReplyError(error)) return;
      if (index < sent.first) this.#options.resourceFailed(stream, failureOf(error));
      else this.#options.trimFailed(stream, failureOf(error));
    });
  }

  #plainFailure(error: unknown): Failure {
    return isReplyError(error) ? failureOfPlainAppend(error.message) : this.#failed(error).failure;
  }

  /** A failure of the link itself ends it, so that nothing sent over it can arrive after what is sent next. */
  #failed(error: unknown): Failed {
    const failure = failureOf(error);
    const needsNewLink = failure.token === 'READONLY' || failure.token === 'NOAUTH';
    const isLinkFailure = failure.persisted === 'possibly' && failure.refusal !== 'answered';
    const ofNode = this.#connection.hasNodes && (isLinkFailure || failure.token === UNSENT);
    if (isLinkFailure || needsNewLink) this.#connection.reset(error);
    return { status: 'failed', failure: ofNode ? failureOfNode(failure) : failure };
  }

  #send(call: ScriptCall): Promise<unknown> {
    const link = this.#connection.link;
    if (link === undefined) return Promise.reject(closedError(UNSENT));
    const command = rawCommandMaker(link.ioredis)(call.name, call.args, call.bytes);
    return this.#connection.send(command, this.#options.sendTimeoutMs);
  }

  #plainOf(stream: string): PlainRequests {
    let plain = this.#plain.get(stream);
    if (plain === undefined) {
      const { target } = this.#options;
      plain = new PlainRequests(this.#keysOf(stream), target, this.#trimOf(stream));
      this.#plain.set(stream, plain);
    }
    return plain;
  }

  #written({ stream, batch }: AppendRequest, answer: AppendReply): void {
    if (answer.status !== 'written' || batch === undefined) return;
    this.#retentionOf(stream)?.written(batch.count, answer.lastId);
  }

  #trimOf(stream: string): TrimLimits {
    return this.#retentionOf(stream) ?? this.#options.trim;
  }

  #retentionOf(stream: string): StreamRetention | undefined {
    const { retention } = this.#options;
    if (retention === undefined) return undefined;
    let own = this.#retentions.get(stream);
    if (own === undefined) {
      own = retention(stream);
      this.#retentions.set(stream, own);
    }
    return own;
  }

  #keysOf(stream: string): StreamKeys {
    let keys = this.#keys.get(stream);
    if (keys === undefined) {
      keys = streamKeys(stream, this.#connection.link?.keyPrefix);
      this.#keys.set(stream, keys);
    }
    return keys;
  }
}

/** Whether the answer says of any record that it is stored. */
function acknowledges({ status }: AppendReply): boolean {
  return status === 'written' || status === 'already' || status === 'bad';
}

function words(reply: unknown): (string | undefined)[] {
  return Array.isArray(reply) ? reply.map((item) => (item === null ? undefined : String(item))) : [];
}

function unexpected(reply: unknown): Failed {
  const text = `Redis answered the script with something unknown (${typeof reply}). Is a proxy in between?`;
  return { status: 'failed', failure: { kind: 'retry', token: 'UNEXPECTED', text, persisted: 'possibly' } };
}
