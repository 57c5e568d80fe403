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
  guard(producer: string): string;
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
    guard: (producer) => `${base}:guard:${producer}`,
  };
}
