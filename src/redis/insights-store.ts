import type { ResolvedInsights } from '../options/insights-types.js';
import type { GroupLink } from './group-link.js';
import { COUNT_MESSAGES } from './insights-script.js';
import type { StreamKeys } from './keys.js';
import { listOf } from './replies.js';

/** Records of one message in one bucket. */
export interface TalliedMessage {
  readonly id: string;
  /** Arrival of the first and the last of them, in milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** What is kept of the message, with the last of them as the example; see {@link MessageDetail}. */
  readonly detail: string;
  /** Ids of their entries. */
  readonly entryIds: readonly string[];
}

export interface TalliedBucket {
  /** `<level>:<service>` */
  readonly section: string;
  readonly start: number;
  readonly messages: readonly TalliedMessage[];
}

/** What became of records that were to be counted. Those that had been counted before are in none of the numbers. */
export interface CountResult {
  readonly counted: number;
  /** Older than every bucket that is kept, or from a clock far ahead of the server's. */
  readonly outOfTime: number;
  /** Of a service and level beyond the {@link MAX_SECTIONS} first. */
  readonly crowded: number;
  /** The length of the spans in which the stream was counted last, where it is another. */
  readonly otherBucketMs: number | undefined;
}

/** Pairs of service and level whose messages are counted. */
export const MAX_SECTIONS = 64;
/** Messages of which an example is kept, and by which a new one is known as new; more where spans hold so many. */
const MIN_MESSAGES = 5_000;
/** One that was not seen for so long is forgotten. */
const FORGET_AFTER_MS = 7 * 24 * 3_600_000;

/** Counts messages in the keys beside a stream. */
export class InsightsStore {
  readonly #link: GroupLink;
  readonly #group: string;
  readonly #options: ResolvedInsights;

  constructor(link: GroupLink, group: string, options: ResolvedInsights) {
    this.#link = link;
    this.#group = group;
    this.#options = options;
  }

  /** In one step with the acknowledgement of the entries; asked again, it counts nothing twice. */
  async count(stream: string, buckets: readonly TalliedBucket[]): Promise<CountResult> {
    const { bucketMs, keptBuckets, maxTemplates } = this.#options;
    const maxMessages = Math.max(MIN_MESSAGES, 2 * maxTemplates);
    const limits = [bucketMs, keptBuckets, maxTemplates, MAX_SECTIONS, maxMessages, FORGET_AFTER_MS];
    const reply = await this.#link.run({
      script: COUNT_MESSAGES,
      keys: this.#keys(this.#link.keys(stream), buckets),
      args: [this.#group, ...limits, buckets.length, ...buckets.flatMap(argsOf)],
    });
    const [counted = 0, outOfTime = 0, crowded = 0, other = 0] = listOf(reply).map(Number);
    return { counted, outOfTime, crowded, otherBucketMs: other === 0 ? undefined : other };
  }

  #keys(keys: StreamKeys, buckets: readonly TalliedBucket[]): string[] {
    const { bucketMs } = this.#options;
    const { stream, insights, insightsSections, insightsMessages, insightsSeen } = keys;
    const ofBuckets = buckets.flatMap(({ section, start }) => {
      const bucket = { section, start, bucketMs };
      return [keys.insightsCounts(bucket), keys.insightsErrors(bucket)];
    });
    return [stream, insights, insightsSections, insightsMessages, insightsSeen, ...ofBuckets];
  }
}

function argsOf({ section, start, messages }: TalliedBucket): (string | number)[] {
  const args: (string | number)[] = [section, start, messages.length];
  for (const { id, firstMs, lastMs, detail, entryIds } of messages) {
    args.push(id, firstMs, lastMs, detail, entryIds.length, ...entryIds);
  }
  return args;
}
