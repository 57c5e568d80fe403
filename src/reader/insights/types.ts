import type { LogEntry } from '../types.js';
import type { InsightsLevel } from './section.js';

export interface RecentOptions {
  /** Most records, 1 to 10,000. Default 100. */
  readonly limit?: number;
  /** Most entries to look at for them, 1 to 10^12. Default 100,000. */
  readonly maxScanned?: number;
  readonly signal?: AbortSignal;
}

export interface RecentMessages {
  /** The newest first. */
  readonly entries: readonly LogEntry[];
  /** Entries looked at. */
  readonly scanned: number;
  /** False where the search ended at `maxScanned`: there may be older ones. */
  readonly isComplete: boolean;
}

export interface CommonOptions {
  /** Most messages, 1 to 10,000. Default 20. */
  readonly limit?: number;
}

/** A message of one service and level, with all that differ from it only in numbers, ids and quoted parts. */
export interface CommonMessage {
  readonly service: string;
  readonly level: InsightsLevel;
  /** The message with marks for what differs, at most 500 characters of it. */
  readonly template: string;
  /** Records in the window: at least so many, and exactly so many where `countError` is 0. */
  readonly count: number;
  /** There may be so many more, where a bucket had more messages than `maxTemplates`. */
  readonly countError: number;
  /** `count` as a part of all records of the window, 0 to 1. */
  readonly share: number;
  /** Records in the equally long time before; undefined where that is not known. */
  readonly previous: number | undefined;
  /** How many times as often as in the time before: 1 is the same. Undefined where `previous` is 0 or not known. */
  readonly trend: number | undefined;
  /** Never seen before the window, while others were. */
  readonly isNew: boolean;
  /** Arrival of the first and of the last record, in milliseconds since 1970, also outside of the window. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The last record: what it said (at most 500 characters), its entry's id for `LogReader.context`, and its trace. */
  readonly sample: string;
  readonly entryId: string;
  readonly traceId: string | undefined;
}

export interface CommonMessages {
  /** The window in whole buckets, in milliseconds since 1970. It begins later than asked where no more is kept. */
  readonly from: number;
  readonly to: number;
  /** Records of the window, of all messages. */
  readonly total: number;
  /** The same for the equally long time before; undefined where that is not known. */
  readonly previousTotal: number | undefined;
  /** Arrival of the first record that was ever counted; undefined where nothing was: no counter has run. */
  readonly countedSince: number | undefined;
  /** Arrival of the last record that was counted. Later ones are not in the numbers yet. */
  readonly countedUntil: number | undefined;
  /** The most frequent first. */
  readonly messages: readonly CommonMessage[];
}
