import { BoundedCache } from '../codec/bounded-cache.js';
import type { RangeReader, StreamEntry } from '../redis/range-reader.js';
import { isRedisLogError } from '../errors.js';

/** One per producing process and start. */
const CACHED_RESOURCES = 1_024;
/** One that is not there may come yet; it is not asked for with every page. */
const MISSING_FOR_MS = 5_000;

/** Where the hash stands in an entry of our own writers. */
const NAME_AT = 18;
const NAME = 'resource';

interface ReadPage {
  readonly entries: readonly StreamEntry[];
  readonly signal?: AbortSignal | undefined;
}

/** The texts of resources, fetched when an entry first refers to them. */
export class ResourceCache {
  readonly #now: () => number;
  readonly #texts = new BoundedCache<string>(CACHED_RESOURCES);
  readonly #missing = new BoundedCache<number>(CACHED_RESOURCES);

  constructor(now: () => number) {
    this.#now = now;
  }

  readonly text = (hash: string): string | undefined => this.#texts.get(hash);

  /** Fetches what these entries refer to and is not known yet. */
  async provide(reader: RangeReader, stream: string, { entries, signal }: ReadPage): Promise<void> {
    const unknown = new Set<string>();
    let last = '';
    for (const { fields } of entries) {
      const hash = hashOf(fields);
      if (hash === last) continue;
      last = hash;
      if (hash !== '' && this.#texts.get(hash) === undefined && this.#isWorthAsking(hash)) unknown.add(hash);
    }
    if (unknown.size === 0) return;
    const hashes = [...unknown];
    const texts = await reader.resources(stream, hashes, signal).catch((error: unknown) => {
      // Records without their resource are better than none.
      if (isRedisLogError(error) && error.code === 'REDIS_LOG_REFUSED') return [];
      throw error;
    });
    for (const [index, hash] of hashes.entries()) {
      const text = texts[index];
      if (text === undefined) this.#missing.set(hash, this.#now());
      else this.#texts.set(hash, text);
    }
  }

  #isWorthAsking(hash: string): boolean {
    const askedAt = this.#missing.get(hash);
    return askedAt === undefined || this.#now() - askedAt > MISSING_FOR_MS;
  }
}

function hashOf(fields: readonly string[]): string {
  if (fields[NAME_AT] === NAME) return fields[NAME_AT + 1] ?? '';
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === NAME) return fields[i + 1] ?? '';
  return '';
}
