import { isReplyError } from './failure.js';
import type { GroupLink } from './group-link.js';
import {
  type ConsumerInfo,
  type PendingEntry,
  type PendingSummary,
  type RawEntry,
  readConsumers,
  readEntries,
  readNumber,
  readPending,
  readStreams,
  readSummary,
  readTexts,
} from './group-replies.js';
import { listOf, readPairs } from './replies.js';
import { ACKNOWLEDGE, DEAD_LETTER, FORGET_CONSUMER } from './group-scripts.js';
import type { StreamKeys } from './keys.js';

export interface GroupPlace {
  readonly stream: string;
  readonly group: string;
  /** The name of this member of the group. */
  readonly consumer: string;
}

/** What XAUTOCLAIM took over. */
export interface Claimed {
  /** Where to go on; `0-0` when all have been looked at. */
  readonly cursor: string;
  readonly entries: RawEntry[];
  /** Ids of entries that had been trimmed and are off the group's list now. */
  readonly trimmed: readonly string[];
  /** Trimmed ones that are still on the list, and that this server (Redis 6.2) does not name. */
  readonly nameless: number;
}

/** How far a group has come. The numbers are `undefined` where the server does not know them. */
export interface GroupProgress {
  readonly lastDeliveredId: string;
  readonly pending: number;
  readonly entriesRead: number | undefined;
  readonly entriesAdded: number | undefined;
  readonly length: number;
  /** `undefined` while the stream is empty. */
  readonly firstId: string | undefined;
  readonly lastGeneratedId: string;
}

/** How far a stream has come, as of one moment. */
export interface StreamHead {
  /** The id of its newest entry ever. */
  readonly lastGeneratedId: string;
  /** How many entries it was ever given; `undefined` where the server does not know (Redis 6.2). */
  readonly entriesAdded: number | undefined;
}

export type DeadLetterOutcome = 'MOVED' | 'TRIMMED' | 'GONE' | 'TAKEN';

/** The ranges of a producer's numbers to be noted as handled. */
export interface HandledNumbers {
  readonly producer: string;
  readonly ranges: string;
}

/** As long as a producer's guard lives. */
const NOTE_TTL_MS = 7 * 24 * 3_600_000;
const MAX_RANGES = 1_000;
/** How much of the list of held entries is looked at in one go. */
const MAX_PENDING = 10_000;
/** Counting entries means fetching them. */
const MAX_COUNTED = 5_000;
const COUNTED_AT_ONCE = 100;

/** One member of one consumer group: every command it needs, and what the replies mean. */
export class GroupStore {
  /** For reads that wait: what is sent behind one waits, too. */
  readonly #reading: GroupLink;
  readonly #commands: GroupLink;
  readonly #place: GroupPlace;

  constructor(links: { readonly reading: GroupLink; readonly commands: GroupLink }, place: GroupPlace) {
    this.#reading = links.reading;
    this.#commands = links.commands;
    this.#place = place;
  }

