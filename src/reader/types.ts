import type { LogRecord } from '../record/log-record.js';
import type { Moment } from './moment.js';
import type { QueryNode } from './query-language/ast.js';

/** A record that was found, and where. */
export interface LogEntry {
  /** The entry's id; its first part is the time of arrival in milliseconds, by the server's clock. */
  readonly id: string;
  readonly stream: string;
  /** Has the shape of the SDK's ReadableLogRecord. Resource and scope are shared between records, and frozen. */
  readonly record: LogRecord;
  /** Who wrote it; undefined for entries of others. */
  readonly producer: string | undefined;
  /** The producer's number of it. */
  readonly seq: number | undefined;
  /** The hash of a resource that is stored no more: the record then knows only the name of its service. */
  readonly missingResource: string | undefined;
}

/** An entry that is no record of ours. It is left out, counted, and told of. */
export interface MalformedLogEntry {
  readonly id: string;
  readonly stream: string;
  /** What is wrong, without anything of the record. */
  readonly reason: string;
}

/** Which records are wanted. What is given must all hold. */
export interface LogFilter {
  /** This level and the more severe ones: a name of Nest's or OpenTelemetry's, or a severity number from 1 to 24. */
  readonly level?: string | number;
  /** A query (see docs/reading.md), parsed or not, or a function of the decoded record. */
  readonly where?: string | QueryNode | ((record: LogRecord) => boolean);
  /** Stands in the body, in whatever case. */
  readonly text?: string;
  readonly traceId?: string;
}

export interface QueryProgress {
  /** Entries looked at. */
  readonly scanned: number;
  /** Records that were wanted. */
  readonly matched: number;
  /** Entries that could not be decoded. */
  readonly malformed: number;
  /** How far the search has come, in milliseconds of arrival time. */
  readonly at: number;
}

interface Common extends LogFilter {
  /** Which of the reader's streams, or others. Default: all of the reader's. */
  readonly streams?: readonly string[];
  /** Ends the reading at once. */
  readonly signal?: AbortSignal;
  /** Told of entries that cannot be decoded, and that nothing else in them rules out. */
  readonly onMalformed?: (entry: MalformedLogEntry) => void;
}

export interface LogQueryOptions extends Common {
  /** Default: the oldest entry. Included. */
  readonly from?: Moment;
  /** Default: the newest entry at the start of the query. Included, to the end of its millisecond. */
  readonly to?: Moment;
  /** Most records to return, 1 to 10^12. Default: all. */
  readonly limit?: number;
  /** Most entries to look at, in all streams together, 1 to 10^12; the search ends there. Default: all. */
  readonly maxScanned?: number;
  /** Oldest first (`asc`, the default) or newest first. */
  readonly order?: 'asc' | 'desc';
  /**
   * What `from`, `to` and `order` go by. `arrival` (default): when the entry was written, which costs nothing.
   * `timestamp`: the record's own time.
   */
  readonly by?: 'arrival' | 'timestamp';
  /**
   * Of `by: 'timestamp'`: how much later than their own time records may have arrived (a spool keeps them while Redis is
   * away), 0 to 10^12 milliseconds. So far the search looks on, and so much it holds in memory to sort. Default 60,000.
   */
  readonly maxLatenessMs?: number;
  /** Called after every page that was searched. */
  readonly onProgress?: (progress: QueryProgress) => void;
}

/** Entries that were in a stream and are gone unseen. */
export interface TailGap {
  readonly stream: string;
  /** The last entry known before the gap. */
  readonly after: string;
  /**
   * How many are gone; undefined where it cannot be known (before Redis 7, at the first look, or when the stream was
   * deleted). An entry removed by XDEL counts, too.
   */
  readonly missed: number | undefined;
  readonly reason: 'trimmed' | 'deleted' | 'recreated';
}

export interface LogTailOptions extends Common {
  /**
   * Where to begin: `now` (default), `start`, a moment, an entry's id (the next one is the first), or what
   * `tail.position` said when another tail ended.
   */
  readonly from?: Moment | Readonly<Record<string, string>>;
  /** Told of entries that are gone unseen, before the next entry. Default: a line on stderr. */
  readonly onGap?: (gap: TailGap) => void;
}

export interface LogContextOptions {
  /** Most older neighbours, 0 to 10,000. Default 20. */
  readonly before?: number;
  /** Most newer neighbours, 0 to 10,000. Default 20. */
  readonly after?: number;
  /** Default: all of the reader's. */
  readonly streams?: readonly string[];
  /** Only neighbours of the same trace, or of the same service, as the entry. */
  readonly same?: 'trace' | 'service';
  /** With `same`: how far from the entry to look, 1 to 10^12 milliseconds. Default 900,000 (15 minutes). */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}
