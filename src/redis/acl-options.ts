import * as v from 'valibot';
import { describeValue, nearest, Problems } from '../options/problems.js';
import { GROUPS, isFields, UNKNOWN_KEY, unknownKey } from '../options/schema.js';
import { isStreamName } from '../options/stream-name.js';
import type { RetentionOptions } from '../options/types.js';

/**
 * `producer` writes records, `consumer` works in groups, `viewer` looks, `monitor` is what a StreamMonitor needs (it sees
 * records, too), `admin` does all of it and tidies up.
 */
export type AclRole = 'producer' | 'consumer' | 'viewer' | 'monitor' | 'admin';

export interface AclOptions {
  readonly role: AclRole;
  /** Name of the stream, or a pattern of Redis for several: `logs:*`. */
  readonly stream: string;
  /** Of producers. Default `exactly-once`, which runs scripts. */
  readonly delivery?: 'exactly-once' | 'at-least-once';
  /** Of producers. Default `written`; the others need one command more. */
  readonly acknowledge?: 'written' | 'replicated' | 'fsynced';
  /** Of producers: as they have it, where it waits for groups or looks at memory. */
  readonly retention?: RetentionOptions | false;
  /** True where the stream has partitions; `stream` is the name before their numbers. Default false. */
  readonly partitioned?: boolean;
  /** `list` for the formats `list` and `plumelog`. Default `stream`. */
  readonly target?: 'stream' | 'list';
  /** The `keyPrefix` of the connection. Default none. */
  readonly keyPrefix?: string;
  /** True where the connection selects another database than 0. Default false. */
  readonly selectsDatabase?: boolean;
  /** True where the connection is to a Cluster. Default false. */
  readonly cluster?: boolean;
}

const ROLES = ['producer', 'consumer', 'viewer', 'monitor', 'admin'] as const;
const STREAM =
  'the name of a stream or a pattern such as "logs:*", without spaces, and with a "}" only in a hash tag';
const PREFIX = 'a text without spaces';

const flag = v.optional(v.boolean('true or false'));

const SCHEMA = v.objectWithRest(
  {
    role: v.picklist(ROLES, 'producer, consumer, viewer, monitor or admin'),
    // A rule is one word.
    stream: v.custom<string>((value) => isStreamName(value) && !/\s/.test(String(value)), STREAM),
    delivery: v.optional(v.picklist(['exactly-once', 'at-least-once'], 'exactly-once or at-least-once')),
    acknowledge: v.optional(
      v.picklist(['written', 'replicated', 'fsynced'], 'written, replicated or fsynced'),
    ),
    retention: v.optional(
      v.lazy((input) =>
        input === false
          ? v.literal(false)
          : v.pipe(v.custom(isFields, 'an object, or false'), v.objectWithRest(GROUPS.retention, unknownKey)),
      ),
    ),
    partitioned: flag,
    target: v.optional(v.picklist(['stream', 'list'], 'stream or list')),
    keyPrefix: v.optional(
      v.custom<string>((value) => typeof value === 'string' && !/\s/.test(value), PREFIX),
    ),
    selectsDatabase: flag,
    cluster: flag,
  },
  unknownKey,
);

const KNOWN = Object.keys(SCHEMA.entries);

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function checkAclOptions(options: unknown): void {
  const problems = new Problems();
  if (!isFields(options)) {
    const form = "an object such as { role: 'producer', stream: 'logs:shop' }";
    problems.add('aclRules', `got ${describeValue(options)}. Give ${form}`);
    throw problems.toError();
  }
  const parsed = v.safeParse(SCHEMA, { role: undefined, stream: undefined, ...options });
  for (const issue of parsed.issues ?? []) addIssue(issue, problems);
  if (!problems.isEmpty) throw problems.toError();
}

function addIssue({ path, input, message }: v.BaseIssue<unknown>, problems: Problems): void {
  const keys = (path ?? []).map(({ key }) => String(key));
  const subject = keys.join('.');
  if (message !== UNKNOWN_KEY) {
    problems.add(subject, `got ${describeValue(input)}. Give ${message}`);
    return;
  }
  const similar = keys.length === 1 ? nearest(subject, KNOWN) : undefined;
  problems.add(
    subject,
    `unknown option. ${similar === undefined ? 'Leave it out' : `Did you mean ${similar}?`}`,
  );
}
