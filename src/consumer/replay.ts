import { decodeLogRecord } from '../codec/decode.js';
import { describeError } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { systemRuntime } from '../pipeline/runtime.js';
import type { LogRecord } from '../record/log-record.js';
import { GroupLink } from '../redis/group-link.js';
import { type RawEntry, readEntries } from '../redis/group-replies.js';
import { DEAD_LETTER_FIELDS, REPLAY } from '../redis/group-scripts.js';
import { type LogConsumerOptions, resolveConsumerOptions } from './options.js';

/** A record that a group set aside. */
export interface DeadLetter {
  /** Its id among the dead letters. */
  readonly id: string;
  /** The id that its entry had in the stream. */
  readonly entryId: string;
  readonly group: string;
  /** The consumer that set it aside. */
  readonly consumer: string;
  /** `undecodable`, `max-deliveries`, or `rejected` (by DeadLetterError). */
  readonly reason: string;
  /** Name and first line of the last error. */
  readonly error: string;
  /** How often it was handed out. */
  readonly deliveryCount: number;
  /** `undefined` where it cannot be decoded. */
  readonly record: LogRecord | undefined;
  /** The entry as it was: names and values in one list. */
  readonly fields: readonly string[];
}

export interface ReplayOptions extends Pick<
  LogConsumerOptions,
  'connection' | 'stream' | 'partitions' | 'service' | 'sendTimeoutMs'
> {
  /** Only dead letters of this group. Default: of all. */
  readonly group?: string;
  /** Only these, by their ids among the dead letters. Default: all. */
  readonly ids?: readonly string[];
  /** Most to be replayed. Default: no limit. */
  readonly limit?: number;
  /**
   * Is given each of them in the place of the stream. One for which it resolves is removed; one for which it throws
   * stays. Default: each goes back to the end of the stream, to all groups.
   */
  readonly handler?: (letter: DeadLetter) => unknown;
}

export interface ReplayResult {
  /** Back in the stream, or handled. */
  readonly replayed: number;
  /** Still among the dead letters: the handler threw. */
  readonly failed: number;
}

const PAGE = 100;

/**
 * Takes dead letters of a stream up again: those that are there when it is called, the oldest first. Each is put back
 * into the stream and removed in one step, so a replay that is broken off, or runs twice, doubles nothing. Its fields are
 * the same and in the same order, its entry id is a new one.
 *
 * @example
 * const { replayed } = await replayDeadLetters({ stream: 'logs:shop', group: 'etl' });
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`; `REDIS_LOG_UNAVAILABLE` when Redis cannot be reached or refuses.
 */
export async function replayDeadLetters(options: ReplayOptions = {}): Promise<ReplayResult> {
  const { group, ids, limit = Infinity, handler, ...rest } = options;
  const resolved = resolveConsumerOptions({ ...rest, group: group ?? 'any' });
  const { connection, stream, streams, sendTimeoutMs } = resolved;
  const link = await openLink(connection, sendTimeoutMs);
  try {
    const isWanted = (letter: DeadLetter): boolean =>
      (group === undefined || letter.group === group) && (ids === undefined || ids.includes(letter.id));
    const result = { replayed: 0, failed: 0 };
    for await (const [place, letter] of lettersOfAll(link, streams)) {
      if (!isWanted(letter)) continue;
      if (result.replayed + result.failed >= limit) break;
      const isDone = await (handler === undefined
        ? putBack(link, place, letter)
        : handOver(link, place, { letter, handler }));
      if (isDone) result.replayed++;
      else if (handler !== undefined) result.failed++;
    }
    return result;
  } catch (cause) {
    throw unavailable(stream, cause);
  } finally {
    link.close();
  }
}

async function openLink(
  connection: ReturnType<typeof resolveConsumerOptions>['connection'],
  timeoutMs: number,
): Promise<GroupLink> {
  let reason: string | undefined;
  const link = new GroupLink({
    connection,
    connectionName: 'nestjs-redis-log-replay',
    runtime: systemRuntime,
    timeoutMs,
    state: (state, why) => {
      if (state !== 'waiting') return;
      reason = why;
      // One try: somebody waits for the answer.
      link.close();
    },
  });
  await link.settled();
  if (link.state === 'ready') return link;
  throw new RedisLogError(
    'REDIS_LOG_UNAVAILABLE',
    `Dead letters cannot be replayed: ${reason ?? 'no connection'}.`,
    {
      subject: 'connection',
    },
  );
}

async function* lettersOfAll(
  link: GroupLink,
  streams: readonly string[],
): AsyncGenerator<[stream: string, letter: DeadLetter]> {
  for (const stream of streams) for await (const letter of lettersOf(link, stream)) yield [stream, letter];
}

/** All that are there now, and none that come meanwhile: what fails again must not be tried without end. */
async function* lettersOf(link: GroupLink, stream: string): AsyncGenerator<DeadLetter> {
  const { deadLetters } = link.keys(stream);
  const { entries: newest } = readEntries(await link.call('xrevrange', [deadLetters, '+', '-', 'COUNT', 1]));
  const last = newest[0]?.id;
  let after = '-';
  while (last !== undefined) {
    const { entries } = readEntries(await link.call('xrange', [deadLetters, after, last, 'COUNT', PAGE]));
    for (const entry of entries) {
      const letter = letterOf(entry);
      if (letter !== undefined) yield letter;
    }
    const end = entries.at(-1)?.id;
    if (end === undefined || entries.length < PAGE) return;
    after = `(${end}`;
  }
}

function letterOf({ id, fields }: RawEntry): DeadLetter | undefined {
  if (fields[0] !== DEAD_LETTER_FIELDS[0]) return undefined;
  const text = (name: (typeof DEAD_LETTER_FIELDS)[number]): string =>
    fields[2 * DEAD_LETTER_FIELDS.indexOf(name) + 1] ?? '';
  const own = fields.slice(2 * DEAD_LETTER_FIELDS.length);
  const decoded = decodeLogRecord(own);
  return {
    id,
    entryId: text('@dlq.id'),
    group: text('@dlq.group'),
    consumer: text('@dlq.consumer'),
    reason: text('@dlq.reason'),
    error: text('@dlq.error'),
    deliveryCount: Number(text('@dlq.deliveries')),
    record: decoded.status === 'ok' ? decoded.record : undefined,
    fields: own,
  };
}

/** False when somebody else was faster. */
async function putBack(link: GroupLink, stream: string, { id }: DeadLetter): Promise<boolean> {
  const keys = link.keys(stream);
  return (await link.run({ script: REPLAY, keys: [keys.deadLetters, keys.stream], args: [id] })) === 'MOVED';
}

async function handOver(
  link: GroupLink,
  stream: string,
  { letter, handler }: { readonly letter: DeadLetter; readonly handler: (letter: DeadLetter) => unknown },
): Promise<boolean> {
  try {
    await handler(letter);
  } catch {
    return false;
  }
  await link.call('xdel', [link.keys(stream).deadLetters, letter.id]);
  return true;
}

function unavailable(stream: string, cause: unknown): RedisLogError {
  const text = `The dead letters of ${stream} cannot be replayed: ${describeError(cause)}.`;
  return new RedisLogError('REDIS_LOG_UNAVAILABLE', text, { subject: stream });
}
