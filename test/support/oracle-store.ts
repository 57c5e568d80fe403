import { entryValues } from '../../src/codec/entry.js';
import type { Batch } from '../../src/pipeline/batch.js';
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
} from '../../src/pipeline/ports.js';
import { append, EMPTY_STREAM, type GuardedStream, loseGuards, open, trim } from './oracle-guard.js';

/** Records whose body starts so are those that no server can store. */
export const BAD = 'bad';

export const CUT: Failure = {
  kind: 'retry',
  token: 'ECONNRESET',
  text: 'cut',
  persisted: 'possibly',
  refusal: 'hung-up',
};
const FINE = { stored: true, failure: undefined };
const BAD_RECORD: Failure = { kind: 'record', token: 'ERR', text: 'bad record', persisted: 'no' };

export const OUT_OF_MEMORY: Failure = { kind: 'retry', token: 'OOM', text: 'full', persisted: 'no' };
export const SCRIPTS_REFUSED: Failure = { kind: 'no-scripts', token: 'NOPERM', text: 'no', persisted: 'no' };

interface Sent<Reply> {
  /** Runs the request on a server, and says what the server answers. */
  readonly execute: () => Reply;
  readonly settle: (reply: Reply | Failed) => void;
}

type AnySent = Sent<OpenReply> | Sent<AppendReply> | Sent<PlainReply>;

interface Answered {
  readonly give: () => void;
  readonly settle: (reply: Failed) => void;
}

/**
 * Redis as the guard protocol's model has it, for the real pipeline to talk to: a primary and a replica that lags, and
 * a connection on which nothing happens unless the test says so. Requests are executed one by one, replies are given
 * one by one, and a cut leaves requests behind that may still be executed at any later time ("zombies").
 */
export class OracleStore implements LogStore {
  state: StoreState = 'idle';
  primary: GuardedStream = EMPTY_STREAM;
  replica: GuardedStream = EMPTY_STREAM;
  readonly zombies: AnySent[] = [];
  /** What plain commands meet beside bad records: the fate of the record at a place in its batch. */
  plainFate: (at: number) => { readonly stored: boolean; readonly failure: Failure | undefined } = () => FINE;
  readonly counts = { sent: 0, zombies: 0, failovers: 0, cannotTell: 0, bad: 0, already: 0, refused: 0 };
  readonly #listeners: ((state: StoreState) => void)[] = [];
  #sent: AnySent[] = [];
  #answered: Answered[] = [];
  #ids = 0;

  get unexecuted(): number {
    return this.#sent.length;
  }

  get unanswered(): number {
    return this.#answered.length;
  }

  connect(): void {
    if (this.state === 'idle') this.#move('connecting');
  }

  onState(listener: (state: StoreState) => void): void {
    this.#listeners.push(listener);
  }

