import type { Batch } from './batch.js';

/** What is known of an error: never the error itself, which may hold passwords and records. */
export interface Failure {
  /**
   * `retry`: heals by itself. `circuit`: somebody must act. `no-scripts`: the server lets us run none. `record`: it is
   * this record that cannot be stored.
   */
  readonly kind: 'retry' | 'circuit' | 'no-scripts' | 'record';
  /** First word of the server's error (`OOM`, `NOPERM`) or the code of the socket's (`ECONNRESET`). */
  readonly token: string;
  /** One line for people: what is wrong and what to do. */
  readonly text: string;
  /** Whether the records may be stored all the same. */
  readonly persisted: 'no' | 'possibly';
  /**
   * Set where it may be the batch itself that the server does not take. `answered`: it said so, and knows no reason
   * that is its own. `hung-up`: it ended the connection without a word, which may have any cause.
   */
  readonly refusal?: 'answered' | 'hung-up';
}

/** The token of a failure that is one Cluster node's. */
export const NODE = 'NODE';

/** The token of a failure that says for certain that nothing ever left. */
export const UNSENT = 'UNSENT';

export interface Failed {
  readonly status: 'failed';
  readonly failure: Failure;
}

/** What OPEN asks; see the guard protocol in docs/exactly-once.md. */
export interface OpenRequest {
  readonly stream: string;
  readonly producer: string;
  readonly epoch: number;
  readonly shed: number;
  /**
   * `look`: change nothing, and say what the stream's last id is. `fresh`: nothing was ever sent under this producer id. `acknowledged`: `from` is the id of the last entry that
   * Redis confirmed. `unacknowledged`: none was confirmed; `from` is the stream's last id before the first send.
   */
  readonly history: 'look' | 'fresh' | 'acknowledged' | 'unacknowledged';
  readonly from: string;
  /** False when the entries do not carry producer and number, so that none can be found again. */
  readonly searchable: boolean;
}

export type OpenReply =
  | {
      readonly status: 'guard';
      readonly seq: number;
      readonly lastId: string;
      /** The epoch in force: ours, or a later one that an earlier process of this producer had opened. */
      readonly epoch: number;
    }
  | { readonly status: 'last-id'; readonly lastId: string }
  | { readonly status: 'cannot-tell'; readonly lastId: string }
  | Failed;

export interface AppendRequest {
  readonly stream: string;
  readonly producer: string;
  readonly epoch: number;
  /** The guard's number as the producer knows it. */
  readonly prev: number;
  readonly holes: number;
  readonly shed: number;
  /** `undefined`: a probe, which appends nothing and only compares. */
  readonly batch: Batch | undefined;
}

export type AppendReply =
  | { readonly status: 'written'; readonly lastId: string }
  | { readonly status: 'already' }
  | { readonly status: 'refused' }
  | { readonly status: 'absent' }
  | {
      readonly status: 'bad';
      /** Number of the last record appended. */
      readonly appended: number;
      /** Number of the record that was not. */
      readonly number: number;
      readonly failure: Failure;
    }
  | Failed;

export type PlainReply =
  | {
      readonly status: 'answered';
      /** For each record of the batch: nothing when stored, else why not. Empty: all are stored. */
      readonly failures: readonly (Failure | undefined)[];
      /** Whether the server took what was sent behind them in the same request; undefined where nothing was. */
      readonly tookRest?: boolean | undefined;
    }
  | Failed;

/** How the connection stands. `closed` is final. */
export type StoreState = 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed';

/**
 * What the pipeline needs of Redis. Calls settle always, by a deadline of their own, and never reject. A failure
 * that says the connection is gone has already ended it when the call settles.
 */
export interface LogStore {
  readonly state: StoreState;
  /** Starts to connect where that is not under way; connects again by itself from then on. */
  connect(): void;
  open(request: OpenRequest): Promise<OpenReply>;
  append(request: AppendRequest): Promise<AppendReply>;
  /**
   * Where more than the server's memory must have the records (`acknowledge`), it asks for as long as the connection
   * lives: records that were sent without a guard cannot be sent again without being stored twice.
   */
  appendPlain(stream: string, producer: string, batch: Batch): Promise<PlainReply>;
  /** Removes resources that no entry of the stream refers to any more. */
  sweep(stream: string): Promise<void>;
  /** Ends the connection at once. */
  close(): void;
  onState(listener: (state: StoreState) => void): void;
}
