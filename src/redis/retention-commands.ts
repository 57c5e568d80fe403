import { bulk } from '../codec/resp-writer.js';
import type { RedisConnection } from './connection.js';
import { failureOf, isReplyError, UNSENT } from './failure.js';
import { readSummary } from './group-replies.js';
import { streamKeys } from './keys.js';
import { closedError } from './link-errors.js';
import { rawCommandMaker } from './raw-command.js';
import { listOf, readPairs } from './replies.js';

/** How far one group has come. */
export interface GroupPosition {
  readonly name: string;
  /** All before this id has been delivered and acknowledged. */
  readonly keepFrom: string;
}

/** What a stream takes, and what there is. */
export interface MemoryReading {
  readonly bytes: number;
  /** `maxmemory`, or where there is none the machine's memory. */
  readonly available: number;
}

/** What is to go of the entries that everybody has done with. */
export interface Surplus {
  /** So many entries stay. */
  readonly length: number;
  /** This entry and what comes after it stay. */
  readonly keepFrom: string;
  /** No more go at once. */
  readonly limit: number;
}

/**
 * In one step, so that two producers that find the same surplus do not both remove it.
 *
 * KEYS: stream. ARGV: id to keep from, entries to keep, most to remove.
 */
const TRIM_SURPLUS = `
local surplus = math.min(redis.call('XLEN', KEYS[1]) - tonumber(ARGV[2]), tonumber(ARGV[3]))
if surplus < 1 then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[1], 'LIMIT', string.format('%.0f', surplus))
`;

/** The commands that retention needs, for one stream. Each settles by a deadline, and rejects with what was wrong. */
export class RetentionCommands {
  readonly #connection: RedisConnection;
  readonly #stream: string;
  readonly #timeoutMs: number;
  #allowsScripts: boolean;

  constructor(
    connection: RedisConnection,
    at: { readonly stream: string; readonly timeoutMs: number; readonly allowsScripts: boolean },
  ) {
    this.#connection = connection;
    this.#stream = at.stream;
    this.#timeoutMs = at.timeoutMs;
    this.#allowsScripts = at.allowsScripts;
  }

  async length(): Promise<number> {
    return Number(await this.#send(['xlen', this.#key]));
  }

  /**
   * Those of the groups that exist. What a group has acknowledged it never takes back, so an answer that has become old
   * meanwhile only keeps more. It must be asked in this order, though: first what was delivered, then what is pending.
   */
  async positions(names: readonly string[]): Promise<GroupPosition[]> {
    const groups = listOf(await this.#send(['xinfo', 'GROUPS', this.#key])).map(readPairs);
    const wanted = groups.filter((group) => names.includes(String(group.get('name'))));
    return Promise.all(
      wanted.map(async (group) => {
        const name = String(group.get('name'));
        const delivered = String(group.get('last-delivered-id'));
        if (Number(group.get('pending')) === 0) return { name, keepFrom: delivered };
        const { lowestId } = readSummary(await this.#send(['xpending', this.#key, name]));
        return { name, keepFrom: lowestId ?? delivered };
      }),
    );
  }

  /** Removes whole nodes. Answers how many entries went. */
  async trimSurplus({ length, keepFrom, limit }: Surplus): Promise<number> {
    if (!this.#allowsScripts) return this.#trimSurplusPlainly({ length, keepFrom, limit });
    try {
      const args = [keepFrom, String(length), String(limit)];
      return Number(await this.#send(['eval', TRIM_SURPLUS, '1', this.#key, ...args]));
    } catch (error) {
      if (!isReplyError(error) || failureOf(error).kind !== 'no-scripts') throw error;
      this.#allowsScripts = false;
      return this.#trimSurplusPlainly({ length, keepFrom, limit });
    }
  }

  /** Another producer may do the same just now; then more goes than has to, but nothing that anybody waits for. */
  async #trimSurplusPlainly({ length, keepFrom, limit }: Surplus): Promise<number> {
    const surplus = Math.min((await this.length()) - length, limit);
    return surplus < 1 ? 0 : this.trimBefore(keepFrom, surplus);
  }

  /** Removes entries before the id: whole nodes, and no more than `limit`, where that is given, else exactly. */
  async trimBefore(id: string, limit?: number): Promise<number> {
    const how = limit === undefined ? ['=', id] : ['~', id, 'LIMIT', String(limit)];
    return Number(await this.#send(['xtrim', this.#key, 'MINID', ...how]));
  }

  async trimTo(length: number): Promise<number> {
    return Number(await this.#send(['xtrim', this.#key, 'MAXLEN', '~', String(length)]));
  }

  async memory(): Promise<MemoryReading> {
    const [bytes, info] = await Promise.all([
      this.#send(['memory', 'USAGE', this.#key]),
      this.#send(['info', 'memory']),
    ]);
    const valueOf = (name: string): number =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(info))?.[1] ?? 0);
    return { bytes: Number(bytes), available: valueOf('maxmemory') || valueOf('total_system_memory') };
  }

  get #key(): string {
    return streamKeys(this.#stream, this.#connection.link?.keyPrefix).stream;
  }

  /** Routed as a command on the stream, since INFO would go to any node of a Cluster. */
  #send(words: readonly string[]): Promise<unknown> {
    const { link } = this.#connection;
    if (link === undefined) return Promise.reject(closedError(UNSENT));
    const bytes = Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map(bulk)]);
    return this.#connection.send(rawCommandMaker(link.ioredis)('xlen', [this.#key], bytes), this.#timeoutMs);
  }
}
