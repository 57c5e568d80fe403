import { createDiagnostics, describeError, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { systemRuntime } from '../pipeline/runtime.js';
import { GroupLink } from '../redis/group-link.js';
import { REPLAY } from '../redis/group-scripts.js';
import { type DeadLetter, DeadLetterReader, type StoredLetter } from './dead-letter-reader.js';
import { type ReplayOptions, resolveReplayOptions } from './replay-options.js';

export interface ReplayResult {
  /** Back in the stream, or handled. */
  readonly replayed: number;
  /** Still among the dead letters: the handler threw, or the entry cannot be put back, of which stderr says why. */
  readonly failed: number;
}

interface Site {
  readonly link: GroupLink;
  readonly diagnostics: Diagnostics;
}

type Outcome = 'replayed' | 'failed' | 'gone';

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
  const { connection, stream, streams, sendTimeoutMs, ...wanted } = resolveReplayOptions(options);
  const { group, ids, limit, handler } = wanted;
  const isWanted = (letter: StoredLetter): boolean =>
    (group === undefined || letter.group === group) && (ids === undefined || ids.includes(letter.id));
  const link = await openLink(connection, sendTimeoutMs);
  const site: Site = { link, diagnostics: createDiagnostics() };
  try {
    const result = { replayed: 0, failed: 0 };
    for await (const [reader, letter] of lettersOfAll(link, streams)) {
      if (!isWanted(letter)) continue;
      if (result.replayed + result.failed >= limit) break;
      const outcome = await (handler === undefined
        ? putBack(site, reader.stream, letter)
        : handOver(site, reader, { letter, handler }));
      // Somebody else was faster with those that are gone.
      if (outcome !== 'gone') result[outcome]++;
    }
    return result;
  } catch (cause) {
    throw unavailable(stream, cause);
  } finally {
    link.close();
  }
}

async function openLink(
  connection: ReturnType<typeof resolveReplayOptions>['connection'],
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
): AsyncGenerator<[reader: DeadLetterReader, letter: StoredLetter]> {
  for (const stream of streams) {
    const reader = new DeadLetterReader(link, stream);
    for await (const letter of reader.letters()) yield [reader, letter];
  }
}

async function putBack({ link, diagnostics }: Site, stream: string, { id }: StoredLetter): Promise<Outcome> {
  const keys = link.keys(stream);
  const outcome = await link.run({ script: REPLAY, keys: [keys.deadLetters, keys.stream], args: [id] });
  if (outcome === 'MOVED') return 'replayed';
  if (outcome !== 'TOO_MANY_FIELDS') return 'gone';
  diagnostics.warn(
    `replay:${stream}`,
    `Stream ${stream}: the dead letter ${id} has too many fields to be put back in one step, and stays. A handler gets all of them.`,
  );
  return 'failed';
}

async function handOver(
  { link }: Site,
  reader: DeadLetterReader,
  { letter, handler }: { readonly letter: StoredLetter; readonly handler: (letter: DeadLetter) => unknown },
): Promise<Outcome> {
  const opened = await reader.open(letter);
  if (opened === undefined) return 'gone';
  try {
    await handler(opened);
  } catch {
    return 'failed';
  }
  await link.call('xdel', [link.keys(reader.stream).deadLetters, letter.id]);
  return 'replayed';
}

function unavailable(stream: string, cause: unknown): RedisLogError {
  const text = `The dead letters of ${stream} cannot be replayed: ${describeError(cause)}.`;
  return new RedisLogError('REDIS_LOG_UNAVAILABLE', text, { subject: stream });
}