  open(request: OpenRequest): Promise<OpenReply> {
    const { stream: _stream, from, history, ...rest } = request;
    return this.#send<OpenReply>(() => {
      if (history === 'look') return { status: 'last-id', lastId: String(this.primary.lastId) };
      const call = { ...rest, history };
      const { stream, answer } = open(this.primary, { ...call, from: Number(from) });
      this.primary = stream;
      if (answer.status === 'cannot-tell') this.counts.cannotTell++;
      return { ...answer, lastId: String(answer.lastId) };
    });
  }

  append(request: AppendRequest): Promise<AppendReply> {
    const { producer, epoch, prev, holes, shed, batch } = request;
    const first = batch?.first ?? prev + 1;
    const records = batch === undefined ? [] : bodiesOf(batch);
    return this.#send<AppendReply>(() => {
      const call = { producer, epoch, prev, first, records, holes, shed };
      const { stream, answer } = append(this.primary, call, { nextId: () => ++this.#ids, isBad });
      this.primary = stream;
      return this.#appendReply(answer);
    });
  }

  appendPlain(_stream: string, producer: string, batch: Batch): Promise<PlainReply> {
    const { first } = batch;
    const records = bodiesOf(batch);
    return this.#send<PlainReply>(() => {
      const failures = records.map((record, at) => {
        const { stored, failure } = this.plainFate(at);
        if (isBad(record) && failure === undefined) return BAD_RECORD;
        if (isBad(record) || !stored) return failure;
        const entry = { id: ++this.#ids, producer, seq: first + at, record };
        this.primary = { ...this.primary, entries: [...this.primary.entries, entry], lastId: entry.id };
        return failure;
      });
      return { status: 'answered', failures };
    });
  }

  sweep(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.cut();
    this.#move('closed');
  }

  /** The oldest request is executed; its reply is on its way. */
  execute(): void {
    const sent = this.#sent.shift();
    if (sent !== undefined) this.#answered.push(answerOf(sent));
  }

  /** The oldest reply arrives. */
  reply(): void {
    this.#answered.shift()?.give();
  }

  /** The oldest request is answered with an error that says for certain that nothing was done. */
  refuse(failure: Failure): void {
    const sent = this.#sent.shift();
    if (sent === undefined) return;
    const settle = (): void => sent.settle({ status: 'failed', failure });
    this.#answered.push({ give: settle, settle });
  }

  /** Replies are lost, and what was not executed may be executed at any time from now on, or never. */
  cut(): void {
    if (this.state === 'closed') return;
    const lost = [...this.#answered, ...this.#sent];
    this.zombies.push(...this.#sent);
    this.#sent = [];
    this.#answered = [];
    if (this.state !== 'idle') this.#move('waiting');
    for (const each of lost) each.settle({ status: 'failed', failure: CUT });
  }

  reconnect(): void {
    if (this.state !== 'ready' && this.state !== 'closed') this.#move('ready');
  }

  /** A request of an earlier connection is executed after all; nobody hears its reply. */
  executeZombie(index: number): void {
    const [zombie] = this.zombies.splice(index, 1);
    if (zombie === undefined) return;
    this.counts.zombies++;
    zombie.execute();
  }

  replicate(): void {
    this.replica = this.primary;
  }

  /** The replica takes over, with whatever it has; connections may survive that, behind a proxy. */
  failover(): void {
    this.counts.failovers++;
    this.primary = this.replica;
  }

  loseGuards(): void {
    this.primary = loseGuards(this.primary);
  }

  trim(count: number): void {
    this.primary = trim(this.primary, count);
  }

  flushAll(): void {
    this.primary = EMPTY_STREAM;
  }

  #send<Reply>(execute: () => Reply): Promise<Reply | Failed> {
    this.counts.sent++;
    return new Promise((resolve) => {
      this.#sent.push({ execute, settle: resolve } as Sent<Reply> as unknown as AnySent);
    });
  }

  #appendReply(answer: ReturnType<typeof append>['answer']): AppendReply {
    switch (answer.status) {
      case 'written':
        return { status: 'written', lastId: String(answer.lastId) };
      case 'bad':
        this.counts.bad++;
        return { ...answer, failure: BAD_RECORD };
      case 'already':
        this.counts.already++;
        return answer;
      case 'refused':
        this.counts.refused++;
        return { status: 'refused' };
      case 'absent':
        return answer;
      case 'number-reuse':
        throw new Error('The pipeline used a number twice.');
    }
  }

  #move(state: StoreState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

function answerOf(sent: AnySent): Answered {
  const { execute, settle } = sent as Sent<OpenReply>;
  const reply = execute();
  return { give: () => settle(reply), settle };
}

function isBad(record: string): boolean {
  return record.startsWith(BAD);
}

function bodiesOf(batch: Batch): string[] {
  return Array.from({ length: batch.count }, (_, index) => {
    const { template, bytes, start, end } = batch.entry(index);
    return entryValues(template, bytes.subarray(start + template.idBytes.length, end))[1] ?? '';
  });
}
