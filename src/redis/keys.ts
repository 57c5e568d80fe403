import { hasHashTag } from '../options/stream-name.js';

/**
 * Every key name of this package. Helper keys share the stream's Cluster slot: its own hash tag, or the whole stream
 * name as the tag.
 */
export interface StreamKeys {
  readonly stream: string;
  /** Hash: resource hash -> resource text. */
  readonly resources: string;
  /** Sorted set: resource hash -> server time of its last use, in milliseconds. */
  readonly resourcesSeen: string;
  /** Stream: what consumers set aside. */
  readonly deadLetters: string;
  /** Hash: context -> level for all processes of the stream. */
  readonly levels: string;
  guard(producer: string): string;
  /** String: which numbers of a producer a group has handled. */
  handled(group: string, producer: string): string;
  /** Hash: what is known of the counting of messages as a whole. */
  readonly insights: string;
  /** Sorted set: `<level>:<service>` -> server time of its last record counted, in milliseconds. */
  readonly insightsSections: string;
  /** Hash: id of a message -> what is known of it. */
  readonly insightsMessages: string;
  /** Sorted set: id of a message -> when it was last seen, in milliseconds. */
  readonly insightsSeen: string;
  /** Sorted set: id of a message -> how often it was seen in a span of time. */
  insightsCounts(bucket: InsightsBucket): string;
  /** Hash: id of a message -> by how much its count may be too high. */
  insightsErrors(bucket: InsightsBucket): string;
}

/** A span of time in which the messages of a service and level are counted. */
export interface InsightsBucket {
  /** `<level>:<service>` */
  readonly section: string;
  readonly bucketMs: number;
  /** Its first millisecond, a multiple of `bucketMs`. */
  readonly start: number;
}

/** `prefix` is the connection's `keyPrefix`; it counts as part of the stream's name. */
export function streamKeys(stream: string, prefix = ''): StreamKeys {
  const name = prefix + stream;
  const base = hasHashTag(name) ? name : `{${name}}`;
  return {
    stream: name,
    resources: `${base}:resources`,
    resourcesSeen: `${base}:resources:seen`,
    deadLetters: `${base}:dlq`,
    levels: `${base}:levels`,
    guard: (producer) => `${base}:guard:${producer}`,
    handled: (group, producer) => `${base}:handled:${group}:${producer}`,
    insights: `${base}:insights`,
    insightsSections: `${base}:insights:sections`,
    insightsMessages: `${base}:insights:messages`,
    insightsSeen: `${base}:insights:seen`,
    insightsCounts: (bucket) => `${base}:insights:counts:${bucketName(bucket)}`,
    insightsErrors: (bucket) => `${base}:insights:errors:${bucketName(bucket)}`,
  };
}

function bucketName({ section, bucketMs, start }: InsightsBucket): string {
  return `${bucketMs}:${start}:${section}`;
}
