import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Name/value pairs of a stream entry, as Redis gives them and `decodeLogRecord` takes them. */
export type EntryFields = string[];

/** How long one read waits for news, and so how long the end of the tail takes at most. */
const BLOCK_MS = 500;
const MOST_AT_A_TIME = 500;
/** After a failed read: ioredis is reconnecting meanwhile. */
const PAUSE_MS = 500;

/** Hands over every entry of a stream as it lands, from the first one on. */
export class StreamTail {
  readonly #redis: Redis;
  readonly #stream: string;
  readonly #onEntry: (fields: EntryFields) => void;
  readonly #ended: Promise<void>;
  #lastId = '0-0';
  #seen = 0;
  #isStopping = false;

  /** `redis` is blocked by the tail until it has stopped. */
  constructor(redis: Redis, stream: string, onEntry: (fields: EntryFields) => void) {
    this.#redis = redis;
    this.#stream = stream;
    this.#onEntry = onEntry;
    this.#ended = this.#run();
  }

  /** Entries so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Resolves when everything that is in the stream by now has been handed over. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#ended;
  }

  async #run(): Promise<void> {
    for (;;) {
      // Looked at before the read, so that the last read begins after the last write.
      const isLast = this.#isStopping;
      try {
        if ((await this.#read()) === 0 && isLast) return;
      } catch {
        if (isLast) return;
        await delay(PAUSE_MS);
      }
    }
  }

  async #read(): Promise<number> {
    const from = ['STREAMS', this.#stream, this.#lastId] as const;
    const streams = await this.#redis.xread('COUNT', MOST_AT_A_TIME, 'BLOCK', BLOCK_MS, ...from);
    const entries = streams?.[0]?.[1] ?? [];
    for (const [id, fields] of entries) {
      this.#lastId = id;
      this.#seen++;
      this.#onEntry(fields);
    }
    return entries.length;
  }
}
