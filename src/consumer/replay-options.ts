import * as v from 'valibot';
import { Problems } from '../options/problems.js';
import { unknownKey, whole } from '../options/schema.js';
import type { DeadLetter } from './dead-letter-reader.js';
import {
  addIssue,
  type LogConsumerOptions,
  name,
  readShared,
  type ResolvedConsumerOptions,
  streamName,
} from './options.js';

/** Options of `replayDeadLetters`. An unknown key is an error. */
export interface ReplayOptions extends Pick<
  LogConsumerOptions,
  'connection' | 'stream' | 'partitions' | 'service' | 'sendTimeoutMs'
> {
  /** Only dead letters of this group. Default: of all. */
  readonly group?: string;
  /** Only these, by their ids among the dead letters. Default: all. */
  readonly ids?: readonly string[];
  /** Most to be replayed, 1 to 10^12. Default: no limit. */
  readonly limit?: number;
  /**
   * Is given each of them in the place of the stream. One for which it resolves is removed; one for which it throws
   * stays. Default: each goes back to the end of the stream, to all groups.
   */
  readonly handler?: (letter: DeadLetter) => unknown;
}

export interface ResolvedReplayOptions extends Pick<
  ResolvedConsumerOptions,
  'connection' | 'stream' | 'streams' | 'sendTimeoutMs'
> {
  readonly group: string | undefined;
  readonly ids: readonly string[] | undefined;
  readonly limit: number;
  readonly handler: ReplayOptions['handler'] | undefined;
}

const IDS = 'an array of ids of dead letters, such as 1790000000000-0';
const VAST = 1_000_000_000_000;
const seenElsewhere = v.optional(v.any());

const SCHEMA = v.objectWithRest(
  {
    connection: seenElsewhere,
    partitions: seenElsewhere,
    service: seenElsewhere,
    sendTimeoutMs: seenElsewhere,
    stream: v.optional(streamName),
    group: v.optional(name),
    ids: v.optional(v.custom<readonly string[]>(areIds, IDS)),
    limit: whole(1, VAST),
    handler: v.optional(
      v.custom<ReplayOptions['handler']>(
        (value) => typeof value === 'function',
        'a function of a dead letter',
      ),
    ),
  },
  unknownKey,
);

const KNOWN = Object.keys(SCHEMA.entries);

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function resolveReplayOptions(
  options: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedReplayOptions {
  const problems = new Problems();
  const parsed = v.safeParse(SCHEMA, options);
  for (const issue of parsed.issues ?? []) addIssue(issue, { problems, known: KNOWN });
  const shared = readShared(options, { environment, problems });
  if (!problems.isEmpty || shared === undefined) throw problems.toError();
  const { group, ids, limit = Infinity, handler } = parsed.output as ReplayOptions;
  const { connection, stream, streams, sendTimeoutMs } = shared;
  return { connection, stream, streams, sendTimeoutMs, group, ids, limit, handler };
}

function areIds(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((id) => typeof id === 'string' && /^\d{1,20}-\d{1,20}$/.test(id))
  );
}
