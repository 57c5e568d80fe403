import { type InsightsBucket, type StreamKeys, streamKeys } from './keys.js';
import type { RangeClient, RangeRequest } from './range-client.js';

/** How a stream is counted, and from when to when. */
export interface CountingState {
  readonly bucketMs: number;
  readonly keptBuckets: number;
  /** Arrival of the first and of the last record that was counted, in milliseconds. */
  readonly since: number;
  readonly until: number;
}

/** Counts of one bucket by the id of a message; an error is by how much a count may be too high. */
export interface BucketCounts {
  readonly counts: ReadonlyMap<string, number>;
  readonly errors: ReadonlyMap<string, number>;
}

/** What is kept of a message. */
export interface MessageDetail {
  readonly template: string;
  readonly sample: string;
  readonly entryId: string;
  readonly traceId?: string;
}

export interface KnownMessage extends MessageDetail {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What asks Redis for it: a client that reads, or the connection of a monitor. */
export type InsightsClient = Pick<RangeClient, 'ask' | 'close'>;

/** No span is shorter. */
const MIN_BUCKET_MS = 1_000;
const KNOWN = /^(\d+) (\d+) (.*)$/s;

/** Reads what counters have counted. Changes nothing. */
export class InsightsReader {
  readonly #client: InsightsClient;

  constructor(client: InsightsClient) {
    this.#client = client;
  }

  /** Undefined where nothing was ever counted, and for what somebody else has written there. */
  async state(stream: string): Promise<CountingState | undefined> {
    const wanted = ['bucketMs', 'keptBuckets', 'since', 'until'];
    const reply = await this.#ask(stream, 'hmget', (keys) => [keys.insights, ...wanted]);
    const [bucketMs, keptBuckets, since, until] = texts(reply).map((text) =>
      text === undefined ? undefined : Number(text),
    );
    if (bucketMs === undefined || keptBuckets === undefined) return undefined;
    if (!Number.isSafeInteger(bucketMs) || bucketMs < MIN_BUCKET_MS) return undefined;
    return { bucketMs, keptBuckets, since: since ?? Infinity, until: until ?? 0 };
  }

  /** `<level>:<service>` of all that is counted. */
  async sections(stream: string): Promise<string[]> {
    const reply = await this.#ask(stream, 'zrange', (keys) => [keys.insightsSections, '0', '-1']);
    return texts(reply).filter((section) => section !== undefined);
  }

  async bucket(stream: string, bucket: InsightsBucket): Promise<BucketCounts> {
    const range = (keys: StreamKeys): string[] => [keys.insightsCounts(bucket), '0', '-1', 'WITHSCORES'];
    const counts = numbersOf(await this.#ask(stream, 'zrange', range));
    // Most buckets of a rare level are empty.
    if (counts.size === 0) return { counts, errors: new Map() };
    const errors = await this.#ask(stream, 'hgetall', (keys) => [keys.insightsErrors(bucket)]);
    return { counts, errors: numbersOf(errors) };
  }

  /** In the order of their ids; undefined for one that is forgotten. */
  async messages(stream: string, ids: readonly string[]): Promise<(KnownMessage | undefined)[]> {
    if (ids.length === 0) return [];
    const reply = await this.#ask(stream, 'hmget', (keys) => [keys.insightsMessages, ...ids]);
    return texts(reply).map((text) => (text === undefined ? undefined : knownMessage(text)));
  }

  close(): void {
    this.#client.close();
  }

  #ask(stream: string, command: string, args: (keys: StreamKeys) => string[]): Promise<unknown> {
    const request: RangeRequest = {
      command,
      args: (prefix) => args(streamKeys(stream, prefix)),
      stream,
    };
    return this.#client.ask(request);
  }
}

function texts(reply: unknown): (string | undefined)[] {
  const items: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return items.map((item) => (typeof item === 'string' ? item : undefined));
}

/** Names and numbers in turn, of which ioredis makes an object where it takes an HGETALL apart itself. */
function numbersOf(reply: unknown): Map<string, number> {
  const flat = texts(Array.isArray(reply) ? reply : Object.entries(reply ?? {}).flat());
  const numbers = new Map<string, number>();
  for (let i = 0; i + 1 < flat.length; i += 2) numbers.set(flat[i] ?? '', Number(flat[i + 1]));
  return numbers;
}

/** Undefined too for what somebody else has written there. */
function knownMessage(text: string): KnownMessage | undefined {
  const [, firstMs, lastMs, json = ''] = KNOWN.exec(text) ?? [];
  try {
    const detail = JSON.parse(json) as MessageDetail;
    return { ...detail, firstMs: Number(firstMs), lastMs: Number(lastMs) };
  } catch {
    return undefined;
  }
}
