import { decodeLogRecord } from '../codec/decode.js';
import { BoundedCache } from '../codec/bounded-cache.js';
import type { LogRecord } from '../record/log-record.js';
import type { PendingEntry, RawEntry } from '../redis/group-replies.js';

/** One record as a consumer gets it. */
export interface LogEntry {
  /** The id of its entry in the stream; its first part is the server's time of arrival in milliseconds. */
  readonly id: string;
  /** Has the shape of the SDK's ReadableLogRecord. Resource and scope are shared between records, and frozen. */
  readonly record: LogRecord;
  /** How often it has been handed out, with this time: 1 the first time. */
  readonly deliveryCount: number;
  /** Who wrote it: one per process, thread and start. Undefined for entries of others. */
  readonly producer: string | undefined;
  /** The producer's number of it. */
  readonly seq: number | undefined;
  /** `<producer>:<seq>`, or the entry's id: the same at every delivery, for a unique index or an upsert in the sink. */
  readonly key: string;
}

/** An entry that is no record of ours. */
export interface Undecodable {
  readonly id: string;
  readonly deliveryCount: number;
  readonly reason: string;
}

export interface Decoded {
  readonly entries: LogEntry[];
  readonly undecodable: Undecodable[];
}

/** An entry that was delivered, and how often. */
export type Delivered = RawEntry & PendingEntry;

const CACHED_RESOURCES = 1_024;
/** A text that is not there may come yet, with the next batch of its producer; not before. */
const MISSING_FOR_MS = 5_000;

export interface DecoderParts {
  /** Stored texts of resources, in the order of their hashes. */
  lookUp(hashes: readonly string[]): Promise<(string | undefined)[]>;
  /** Milliseconds of a clock that never jumps. */
  now(): number;
}

/** Turns entries into records, with the resources that they refer to. */
export class EntryDecoder {
  readonly #parts: DecoderParts;
  readonly #texts = new BoundedCache<string>(CACHED_RESOURCES);
  readonly #missing = new BoundedCache<number>(CACHED_RESOURCES);
  readonly #options = { resource: (hash: string): string | undefined => this.#texts.get(hash) };

  constructor(parts: DecoderParts) {
    this.#parts = parts;
  }

  async decode(raw: readonly Delivered[]): Promise<Decoded> {
    const missing = new Set<string>();
    const decoded = this.#decodeAll(raw, missing);
    if (missing.size === 0) return decoded;
    await this.#fetch([...missing]);
    return this.#decodeAll(raw, new Set());
  }

  #decodeAll(raw: readonly Delivered[], missing: Set<string>): Decoded {
    const entries: LogEntry[] = [];
    const undecodable: Undecodable[] = [];
    for (const { id, fields, deliveries } of raw) {
      const result = decodeLogRecord(fields, this.#options);
      if (result.status === 'malformed') {
        undecodable.push({ id, deliveryCount: deliveries, reason: result.reason });
        continue;
      }
      const { record, producer, seq, missingResource } = result;
      if (missingResource !== undefined && this.#isWorthAsking(missingResource)) missing.add(missingResource);
      const key = producer === undefined || seq === undefined ? id : `${producer}:${seq}`;
      entries.push({ id, record, deliveryCount: deliveries, producer, seq, key });
    }
    return { entries, undecodable };
  }

  #isWorthAsking(hash: string): boolean {
    const askedAt = this.#missing.get(hash);
    return askedAt === undefined || this.#parts.now() - askedAt > MISSING_FOR_MS;
  }

  async #fetch(hashes: readonly string[]): Promise<void> {
    const texts = await this.#parts.lookUp(hashes);
    for (const [index, hash] of hashes.entries()) {
      const text = texts[index];
      if (text === undefined) this.#missing.set(hash, this.#parts.now());
      else this.#texts.set(hash, text);
    }
  }
}
