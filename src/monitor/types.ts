/**
 * A number of entries and how well it is known. `exact`: equal to a count by XRANGE. `at-least`: counted so far, and
 * there are more. `unknown`: nobody can tell, and `reason` says why; never to be taken for 0.
 */
export type EntryCount =
  | { readonly kind: 'exact'; readonly entries: number }
  | { readonly kind: 'at-least'; readonly entries: number }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * How a group stands. `OK`. `BEHIND`: it reads, and falls behind with every sample. `STALLED`: there is something to
 * read, and it reads nothing. `STUCK`: what was delivered is not acknowledged. `NO CONSUMER`: there is something to
 * read, and no live consumer. `LOSING`: entries were trimmed before it read them. `UNKNOWN`: its lag cannot be told.
 */
export type GroupStatus = 'OK' | 'BEHIND' | 'STALLED' | 'STUCK' | 'NO CONSUMER' | 'LOSING' | 'UNKNOWN';

/** What the monitor saw at one time. Durations are milliseconds, rates entries per second; undefined is unknown. */
export interface MonitorSample {
  /** When it was taken, by this process's clock. */
  readonly at: Date;
  readonly streams: readonly StreamSample[];
  readonly servers: readonly ServerSample[];
}

export interface StreamSample {
  readonly stream: string;
  /** The clock of the server that holds it, in Unix milliseconds. */
  readonly serverMs: number | undefined;
  readonly exists: boolean;
  /** Why it could not be read, and what to do; undefined when it was read. */
  readonly problem: string | undefined;
  readonly length: number;
  /** Entries ever added. Redis 7.0 and later. */
  readonly entriesAdded: number | undefined;
  readonly addedPerSecond: number | undefined;
  /** Entries that retention or XDEL removed. */
  readonly removedPerSecond: number | undefined;
  readonly firstEntryId: string | undefined;
  readonly lastGeneratedId: string;
  readonly oldestAgeMs: number | undefined;
  readonly newestAgeMs: number | undefined;
  /** The server's estimate, taken seldom. */
  readonly memoryBytes: number | undefined;
  /** Entries in the stream's dead-letter stream. */
  readonly deadLetters: number | undefined;
  /** Undefined where messages are not counted (docs/insights.md), or counting is more than a minute behind. */
  readonly errors: ErrorSample | undefined;
  readonly groups: readonly GroupSample[];
  /** With `gaps: true`: every producer seen since the monitor started. */
  readonly producers: readonly ProducerSample[];
}

/** What was counted of records with a severity of 17 or above. */
export interface ErrorSample {
  /** Since when, in Unix milliseconds: 5 minutes ago, and back to the beginning of the span that was counted then. */
  readonly from: number;
  /** Such records since then. */
  readonly count: number;
  /** Records of every severity since then. */
  readonly total: number;
  /** `count` as a part of `total`, 0 to 1; undefined without records. */
  readonly share: number | undefined;
  /** The share in the hour before; undefined while not all of it was counted, and without records. */
  readonly usualShare: number | undefined;
  readonly mostFrequent: ErrorMessage | undefined;
  /** Messages never seen before `from`, while others were; 20 at most, those that were found first. */
  readonly newMessages: readonly ErrorMessage[];
}

/** An error message of one service, with all that differ from it only in numbers, ids and quoted parts. */
export interface ErrorMessage {
  /** Names it among the messages of the stream; the same in every process. */
  readonly id: string;
  readonly service: string;
  readonly level: 'error' | 'fatal';
  /** The message with marks for what differs, at most 500 characters of it. */
  readonly template: string;
  /** How often it came since `from`, at least. */
  readonly count: number;
  /** Arrival of the first one, in Unix milliseconds. */
  readonly firstSeen: number;
  /** The entry of the last one, for `LogReader.context`. */
  readonly entryId: string;
}

export interface GroupSample {
  readonly stream: string;
  readonly group: string;
  readonly status: GroupStatus;
  /** Since when, by this process's clock. */
  readonly since: Date;
  /** What the status means here and what to do, in a sentence or two. */
  readonly advice: string;
  /** Entries not yet delivered to the group. */
  readonly lag: EntryCount;
  /** Redis' own lag, as KEDA and redis_exporter take it; undefined where Redis does not tell. */
  readonly redisLag: number | undefined;
  /** The age of the oldest entry not yet delivered; 0 when there is none. */
  readonly timeBehindMs: number | undefined;
  readonly pending: number;
  readonly oldestPending: OldestPending | undefined;
  readonly lastDeliveredId: string;
  readonly entriesRead: number | undefined;
  readonly readPerSecond: number | undefined;
  readonly acknowledgedPerSecond: number | undefined;
  /** Entries trimmed before the group got them. */
  readonly lost: EntryCount;
  /** When trimming will pass the group, if all goes on as it does; undefined when it will not, or nobody knows. */
  readonly losingInMs: number | undefined;
  /** Lag and pending against the most the stream keeps, 0 to 1 and more; undefined when that is not known. */
  readonly retentionUsed: number | undefined;
  readonly consumers: readonly ConsumerSample[];
}

export interface OldestPending {
  readonly id: string;
  readonly consumer: string;
  /** For how long it has been pending, as far as known: delivering it again starts the server's clock anew. */
  readonly pendingForMs: number;
  readonly deliveries: number;
}

export interface ConsumerSample {
  readonly name: string;
  /** Since it last asked Redis for anything. */
  readonly idleMs: number;
  /** Since it last got or acknowledged anything. Redis 7.2 and later. */
  readonly inactiveMs: number | undefined;
  readonly pending: number;
}

export interface ProducerSample {
  readonly producer: string;
  readonly lastSeq: number;
  readonly entries: number;
  /** Numbers that did not come. */
  readonly missing: number;
  /** How many of them the producer itself gave up (bad records, rolled back beyond what was kept); undefined: unknown. */
  readonly givenUp: number | undefined;
  /** Numbers missing that the producer holds for stored: lost in Redis. Undefined: unknown. */
  readonly unexplained: number | undefined;
  /** Records it dropped before they had a number. */
  readonly shed: number | undefined;
  /** Numbers that came twice. */
  readonly duplicates: number;
}

export interface ServerSample {
  readonly address: string;
  readonly version: string | undefined;
  readonly role: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  /** 0 for no limit. */
  readonly memoryMaxBytes: number | undefined;
  readonly evictionPolicy: string | undefined;
  /** Since the server started. */
  readonly evictedKeys: number | undefined;
  /** Since the sample before. */
  readonly newlyEvictedKeys: number | undefined;
  readonly appendOnly: boolean | undefined;
  /** False when the last snapshot or the last write to the append-only file failed. */
  readonly persistenceOk: boolean | undefined;
  readonly changesSinceSnapshot: number | undefined;
}

/** A group whose own count of what it has read was wrong, and is corrected. */
export interface HealedGroup {
  readonly stream: string;
  readonly group: string;
  readonly entriesRead: number;
}
