import { type AclOptions, checkAclOptions } from './acl-options.js';
import { streamKeys } from './keys.js';

export type { AclOptions, AclRole } from './acl-options.js';

/** Every key of one stream, as patterns. */
interface Patterns {
  readonly stream: string;
  readonly guards: string;
  readonly resources: string;
  readonly resourcesSeen: string;
  readonly deadLetters: string;
  readonly handled: string;
  readonly levels: string;
  readonly insights: string;
  /** All other keys of insights. */
  readonly insightsParts: string;
}

/** What a script of ours calls, by target; EVAL as well as EVALSHA, since a server forgets its scripts. */
const SCRIPT_CALLS = ['eval', 'evalsha'];
const SCRIPTS = [...SCRIPT_CALLS, 'type', 'time', 'get', 'set', 'hsetnx', 'zadd'];
const SWEEP = ['hdel', 'zrangebyscore', 'zrem'];
const APPEND = { stream: ['xadd', 'xtrim'], list: ['rpush', 'ltrim'] } as const;

/** Retention that waits for groups, and that by a share of memory. */
const KEEP_FOR = ['xlen', 'xinfo|groups', 'xpending'];
const MEMORY = ['xlen', 'memory|usage', 'info'];

const LOOK = ['xinfo|stream', 'xinfo|groups', 'xinfo|consumers', 'xpending'];
const READ = ['xrange', 'xrevrange', 'xread', 'xlen', 'lrange', 'llen', 'type', 'exists', 'memory|usage'];
const GROUPS = ['xreadgroup', 'xack', 'xclaim', 'xautoclaim'];
const CONSUMERS = ['xgroup|create', 'xgroup|createconsumer', 'xgroup|delconsumer'];
const RESOURCES = ['hget', 'hmget', 'hgetall'];
const MONITOR = ['xinfo|stream', 'xrange', 'xlen', 'memory|usage', 'get', 'time', 'info'];
/** On what a group has handled of each producer. */
const NOTES = ['get', 'mget', 'set'];
/** On the counts of messages: what looks at them, and what counts besides. */
const INSIGHTS = ['hmget', 'hgetall', 'zrange'];
const COUNTS = ['zadd', 'zincrby', 'zrem', 'zcard', 'zscore', 'zrangebyscore', 'zremrangebyscore'];
const COUNT_INSIGHTS = [...INSIGHTS, ...COUNTS, 'hget', 'hset', 'hdel', 'pexpire', 'pexpireat'];
/** What reads the levels that are set for all processes, and what sets them besides. */
const LEVELS = ['hgetall', 'time', 'pttl'];
const SET_LEVELS = ['hset', 'hdel', 'persist', 'pexpireat'];
const TIDY = ['xtrim', 'xdel', 'xgroup', 'xsetid', 'del', 'unlink', 'dump', 'restore', 'pttl'];
const SERVER = ['info', 'config|get'];

/**
 * The rules of a Redis user that may do what its role needs and nothing more: the arguments of `ACL SETUSER` after the
 * user's name, without password, for Redis 6.2 and later (`consumer`: 7.0 and later, because it needs selectors).
 * A `producer` cannot read records back, except the stream's first and last entry, which XINFO STREAM shows.
 *
 * @example
 * await redis.call('ACL', 'SETUSER', 'shop', 'on', '>secret', ...aclRules({ role: 'producer', stream: 'logs:shop' }));
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options.
 */
export function aclRules(options: AclOptions): string[] {
  checkAclOptions(options);
  const patterns = patternsOf(options);
  return ['resetkeys', 'resetchannels', '-@all', ...rulesOf(options, patterns), ...connectionRules(options)];
}