  /** New entries of the stream, as soon as there is one; none after `blockMs`. */
  async read(count: number, blockMs: number, timeoutMs: number): Promise<RawEntry[]> {
    const { group, consumer } = this.#place;
    const head = ['GROUP', group, consumer, 'COUNT', count];
    const wait = blockMs > 0 ? ['BLOCK', blockMs] : [];
    const { stream } = this.#reading.keys(this.#place.stream);
    const args = [...head, ...wait, 'STREAMS', stream, '>'];
    return readStreams(await this.#reading.call('xreadgroup', args, timeoutMs));
  }

  /**
   * Makes the group after entry `position`. `entriesRead` is how many entries the stream had been given up to there, from
   * which Redis reckons the group's lag; it belongs to a stream that is there. Without it, the stream is made, too, where
   * there is none. False when somebody else was faster.
   */
  async create(position: string, entriesRead?: number): Promise<boolean> {
    const { group } = this.#place;
    const args = ['CREATE', this.#keys.stream, group, position];
    try {
      if (entriesRead === undefined) await this.#commands.call('xgroup', [...args, 'MKSTREAM']);
      else await this.#createRead(args, entriesRead);
      return true;
    } catch (error) {
      if (isReplyError(error) && error.message.startsWith('BUSYGROUP')) return false;
      throw error;
    }
  }

  /** Not every server that counts entries knows how many a group has read. */
  async #createRead(args: readonly string[], entriesRead: number): Promise<void> {
    try {
      await this.#commands.call('xgroup', [...args, 'ENTRIESREAD', entriesRead]);
    } catch (error) {
      if (!isReplyError(error) || !/^ERR (syntax|unknown|wrong number)/i.test(error.message)) throw error;
      await this.#commands.call('xgroup', args);
    }
  }

  /** Makes this consumer known to the group; reading alone does so only with the first entry. */
  async join(): Promise<void> {
    const { group, consumer } = this.#place;
    await this.#commands.call('xgroup', ['CREATECONSUMER', this.#keys.stream, group, consumer]);
  }

  /** Off the group's list. Answers what is still on it. */
  async acknowledge(ids: readonly string[]): Promise<PendingSummary> {
    const acknowledged = this.#group('xack', ids);
    const summary = this.#group('xpending', []);
    summary.catch(() => undefined);
    await acknowledged;
    return readSummary(await summary);
  }

  /** The same, and notes in the same step which numbers of which producers have been handled. */
  async acknowledgeNumbers(
    ids: readonly string[],
    numbers: readonly HandledNumbers[],
  ): Promise<PendingSummary> {
    const keys = this.#keys;
    const { group } = this.#place;
    const acknowledged = this.#commands.run({
      script: ACKNOWLEDGE,
      keys: [keys.stream, ...numbers.map(({ producer }) => keys.handled(group, producer))],
      args: [group, NOTE_TTL_MS, MAX_RANGES, ids.length, ...ids, ...numbers.map(({ ranges }) => ranges)],
    });
    await acknowledged;
    return readSummary(await this.#group('xpending', []));
  }

