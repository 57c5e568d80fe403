import { findRedisBinary } from './redis-binary.js';
import type { RedisServer, RedisServerOptions } from './redis-options.js';
import { startRedisProcess } from './redis-process.js';

export type { RedisServer, RedisServerOptions } from './redis-options.js';

/**
 * Starts a real server on a free port of 127.0.0.1 and on a Unix socket, in a temporary directory, without
 * snapshots. It ends with `stop()`, with `await using`, and in any case with the process that started it.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = findRedisBinary();
  if (binary !== undefined) return startRedisProcess({ ...options, binary });
  // Loaded on demand: it takes half a second, and most machines have the program.
  const { startRedisContainer } = await import('./redis-container.js');
  return startRedisContainer(options);
}
