import type { Redis } from 'ioredis';
import { decodeLogRecord } from '../../src/codec/decode.js';
import { payload } from '../support/oracle.js';

const PAGE = 2_000;

/** What was found of one producer's records. */
export interface Found {
  stored: number;
  /** The highest number seen. */
  last: number;
  /** Numbers below `last` that have not come. */
  readonly missing: Set<number>;
  duplicates: number;
  outOfOrder: number;
}

/**
 * Reads a stream as it grows, holds every entry against what its producer can have written, and trims what it has
 * read; so that a run of any length needs the memory of a few seconds.
 */
export class Verifier {
  readonly found: Readonly<Record<string, Found>>;
  /** Entries that differ from what their producer wrote under that number. */
  altered = 0;
  /** Entries that no producer of this run can have written. */
  foreign = 0;
  readonly #client: Redis;
  readonly #stream: string;
  #cursor = '0-0';

  constructor(client: Redis, stream: string, names: readonly string[]) {
    this.#client = client;
    this.#stream = stream;
    const none = (): Found => ({ stored: 0, last: 0, missing: new Set(), duplicates: 0, outOfOrder: 0 });
    this.found = Object.fromEntries(names.map((name) => [name, none()]));
  }

  /**
   * Verifies and trims what is older than `lagMs` by the server's clock: a server that comes back without its last
   * second must not have it read already.
   */
  async advance(lagMs: number): Promise<void> {
    const [seconds = 0, micros = 0] = (await this.#client.time()).map(Number);
    const end = lagMs === 0 ? '+' : String(seconds * 1_000 + Math.floor(micros / 1_000) - lagMs);
    for (;;) {
      const page = await this.#client.xrange(this.#stream, `(${this.#cursor}`, end, 'COUNT', PAGE);
      for (const [id, fields] of page) {
        this.#verify(fields);
        this.#cursor = id;
      }
      if (page.length < PAGE) break;
    }
    // Up to the last one read, which itself stays: MINID keeps what is not less.
    await this.#client.xtrim(this.#stream, 'MINID', this.#cursor);
  }

  #verify(fields: string[]): void {
    const decoded = decodeLogRecord(fields);
    const { name, n } = decoded.status === 'ok' ? decoded.record.attributes : {};
    const found = this.found[String(name)];
    if (decoded.status !== 'ok' || found === undefined || typeof n !== 'number') {
      this.foreign++;
      return;
    }
    const { body, attributes, hrTime, severityNumber } = decoded.record;
    const written = payload(String(name), n);
    const expected = [written.body, written.attributes, written.timestamp, written.severityNumber];
    if (JSON.stringify(expected) !== JSON.stringify([body, attributes, hrTime, severityNumber]))
      this.altered++;
    place(found, n);
  }
}

function place(found: Found, n: number): void {
  if (n > found.last) {
    for (let skipped = found.last + 1; skipped < n; skipped++) found.missing.add(skipped);
    found.last = n;
    found.stored++;
  } else if (found.missing.delete(n)) {
    found.outOfOrder++;
    found.stored++;
  } else {
    found.duplicates++;
  }
}

/** Enough to hold a batch of each producer. */
const NEWEST = 600;

/** The newest number of each producer in the stream, verified or not. Cheap, since it is asked for all the time. */
export async function newest(client: Redis, stream: string): Promise<Readonly<Record<string, number>>> {
  const highest: Record<string, number> = {};
  for (const [, fields] of await client.xrevrange(stream, '+', '-', 'COUNT', NEWEST)) {
    const name = fields[fields.indexOf('name') + 1] ?? '';
    highest[name] ??= Number(fields[fields.indexOf('n') + 1]);
  }
  return highest;
}
