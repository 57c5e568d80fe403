/**
 * How much a stream keeps. All limits hold at once: `maxLength` keeps its default beside the others, so that memory stays
 * bounded. Trimming is approximate (whole stream nodes), and done while records are written. See docs/retention.md.
 */
export interface RetentionOptions {
  /** Entries kept, 1 to 10^12. Default 1,000,000 (about 350 MB). */
  readonly maxLength?: number;
  /** Age kept, in milliseconds, by the server's clock, 1 to 10^12 (31 years). No default. */
  readonly maxAgeMs?: number;
  /**
   * Share of the server's `maxmemory` that the stream may take, above 0 to 1; where that is 0, of the machine's memory. As
   * Redis estimates it, looked at every 30 seconds. No default. Not for lists.
   */
  readonly maxMemoryShare?: number;
  /**
   * Consumer groups whose unacknowledged entries are kept, whatever the limits above say. A group that does not exist
   * holds nothing back; that is told once. Default none. Not for lists.
   */
  readonly keepFor?: readonly string[];
  /**
   * With `keepFor`: so many entries are the end, whoever has not acknowledged them. It is told once and counted, as
   * `trimmedUnacknowledged` in `stats()`. At least `maxLength`, to 10^12. Default twice `maxLength`.
   */
  readonly hardMaxLength?: number;
}

export interface ResolvedRetention {
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly maxMemoryShare?: number | undefined;
  readonly keepFor?: KeepFor | undefined;
}

/** For whom entries are kept, and up to how many. */
export interface KeepFor {
  readonly groups: readonly string[];
  readonly hardMaxLength: number;
}
