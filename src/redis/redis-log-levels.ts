import { describeError } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { LEVEL_NAMES } from '../options/levels.js';
import { resolveWriterOptions } from '../options/resolve.js';
import type { RedisLogWriterOptions, ResolvedWriterOptions } from '../options/types.js';
import { MAX_DELAY_MS } from '../pipeline/runtime.js';
import type { Level } from '../record/severity.js';
import type { Client } from './client.js';
import { type FleetLevel, pairsOf, readFleetLevels, serverMsOf } from './fleet-levels.js';
import { streamKeys } from './keys.js';

/** How long a level holds that was set without a time. */
export const DEFAULT_MS = 600_000;
const MAX_CONTEXT_LENGTH = 200;
const TIMEOUT_MS = 5_000;

/**
 * Changes the hash in one step, takes out what is over, and lets the key end with its last level. Values that somebody
 * wrote without an end, on a key with one, get that end for their own.
 */
const SCRIPT = `
local key, context, level, forMs = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = redis.call('PTTL', key)
local last, endless = 0, false
local function write(field, word, till)
  redis.call('HSET', key, field, string.format('{"level":"%s","until":%.0f}', word, till))
  if till > last then last = till end
end
if level == '' then redis.call('HDEL', key, context) end
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local till = tonumber(string.match(all[i + 1], '"until":%s*(%d+)'))
  if till and till <= now then redis.call('HDEL', key, all[i])
  elseif till then last = math.max(last, till)
  elseif ttl > 0 and string.match(all[i + 1], '^%a+$') then write(all[i], all[i + 1], now + ttl)
  else endless = true end
end
if level ~= '' then write(context, level, now + forMs) end
if endless then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, string.format('%.0f', last)) end
return 1
`;

/** A level that is set for the fleet, as `list()` tells it. */
export type { FleetLevel } from './fleet-levels.js';

/**
 * Sets levels for every process that logs to a stream, without a restart: they look for them every 3 seconds. A level
 * holds for a time, by the clock of the Redis server, and then ends by itself. `RedisLogModule` provides it; elsewhere it
 * is made with the options of the writer, of which `connection`, `service` and `stream` matter.
 *
 * Each call makes a connection of its own and ends it.
 *
 * @example
 * await levels.set('OrdersService', 'debug', { forMs: 600_000 });
 */
export class RedisLogLevels {
  readonly #options: ResolvedWriterOptions;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options?: RedisLogWriterOptions | ResolvedWriterOptions) {
    this.#options = resolveWriterOptions(options);
  }

  /**
   * @param context as in the option `levels`: a context, or a pattern with `*` for any text; `*` alone is everything
   * @param options `forMs`: how long, from 1 to 2,147,483,647 milliseconds (24 days). Default 600,000.
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` for what cannot be set, `REDIS_LOG_REFUSED` when Redis did not take it.
   */
  async set(context: string, level: Level, options: { readonly forMs?: number } = {}): Promise<void> {
    checkLevelChange(context, level, options);
    const { forMs = DEFAULT_MS } = options;
    await this.#change(context, level, forMs);
  }

  /** Ends the level of one context, or of all. */
  async clear(context?: string): Promise<void> {
    if (context !== undefined) return this.#change(context, '', 0);
    await this.#with((send, key) => send('del', key));
  }

  /** What is set now. */
  list(): Promise<FleetLevel[]> {
    return this.#with(async (send, key) => {
      const pairs = pairsOf(await send('hgetall', key));
      const serverMs = serverMsOf(await send('time'));
      return readFleetLevels(pairs, { serverMs, ttlMs: Number(await send('pttl', key)) });
    });
  }

  async #change(context: string, level: string, forMs: number): Promise<void> {
    await this.#with((send, key) => send('eval', SCRIPT, '1', key, context, level, String(forMs)));
  }

  async #with<T>(work: (send: Send, key: string) => Promise<T>): Promise<T> {
    const { connection, defaultStream } = this.#options;
    const [{ loadIoredis, makeClient }, { end }] = await Promise.all([
      import('./client.js'),
      import('./sockets.js'),
    ]);
    const ioredis = await loadIoredis();
    const settings = { connectTimeoutMs: TIMEOUT_MS, connectionName: 'nestjs-redis-log-levels' };
    const { client, db, keyPrefix } = makeClient(ioredis, connection, settings);
    const key = streamKeys(defaultStream, keyPrefix).levels;
    client.on('error', () => undefined);
    const send: Send = (name, ...args) =>
      inTime(
        client.sendCommand(new ioredis.Command(name, args, { replyEncoding: 'utf8' })) as Promise<unknown>,
      );
    try {
      await inTime(client.connect());
      if (db !== 0) await send('select', String(db));
      return await work(send, key);
    } catch (error) {
      throw notTaken(error, key);
    } finally {
      end(client satisfies Client);
    }
  }
}

type Send = (name: string, ...args: string[]) => Promise<unknown>;

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` */
export function checkLevelChange(
  context: unknown,
  level: unknown,
  options: { readonly forMs?: unknown },
): void {
  if (typeof context !== 'string' || context === '' || context.length > MAX_CONTEXT_LENGTH) {
    throw invalid(
      'context',
      'must be a name such as "OrdersService", or a pattern such as "Orders*", of at most 200 characters',
    );
  }
  if (!LEVEL_NAMES.some((name) => name === level)) {
    throw invalid('level', `must be one of ${LEVEL_NAMES.join(', ')}`);
  }
  const { forMs, ...others } = options;
  const [unknown] = Object.keys(others);
  // A time that is misspelt would be none, and the level would never end.
  if (unknown !== undefined) {
    throw invalid('options', `have no "${unknown}". The only one is forMs, in milliseconds`);
  }
  if (
    forMs !== undefined &&
    !(Number.isInteger(forMs) && Number(forMs) >= 1 && Number(forMs) <= MAX_DELAY_MS)
  ) {
    throw invalid('forMs', 'must be a whole number from 1 to 2,147,483,647');
  }
}

function invalid(subject: string, rule: string): RedisLogError {
  return new RedisLogError('REDIS_LOG_INVALID_OPTIONS', `The ${subject} of a level ${rule}.`, { subject });
}

function notTaken(error: unknown, key: string): RedisLogError {
  // In the answers of scripts it is not the first word.
  const isOtherType = error instanceof Error && error.message.includes('WRONGTYPE');
  const text = isOtherType
    ? `Levels are a hash, and the key ${key} is something else. Look what it is, and remove or rename it.`
    : `Levels cannot be read or set in Redis: ${describeError(error)}. Check \`connection\` and the rights of its user.`;
  return new RedisLogError('REDIS_LOG_REFUSED', text, { subject: 'connection' });
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(Object.assign(new Error('No answer in time'), { code: 'ETIMEDOUT' })),
      TIMEOUT_MS,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
