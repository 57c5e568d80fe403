import type { ResolvedRetention } from '../options/types.js';
import type { Failure } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';
import type { RedisConnection } from './connection.js';
import { compareIds, FIRST_ID } from './entry-id.js';
import { failureOf, isReplyError } from './failure.js';
import type { TrimLimits } from './requests.js';
import { type GroupPosition, RetentionCommands } from './retention-commands.js';

export interface RetentionEvents {
  trimFailed(stream: string, failure: Failure): void;
  /** A group that entries are to be kept for does not exist. */
  groupMissing(stream: string, group: string): void;
  /** So many entries had to go that this group, and perhaps others, had not acknowledged. */
  trimmedUnacknowledged(stream: string, group: string, count: number): void;
}

export interface RetentionParts {
  readonly connection: RedisConnection;
  readonly retention: ResolvedRetention;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** False where the user has said that the server may not allow scripts. */
  readonly allowsScripts: boolean;
  readonly events: RetentionEvents;
}

/** The groups are asked after so many entries, or so much time, whatever comes first; never while nothing is written. */
const TURN_ENTRIES = 1_000;
const TURN_MS = 1_000;
/** Removed at once at most, about a millisecond of the server's time; all of it where the hard limit is reached. */
const TURN_LIMIT = 10_000;
const MEASURE_MS = 30_000;
/** Of fewer entries nobody can tell what one takes. */
const MEASURABLE = 1_000;
/** Entries in a node of a stream, as servers are set up. What is over by less than a node is not over. */
const NODE_ENTRIES = 100;

interface Limits {
  readonly soft: number;
  readonly hard: number;
  readonly slowest: GroupPosition | undefined;
}

/** Does for one stream what batches cannot do: waits for groups, and looks at memory. */
export class StreamRetention implements TrimLimits {
  readonly #stream: string;
  readonly #parts: RetentionParts;
  readonly #commands: RetentionCommands;
  readonly #missing = new Set<string>();
  /** As many entries as the share of memory allows. */
  #memoryLength: number | undefined;
  #written = 0;
  #turnDueAt: number;
  #measureDueAt: number;
  #isBusy = false;

  constructor(stream: string, parts: RetentionParts) {
    const { connection, timeoutMs, allowsScripts, runtime } = parts;
    this.#stream = stream;
    this.#parts = parts;
    this.#commands = new RetentionCommands(connection, { stream, timeoutMs, allowsScripts });
    this.#turnDueAt = runtime.now() + TURN_MS;
    this.#measureDueAt = runtime.now();
  }

  /** What batches trim to by themselves: nothing where groups are to be asked first. */
  get maxLength(): number | undefined {
    return this.#parts.retention.keepFor === undefined ? this.#softLength : undefined;
  }

  get maxAgeMs(): number | undefined {
    const { keepFor, maxAgeMs } = this.#parts.retention;
    return keepFor === undefined ? maxAgeMs : undefined;
  }

  /** To be called after every write, with the id of its last entry, which is the server's clock. */
  written(count: number, lastId: string | undefined): void {
    this.#written += count;
    if (this.#isBusy) return;
    const now = this.#parts.runtime.now();
    const isTurn = this.#written >= TURN_ENTRIES || now >= this.#turnDueAt;
    if (!isTurn) return;
    this.#isBusy = true;
    this.#written = 0;
    this.#turnDueAt = now + TURN_MS;
    void this.#turn(lastId).finally(() => {
      this.#isBusy = false;
    });
  }

  get #softLength(): number | undefined {
    const { maxLength } = this.#parts.retention;
    if (maxLength === undefined || this.#memoryLength === undefined) return maxLength;
    return Math.min(maxLength, this.#memoryLength);
  }

  async #turn(lastId: string | undefined): Promise<void> {
    const { retention, events } = this.#parts;
    try {
      if (retention.maxMemoryShare !== undefined) await this.#measure(retention.maxMemoryShare);
      if (retention.keepFor !== undefined) await this.#trim(lastId);
    } catch (error) {
      // What lies in the connection is told of where records are written.
      if (isReplyError(error)) events.trimFailed(this.#stream, failureOf(error));
    }
  }

  async #measure(share: number): Promise<void> {
    const { runtime } = this.#parts;
    if (runtime.now() < this.#measureDueAt) return;
    const length = await this.#commands.length();
    if (length < MEASURABLE) return;
    this.#measureDueAt = runtime.now() + MEASURE_MS;
    const { bytes, available } = await this.#commands.memory();
    if (bytes > 0 && available > 0) {
      this.#memoryLength = Math.max(1, Math.floor((length * share * available) / bytes));
    }
  }

  async #trim(lastId: string | undefined): Promise<void> {
    const { maxAgeMs, keepFor } = this.#parts.retention;
    const soft = this.#softLength ?? Infinity;
    const hard = keepFor?.hardMaxLength ?? Infinity;
    const length = await this.#commands.length();
    if (length <= soft && maxAgeMs === undefined) return;
    const slowest = await this.#slowest(keepFor?.groups ?? []);
    let left = length;
    if (length > soft) left -= await this.#trimLength(length, { soft, hard, slowest });
    if (maxAgeMs !== undefined && lastId !== undefined) {
      const oldest = `${Math.max(0, Number.parseInt(lastId, 10) - maxAgeMs)}-0`;
      left -= await this.#commands.trimBefore(lowest(oldest, slowest?.keepFrom), TURN_LIMIT);
    }
    if (slowest !== undefined && left > Math.max(hard, soft + NODE_ENTRIES)) await this.#force(hard, slowest);
  }

  #trimLength(length: number, { soft, hard, slowest }: Limits): Promise<number> {
    if (slowest === undefined) return this.#commands.trimTo(soft);
    const limit = length > hard ? length - soft : TURN_LIMIT;
    return this.#commands.trimSurplus({ length: soft, keepFrom: slowest.keepFrom, limit });
  }

  /** The hard limit wins. First goes what of a node everybody has done with, so that only the rest is counted. */
  async #force(hard: number, { name, keepFrom }: GroupPosition): Promise<void> {
    await this.#commands.trimBefore(keepFrom);
    const count = await this.#commands.trimTo(hard);
    if (count > 0) this.#parts.events.trimmedUnacknowledged(this.#stream, name, count);
  }

  /** The group that is furthest behind; `undefined` where there is none to wait for. */
  async #slowest(names: readonly string[]): Promise<GroupPosition | undefined> {
    let positions: readonly GroupPosition[];
    try {
      positions = await this.#commands.positions(names);
    } catch (error) {
      if (!isReplyError(error)) throw error;
      this.#parts.events.trimFailed(this.#stream, failureOf(error));
      // Nobody knows what they have acknowledged.
      return { name: names[0] ?? '', keepFrom: FIRST_ID };
    }
    this.#tellMissing(names.filter((name) => positions.every((position) => position.name !== name)));
    const [slowest] = positions.toSorted((a, b) => compareIds(a.keepFrom, b.keepFrom));
    return slowest;
  }

  /** Once, until it has been there. */
  #tellMissing(missing: readonly string[]): void {
    for (const name of this.#missing) if (!missing.includes(name)) this.#missing.delete(name);
    for (const name of missing) {
      if (this.#missing.has(name)) continue;
      this.#missing.add(name);
      this.#parts.events.groupMissing(this.#stream, name);
    }
  }
}

function lowest(id: string, other: string | undefined): string {
  return other !== undefined && compareIds(other, id) < 0 ? other : id;
}
