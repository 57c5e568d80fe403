import { isReplyError } from './failure.js';
import type { MonitorConnection } from './monitor-connection.js';
import { count, type StreamState, streamState } from './monitor-replies.js';
import { listOf } from './replies.js';

/** Entries fetched at once while counting or scanning: about 1.4 ms of the server's time. */
const PAGE = 1_000;

export interface StreamReading {
  readonly serverMs: number;
  /** Undefined where there is no such key. */
  readonly state: StreamState | undefined;
}

/** The state of one stream and the server's clock. @throws what Redis answers, such as NOPERM or WRONGTYPE. */
export async function readStream(connection: MonitorConnection, stream: string): Promise<StreamReading> {
  const key = connection.keys(stream).stream;
  const [serverMs, reply] = await Promise.all([
    connection.serverMs(key),
    connection.send('xinfo', 'STREAM', key, 'FULL', 'COUNT', 1).catch(missingAsUndefined),
  ]);
  return { serverMs, state: reply === undefined ? undefined : streamState(reply) };
}

function missingAsUndefined(error: unknown): undefined {
  if (isReplyError(error) && /no such key/i.test(error.message)) return undefined;
  throw error;
}

export interface IdRange {
  readonly stream: string;
  /** As XRANGE takes it: an id, `(id` without it, `-` or `+`. */
  readonly from: string;
  readonly to: string;
}

export interface Counted {
  readonly entries: number;
  /** False when the limit was reached before the end of the range. */
  readonly isComplete: boolean;
  readonly lastId: string | undefined;
}

/** Counts the entries of a range by fetching them, since Redis has no command that counts; never more than `limit`. */
export async function countEntries(
  connection: MonitorConnection,
  range: IdRange,
  limit: number,
): Promise<Counted> {
  let entries = 0;
  let lastId: string | undefined;
  for (let from = range.from; ; from = `(${lastId ?? ''}`) {
    const size = Math.min(PAGE, limit - entries);
    if (size <= 0) return { entries, isComplete: false, lastId };
    const page = await readPage(connection, { ...range, from }, size);
    entries += page.length;
    lastId = page.at(-1)?.id ?? lastId;
    if (page.length < size) return { entries, isComplete: true, lastId };
  }
}

export interface RawEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

export async function readPage(
  connection: MonitorConnection,
  { stream, from, to }: IdRange,
  size: number,
): Promise<RawEntry[]> {
  const key = connection.keys(stream).stream;
  const reply = await connection.send('xrange', key, from, to, 'COUNT', size);
  return listOf(reply).map((entry) => {
    const [id, fields] = listOf(entry);
    return { id: String(id), fields: listOf(fields).map(String) };
  });
}

/** Bytes of the stream, estimated by the server from a few of its nodes; undefined where it does not say. */
export async function memoryUsage(
  connection: MonitorConnection,
  stream: string,
): Promise<number | undefined> {
  const key = connection.keys(stream).stream;
  return count(await connection.send('memory', 'USAGE', key, 'SAMPLES', 5));
}

export async function deadLetterCount(connection: MonitorConnection, stream: string): Promise<number> {
  return count(await connection.send('xlen', connection.keys(stream).deadLetters)) ?? 0;
}

/** A producer's guard (docs/exactly-once.md), as far as the monitor wants to know it. */
export interface Guard {
  readonly seq: number;
  /** -1: rebuilt from the stream, so nobody knows. */
  readonly holes: number;
  readonly shed: number;
}

export async function readGuard(
  connection: MonitorConnection,
  stream: string,
  producer: string,
): Promise<Guard | undefined> {
  const reply = await connection.send('get', connection.keys(stream).guard(producer));
  const match = /^(\d+) (-?\d+) (\d+) \d+$/.exec(typeof reply === 'string' ? reply : '');
  return match === null
    ? undefined
    : { seq: Number(match[1]), holes: Number(match[2]), shed: Number(match[3]) };
}
