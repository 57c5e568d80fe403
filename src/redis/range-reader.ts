import { FIRST_ID } from './entry-id.js';
import { streamKeys } from './keys.js';
import { RangeClient, type RangeClientOptions } from './range-client.js';

/** An entry as it is in the stream: names and values in turn. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

export interface RangeOf {
  readonly stream: string;
  /** As XRANGE takes them: an id, milliseconds, `-`, `+`; with `(` before it, not included. */
  readonly start: string;
  readonly end: string;
  readonly count: number;
  /** From the end to the start. */
  readonly isReverse: boolean;
}

/** What XINFO STREAM says; the ids are `0-0` where there is none. */
export interface StreamInfo {
  readonly length: number;
  readonly firstId: string;
  readonly lastId: string;
  /** How many entries the stream ever had; undefined before Redis 7. */
  readonly entriesAdded: number | undefined;
}

export interface ReadAfter {
  /** Stream and the last id that is known of it. */
  readonly after: readonly (readonly [stream: string, id: string])[];
  /** At most so many entries of each. */
  readonly count: number;
  /** How long to wait for the first one; 0: not at all. */
  readonly blockMs: number;
}

/** The commands that look at streams. Never one that changes anything, and never one without a bound. */
export class RangeReader {
  readonly #client: RangeClient;

  constructor(options: RangeClientOptions) {
    this.#client = new RangeClient(options);
  }

  get isCluster(): boolean {
    return this.#client.isCluster;
  }

  /** See {@link RangeClient.connected}. */
  connected(stream: string, signal?: AbortSignal): Promise<void> {
    return this.#client.connected(stream, signal);
  }

  async range(
    { stream, start, end, count, isReverse }: RangeOf,
    signal?: AbortSignal,
  ): Promise<StreamEntry[]> {
    const [from, to] = isReverse ? [end, start] : [start, end];
    const reply = await this.#client.ask({
      command: isReverse ? 'xrevrange' : 'xrange',
      args: (prefix) => [streamKeys(stream, prefix).stream, from, to, 'COUNT', String(count)],
      stream,
      signal,
    });
    return toEntries(reply);
  }

  /** New entries by stream, in the order of `after`; a Cluster is asked for one stream only. */
  async readAfter({ after, count, blockMs }: ReadAfter, signal?: AbortSignal): Promise<StreamEntry[][]> {
    const block = blockMs > 0 ? ['BLOCK', String(blockMs)] : [];
    let names: string[] = [];
    const reply = await this.#client.ask({
      command: 'xread',
      args: (prefix) => {
        names = after.map(([stream]) => streamKeys(stream, prefix).stream);
        const ids = after.map(([, id]) => id);
        return ['COUNT', String(count), ...block, 'STREAMS', ...names, ...ids];
      },
      stream: after.map(([stream]) => stream).join(', '),
      blockMs,
      signal,
    });
    const byName = new Map(
      toList(reply).map((pair) => [String(toList(pair)[0]), toEntries(toList(pair)[1])]),
    );
    return names.map((name) => byName.get(name) ?? []);
  }

  /** The texts of resources by their hashes; undefined for one that is not there. */
  async resources(
    stream: string,
    hashes: readonly string[],
    signal?: AbortSignal,
  ): Promise<(string | undefined)[]> {
    const reply = await this.#client.ask({
      command: 'hmget',
      args: (prefix) => [streamKeys(stream, prefix).resources, ...hashes],
      stream,
      signal,
    });
    return toList(reply).map((text) => (typeof text === 'string' ? text : undefined));
  }

  /** Undefined where there is no such stream. */
  async info(stream: string, signal?: AbortSignal): Promise<StreamInfo | undefined> {
    const reply = await this.#client
      .ask({
        command: 'xinfo',
        args: (prefix) => ['STREAM', streamKeys(stream, prefix).stream],
        stream,
        signal,
      })
      .catch(async (error: unknown) => {
        // "No such key" begins with ERR as many errors do: only the stream's absence tells them apart.
        if (signal?.aborted === true || (await this.lastId(stream, signal)) !== undefined) throw error;
        return undefined;
      });
    return reply === undefined ? undefined : toInfo(toList(reply));
  }

  /** The id of the newest entry; undefined where there is none. */
  async lastId(stream: string, signal?: AbortSignal): Promise<string | undefined> {
    const [last] = await this.range({ stream, start: '-', end: '+', count: 1, isReverse: true }, signal);
    return last?.id;
  }

  pause(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#client.pause(ms, signal);
  }

  close(): void {
    this.#client.close();
  }
}

function toList(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function toEntries(reply: unknown): StreamEntry[] {
  return toList(reply).map((pair) => {
    const [id, fields] = pair as [string, string[]];
    return { id, fields };
  });
}

function toInfo(pairs: readonly unknown[]): StreamInfo {
  const by = new Map<unknown, unknown>();
  for (let i = 0; i + 1 < pairs.length; i += 2) by.set(pairs[i], pairs[i + 1]);
  const added = by.get('entries-added');
  return {
    length: Number(by.get('length') ?? 0),
    firstId: toId(toList(by.get('first-entry'))[0]),
    lastId: toId(by.get('last-generated-id')),
    entriesAdded: added === undefined ? undefined : Number(added),
  };
}

function toId(value: unknown): string {
  return typeof value === 'string' ? value : FIRST_ID;
}
