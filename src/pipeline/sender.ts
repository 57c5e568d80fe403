import type { Account, DropReason } from './account.js';
import type { EntryView } from './lane.js';
import type { Failure, LogStore } from './ports.js';
import type { Outbox } from './outbox.js';
import type { Runtime } from './runtime.js';
import type { BatchOwner } from './spooler.js';
import type { StreamQueue } from './stream-queue.js';

export interface SenderLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly maxDelayMs: number;
  readonly maxInFlight: number;
}

/** What the senders of a pipeline share. */
export interface SenderContext {
  readonly store: LogStore;
  readonly account: Account;
  readonly limits: SenderLimits;
  readonly runtime: Runtime;
  /** False where the entries of the format do not carry producer and number. */
  readonly searchable: boolean;
  newProducerId(): string;
  /** A record has been counted as dropped; the entry is what is left of it, if anything is. */
  dropped(entry: EntryView | undefined, reason: DropReason): void;
  /** Something became ready to be sent. */
  poke(): void;
  /** Some records reached an outcome. */
  settled(): void;
  /** The sender met a failure; `undefined`: it works again. */
  trouble(stream: string, failure: Failure | undefined): void;
  /** Scripts are refused: the sender has stopped and waits to be replaced. */
  scriptsRefused(stream: string, failure: Failure): void;
}

/** What a sender starts with. */
export interface SenderSetup {
  /** `owner` tells whose batches they are when they are written down. */
  makeOutbox(owner: () => BatchOwner): Outbox;
  /** The producer of an earlier process whose batches are sent now. */
  readonly resume?: ResumedProducer | undefined;
}

export interface ResumedProducer {
  readonly producer: string;
  /** The stream's last id before its first send; `undefined`: it never sent anything. */
  readonly from: string | undefined;
}

/** Sends what is queued for one stream, in order, and knows what has no outcome yet. */
export interface Sender {
  readonly stream: string;
  readonly queue: StreamQueue;
  /** Sends what can be sent now. With `force` a batch need not be full, nor wait for company. */
  pump(force: boolean): void;
  /** Makes sure of what waits, without sending it. */
  stage(force: boolean): void;
  /** The connection is gone: what was under way has no outcome. */
  disconnected(): void;
  /** Ordinal of the oldest record without an outcome, queued or sent; Infinity when there is none. */
  oldestPending(): number;
  /** A queued record was shed before it had a number. */
  countShed(): void;
  /** Asks Redis once more whether all that was acknowledged is there; false: it is not, and is sent again. */
  confirm(): Promise<boolean>;
  /** Whether nothing waits and nothing is on its way. */
  readonly isDone: boolean;
  /** Nothing more will come, and nothing is left. */
  retire(): void;
  /** Gives up: what was sent becomes `unconfirmed`, what was not `closed`. Nothing is sent afterwards. */
  abandon(): void;
}