  /** What is noted of each producer; see `acknowledgeNumbers`. */
  async handledNumbers(producers: readonly string[]): Promise<(string | undefined)[]> {
    const keys = this.#keys;
    const names = producers.map((producer) => keys.handled(this.#place.group, producer));
    return readTexts(await this.#commands.call('mget', names));
  }

  /** Takes over what others have held for too long. */
  async claimIdle(minIdleMs: number, cursor: string, count: number): Promise<Claimed> {
    const { consumer } = this.#place;
    const reply = await this.#group('xautoclaim', [consumer, minIdleMs, cursor, 'COUNT', count]);
    const [next, items, trimmed] = listOf(reply);
    const { entries, nameless } = readEntries(items);
    return { cursor: String(next), entries, trimmed: listOf(trimmed).map(String), nameless };
  }

  /** What this consumer holds by the server's list. */
  async held(): Promise<PendingEntry[]> {
    const { consumer } = this.#place;
    return readPending(await this.#group('xpending', ['-', '+', MAX_PENDING, consumer]));
  }

  /** Entries that are this consumer's already, once more. What is missing in the answer has been trimmed. */
  async claimOwn(ids: readonly string[]): Promise<RawEntry[]> {
    const { consumer } = this.#place;
    return readEntries(await this.#group('xclaim', [consumer, 0, ...ids])).entries;
  }

  /** Held for no time at all, as of now; the number of deliveries stays, or is set. */
  async renew(ids: readonly string[], deliveries?: number): Promise<void> {
    const { consumer } = this.#place;
    const count = deliveries === undefined ? [] : ['RETRYCOUNT', deliveries];
    await this.#group('xclaim', [consumer, 0, ...ids, ...count, 'JUSTID']);
  }

  /** Whoever looks next may take them over at once, as if this delivery had never been. */
  async handBack(ids: readonly string[], minIdleMs: number, deliveries: number): Promise<void> {
    const { consumer } = this.#place;
    const how = ['IDLE', minIdleMs, 'RETRYCOUNT', deliveries, 'JUSTID'];
    await this.#group('xclaim', [consumer, 0, ...ids, ...how]);
  }

  /** Moves an entry that this consumer holds to the dead letters, in one step. */
  async deadLetter(id: string, reason: string, error: string): Promise<DeadLetterOutcome> {
    const { stream, deadLetters } = this.#keys;
    const { group, consumer } = this.#place;
    const args = [group, consumer, id, reason, error];
    const outcome = await this.#commands.run({ script: DEAD_LETTER, keys: [stream, deadLetters], args });
    return outcome as DeadLetterOutcome;
  }

  async consumers(): Promise<ConsumerInfo[]> {
    const { group } = this.#place;
    return readConsumers(await this.#commands.call('xinfo', ['CONSUMERS', this.#keys.stream, group]));
  }

  /** True when that consumer was removed; it holds nothing and has been silent for so long. */
  async forget(consumer: string, silentMs: number): Promise<boolean> {
    const { group } = this.#place;
    const args = [group, consumer, silentMs];
    return (await this.#commands.run({ script: FORGET_CONSUMER, keys: [this.#keys.stream], args })) === 1;
  }

  /** `undefined` when the group does not exist. Rejects when the stream does not. */
  async progress(): Promise<GroupProgress | undefined> {
    const { stream } = this.#keys;
    const groups = this.#commands.call('xinfo', ['GROUPS', stream]);
    groups.catch(() => undefined);
    const info = readPairs(await this.#commands.call('xinfo', ['STREAM', stream]));
    const found = listOf(await groups)
      .map(readPairs)
      .find((group) => group.get('name') === this.#place.group);
    if (found === undefined) return undefined;
    return {
      lastDeliveredId: String(found.get('last-delivered-id')),
      pending: Number(found.get('pending')),
      entriesRead: readNumber(found.get('entries-read')),
      entriesAdded: readNumber(info.get('entries-added')),
      length: Number(info.get('length')),
      firstId: listOf(info.get('first-entry')).map(String)[0],
      lastGeneratedId: String(info.get('last-generated-id')),
    };
  }

  /** `undefined` when there is no such stream. */
  async head(): Promise<StreamHead | undefined> {
    try {
      const info = readPairs(await this.#commands.call('xinfo', ['STREAM', this.#keys.stream]));
      return {
        lastGeneratedId: String(info.get('last-generated-id')),
        entriesAdded: readNumber(info.get('entries-added')),
      };
    } catch (error) {
      if (isReplyError(error) && error.message.startsWith('ERR no such key')) return undefined;
      throw error;
    }
  }

  /** Entries after `id`, up to `last`; `undefined` where they are too many to be counted, or may not be. */
  async countAfter(id: string, last: string): Promise<number | undefined> {
    let count = 0;
    try {
      for (let start = id; count < MAX_COUNTED;) {
        const args = [this.#keys.stream, `(${start}`, last, 'COUNT', COUNTED_AT_ONCE];
        const { entries } = readEntries(await this.#commands.call('xrange', args));
        count += entries.length;
        if (entries.length < COUNTED_AT_ONCE) return count;
        start = entries.at(-1)?.id ?? last;
      }
    } catch (error) {
      if (!isReplyError(error)) throw error;
    }
    return undefined;
  }

  /** Texts of resources, in the order of their hashes. */
  async resources(hashes: readonly string[]): Promise<(string | undefined)[]> {
    return readTexts(await this.#commands.call('hmget', [this.#keys.resources, ...hashes]));
  }

  get #keys(): StreamKeys {
    return this.#commands.keys(this.#place.stream);
  }

  #group(name: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#commands.call(name, [this.#keys.stream, this.#place.group, ...args]);
  }
}