function rulesOf(options: AclOptions, patterns: Patterns): string[] {
  const { stream, resources, deadLetters, handled, insights, insightsParts } = patterns;
  switch (options.role) {
    case 'producer':
      return producerRules(options, patterns);
    case 'consumer':
      return [
        ...keys([stream]),
        ...allow([...GROUPS, ...CONSUMERS, ...LOOK]),
        ...allow(['multi', 'exec', 'discard', 'time']),
        // Both or none: a dead letter and the acknowledgement of what it was made of. What a script does is allowed
        // command by command, so with this nobody writes to the stream.
        selector([stream, deadLetters, handled, insights, insightsParts], SCRIPT_CALLS),
        selector([deadLetters], ['xadd']),
        selector([handled], NOTES),
        selector([insights, insightsParts], COUNT_INSIGHTS),
        selector([resources], RESOURCES),
      ];
    case 'viewer':
      return [
        ...keys([stream, deadLetters, resources, insights, insightsParts]),
        ...allow(new Set([...READ, ...LOOK, ...RESOURCES, ...INSIGHTS])),
      ];
    case 'monitor':
      return [
        ...keys([stream, deadLetters, patterns.guards, insights, insightsParts]),
        ...allow([...MONITOR, ...INSIGHTS]),
      ];
    case 'admin':
      return [...keys(Object.values(patterns)), ...allow(adminCommands())];
  }
}

function producerRules({ delivery, target = 'stream', retention }: AclOptions, patterns: Patterns): string[] {
  const { stream, guards, resources, resourcesSeen, levels } = patterns;
  const { keepFor, maxMemoryShare } = retention || {};
  const keeping = [
    ...(keepFor === undefined ? [] : KEEP_FOR),
    ...(maxMemoryShare === undefined ? [] : MEMORY),
  ];
  if (delivery === 'at-least-once') {
    return [
      ...keys([stream, resources, resourcesSeen, levels]),
      ...allow(new Set([...APPEND[target], 'hsetnx', 'zadd', ...LEVELS, ...keeping])),
    ];
  }
  const housekeeping = target === 'stream' ? ['xinfo|stream', ...SWEEP] : [];
  return [
    ...keys([stream, guards, resources, resourcesSeen, levels]),
    ...allow(new Set([...SCRIPTS, ...APPEND[target], ...housekeeping, ...LEVELS, ...keeping])),
  ];
}

function adminCommands(): Set<string> {
  const writing = [...SCRIPTS, ...SWEEP, ...APPEND.stream, ...APPEND.list, 'multi', 'exec', 'discard'];
  return new Set([
    ...writing,
    ...LEVELS,
    ...SET_LEVELS,
    ...NOTES,
    ...COUNT_INSIGHTS,
    ...GROUPS,
    ...READ,
    ...LOOK,
    ...RESOURCES,
    ...TIDY,
    ...SERVER,
  ]);
}

/** What a client of ours sends besides: its name, heartbeats, the database, the slots, and questions about a batch. */
function connectionRules({ acknowledge, selectsDatabase, cluster, role }: AclOptions): string[] {
  const commands = ['ping', 'client|setname'];
  if (selectsDatabase === true) commands.push('select');
  if (cluster === true) commands.push('cluster|slots', 'cluster|info', 'asking');
  if (role === 'producer' && acknowledge === 'replicated') commands.push('wait');
  if (role === 'producer' && acknowledge === 'fsynced') commands.push('waitaof');
  return allow(commands);
}

function patternsOf({ stream, partitioned = false, keyPrefix }: AclOptions): Patterns {
  const keys = streamKeys(partitioned ? `${stream}:{*}` : stream, keyPrefix);
  const { resources, resourcesSeen, deadLetters, insights } = keys;
  // Levels are set for the stream as a whole.
  const { levels } = streamKeys(stream, keyPrefix);
  const [guards, handled] = [keys.guard('*'), keys.handled('*', '*')];
  const insightsParts = `${insights}:*`;
  const ours = { guards, handled, resources, resourcesSeen, deadLetters, levels, insights, insightsParts };
  return { stream: keys.stream, ...ours };
}

function keys(patterns: readonly string[]): string[] {
  return patterns.map((pattern) => `~${pattern}`);
}

/** Of these keys these commands, whatever else the user may do with others. */
function selector(patterns: readonly string[], commands: readonly string[]): string {
  return `(${[...keys(patterns), ...allow(commands)].join(' ')})`;
}

function allow(commands: Iterable<string>): string[] {
  return Array.from(commands, (command) => `+${command}`);
}
