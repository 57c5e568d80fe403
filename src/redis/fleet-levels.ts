import type { Diagnostics } from '../diagnostics.js';
import { LEVEL_NAMES } from '../options/levels.js';
import type { StoreState } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';
import type { Level } from '../record/severity.js';
import type { RedisConnection } from './connection.js';
import { isReplyError } from './failure.js';
import { streamKeys } from './keys.js';

/** A level for a context, or for a pattern of contexts, in all processes of a stream. */
export interface FleetLevel {
  readonly context: string;
  readonly level: Level;
  /** Milliseconds for which it still holds; `undefined` without an end. */
  readonly remainingMs: number | undefined;
}

/** More than this is no set of levels any more, and is not read. */
const MAX_LEVELS = 1_000;

/**
 * What the hash of levels holds. A value is `{"level":"debug","until":<server's time in ms>}`, or just a level, which then
 * holds as long as the key does. What is neither, or is over, is left out.
 *
 * @param ttlMs of the key, as PTTL answers: negative without an end
 */
export function readFleetLevels(
  pairs: Iterable<readonly [context: string, value: string]>,
  clock: { readonly serverMs: number; readonly ttlMs: number },
): FleetLevel[] {
  const levels: FleetLevel[] = [];
  for (const [context, value] of pairs) {
    if (levels.length >= MAX_LEVELS) break;
    const { level, until } = readValue(value);
    const ends = [until === undefined ? Infinity : until - clock.serverMs];
    if (clock.ttlMs >= 0) ends.push(clock.ttlMs);
    const remainingMs = Math.min(...ends);
    if (level === undefined || remainingMs <= 0) continue;
    levels.push({ context, level, remainingMs: remainingMs === Infinity ? undefined : remainingMs });
  }
  return levels;
}

function readValue(text: string): { level: Level | undefined; until: number | undefined } {
  const plain = levelOf(text.trim().toLowerCase());
  if (plain !== undefined) return { level: plain, until: undefined };
  try {
    const { level, until } = JSON.parse(text) as { level?: unknown; until?: unknown };
    const isUsable = until === undefined || (typeof until === 'number' && Number.isFinite(until));
    return { level: isUsable ? levelOf(level) : undefined, until: until as number | undefined };
  } catch {
    return { level: undefined, until: undefined };
  }
}

function levelOf(text: unknown): Level | undefined {
  return LEVEL_NAMES.find((name) => name === text);
}

/** Field by field, whichever of its forms ioredis gives the reply. */
export function pairsOf(reply: unknown): [string, string][] {
  if (!Array.isArray(reply)) {
    return Object.entries(reply ?? {}).map(([field, value]) => [field, String(value)]);
  }
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < reply.length; index += 2) {
    pairs.push([String(reply[index]), String(reply[index + 1])]);
  }
  return pairs;
}

/** The server's time in milliseconds, of what TIME answers. */
export function serverMsOf(reply: unknown): number {
  const [seconds, micros] = Array.isArray(reply) ? reply.map(Number) : [];
  return (seconds ?? 0) * 1_000 + Math.floor((micros ?? 0) / 1_000);
}

export interface FleetLevelsParts {
  readonly connection: Pick<RedisConnection, 'link'>;
  readonly stream: string;
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
}

export type LevelsListener = (levels: readonly FleetLevel[]) => void;

const INTERVAL_MS = 3_000;
/** For users that may not read the key: every try is a line in the server's ACL LOG. */
const DENIED_INTERVAL_MS = 600_000;
const ANSWER_MS = 5_000;

/**
 * Looks every few seconds, on the connection that is there anyway, which levels are set for the fleet. Nothing is asked
 * while nobody listens or nothing is connected; a process that gets no answer keeps the levels that it knows until they
 * end, and its own ones.
 */
export class FleetLevels {
  readonly #parts: FleetLevelsParts;
  readonly #listeners = new Set<LevelsListener>();
  #cancel: (() => void) | undefined;
  #isLooking = false;
  #wasEmpty = true;

  constructor(parts: FleetLevelsParts) {
    this.#parts = parts;
  }

  /** Returns the function that ends it. */
  watch(listener: LevelsListener): () => void {
    this.#listeners.add(listener);
    this.#schedule(0);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  stateChanged(state: StoreState): void {
    if (state === 'ready') this.#schedule(0);
    else this.#stop();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(delayMs: number): void {
    this.#stop();
    if (this.#listeners.size === 0 || this.#parts.connection.link === undefined) return;
    this.#cancel = this.#parts.runtime.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    let delayMs = INTERVAL_MS * (0.9 + this.#parts.runtime.random() * 0.2);
    try {
      const levels = await this.#read();
      if (levels.length > 0 || !this.#wasEmpty) for (const listener of this.#listeners) listener(levels);
      this.#wasEmpty = levels.length === 0;
    } catch (error) {
      if (isReplyError(error) && error.message.startsWith('NOPERM')) {
        delayMs = DENIED_INTERVAL_MS;
        const advice = 'Allow it to read that key (see aclRules), or set fleetLevels to false.';
        this.#parts.diagnostics.info('levels:denied', `The user of Redis may not read levels. ${advice}`);
      }
    } finally {
      this.#isLooking = false;
      this.#schedule(delayMs);
    }
  }

  async #read(): Promise<FleetLevel[]> {
    const { link } = this.#parts.connection;
    if (link === undefined) throw new Error('Connection is closed.');
    const key = streamKeys(this.#parts.stream, link.keyPrefix).levels;
    const pairs = pairsOf(await this.#ask('hgetall', key));
    if (pairs.length === 0) return [];
    const [time, ttlMs] = await Promise.all([this.#ask('time'), this.#ask('pttl', key)]);
    return readFleetLevels(pairs, { serverMs: serverMsOf(time), ttlMs: Number(ttlMs) });
  }

  /** Past the connection's own account of what is sent: this must neither pass for a heartbeat nor keep the process alive. */
  #ask(name: string, ...args: string[]): Promise<unknown> {
    const { connection, runtime } = this.#parts;
    const { link } = connection;
    if (link === undefined) return Promise.reject(new Error('Connection is closed.'));
    const command = new link.ioredis.Command(name, args, { replyEncoding: 'utf8' });
    const reply = link.client.sendCommand(command) as Promise<unknown>;
    return new Promise((resolve, reject) => {
      const cancel = runtime.after(ANSWER_MS, () => reject(new Error('No answer')));
      reply.then(resolve, reject).finally(cancel);
    });
  }
}
