/**
 * What is counted of a stream for `LogInsights.common`, and for how long. All counters of one stream should be given the
 * same.
 */
export interface InsightsOptions {
  /** Records are counted in spans of so many milliseconds, 1,000 to 86,400,000. Default 300,000 (5 minutes). */
  readonly bucketMs?: number;
  /** So many spans are kept, the current one among them, 2 to 1,000. Default 288 (of 5 minutes: a day). */
  readonly keptBuckets?: number;
  /**
   * Most messages told apart in one span of a service and level, 10 to 100,000; beyond that the least frequent make room
   * for new ones. Default 500.
   */
  readonly maxTemplates?: number;
  /** `template` (default): messages that differ only in numbers, ids and quoted parts are one. `text`: each is its own. */
  readonly countBy?: 'template' | 'text';
  /**
   * `redis-in-action`: counts as the recipe of that book does, each text by the hour, this hour and the last one, up to
   * 100,000 texts. `keptBuckets` and `maxTemplates` can be given beside it. Default none.
   */
  readonly compatibility?: 'redis-in-action';
}

export interface ResolvedInsights {
  readonly bucketMs: number;
  readonly keptBuckets: number;
  readonly maxTemplates: number;
  readonly countBy: 'template' | 'text';
}
