import type { EntryEncoder } from '../codec/entry-encoder.js';
import type { LogRecord } from '../record/log-record.js';
import type { Delivery, DropReason } from './account.js';
import type { QueueLimits } from './bounded-queue.js';
import type { EntryView } from './lane.js';
import type { Failure, LogStore } from './ports.js';
import type { Runtime } from './runtime.js';
import type { SenderLimits } from './sender.js';
import type { SpoolOpening } from './spool-desk.js';

/** What became of everything emitted so far, as `flush()` and shutdown report it. */
export interface FlushResult {
  readonly delivered: number;
  /** Sum over all reasons. */
  readonly dropped: number;
  readonly spooled: number;
  readonly unconfirmed: number;
  /** Records without an outcome: queued or in flight. */
  readonly pending: number;
  readonly timedOut: boolean;
}

export interface PipelineOptions {
  readonly limits: SenderLimits;
  readonly queue: QueueLimits;
  readonly delivery: Delivery;
  /** True: where scripts are refused records wait, rather than be delivered with less than was asked for. */
  readonly deliveryIsExplicit: boolean;
  /** False where the entries of the format do not carry producer and number. */
  readonly searchable: boolean;
}

/** What the pipeline tells its owner. None of these may throw. */
export interface PipelineEvents {
  /** A record was dropped: queued before (`entry`), or refused at once (`record`). */
  dropped(reason: DropReason, entry: EntryView | undefined, record: LogRecord | undefined): void;
  /** A stream met a failure; `undefined`: it works (again). */
  trouble(stream: string, failure: Failure | undefined): void;
  /** Scripts are refused, so delivery is `at-least-once` from here on. */
  weakened(failure: Failure): void;
}

export interface PipelineParts {
  readonly store: LogStore;
  readonly encoder: EntryEncoder;
  readonly streamOf: (record: LogRecord) => string;
  readonly newProducerId: () => string;
  readonly runtime: Runtime;
  readonly events: PipelineEvents;
  /** The disk spool, where there is to be one. */
  readonly spool?: SpoolOpening | undefined;
  /** Runs the pipeline's own work outside the request that happens to log. */
  readonly isolate: <T>(work: () => T) => T;
}
