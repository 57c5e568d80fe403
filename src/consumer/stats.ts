/** The account of one consumer since it was made. */
export interface ConsumerStats {
  /** Entries that were read as new ones. */
  readonly received: number;
  /** Entries taken over from consumers that are gone, or that were lost on the way here. */
  readonly reclaimed: number;
  /** Entries acknowledged after they were handled. */
  readonly acknowledged: number;
  /** Entries handed out again after a handler failed, once per time. */
  readonly retried: number;
  /** Entries moved to the dead letters. */
  readonly deadLettered: number;
  /** Entries skipped and acknowledged because they had been handled before. */
  readonly duplicates: number;
  /** Entries lost because they were trimmed after they had been delivered and before they were handled. */
  readonly trimmedPending: number;
  /**
   * Entries of the group that were trimmed before anybody read them, as far as this consumer could see; the same ones
   * are seen by every consumer of the group. Always 0 on Redis 6.2.
   */
  readonly trimmedUnread: number;
  /** Entries handed back to the group by `close()`. */
  readonly handedBack: number;
  /** How often group or stream were gone, and this consumer made the group again. */
  readonly groupsRecreated: number;
  /** Entries held at this moment: being handled, waiting for their next try, or not confirmed as acknowledged. */
  readonly held: number;
}

export type Counters = { -readonly [K in Exclude<keyof ConsumerStats, 'held'>]: number };

export function newCounters(): Counters {
  return {
    received: 0,
    reclaimed: 0,
    acknowledged: 0,
    retried: 0,
    deadLettered: 0,
    duplicates: 0,
    trimmedPending: 0,
    trimmedUnread: 0,
    handedBack: 0,
    groupsRecreated: 0,
  };
}
