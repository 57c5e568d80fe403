import { getContainerRuntimeClient } from 'testcontainers';
import { findRedisBinary } from '../../support/redis-binary.js';
import { startRedisContainer } from '../../support/redis-container.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

export interface ServerKind {
  readonly name: string;
  start(): Promise<RedisServer>;
}

/**
 * Where one suite runs: on the server program of this machine, and in Docker through testcontainers where Docker
 * answers. A machine without either fails with the sentence that says what to install.
 */
export async function serverKinds(): Promise<ServerKind[]> {
  const kinds: ServerKind[] = [];
  const hasDocker = await getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
  if (hasDocker) kinds.push({ name: 'a server in Docker', start: () => startRedisContainer({}) });
  if (!hasDocker || findRedisBinary() !== undefined) {
    kinds.unshift({ name: 'a server of this machine', start: () => startRedisServer() });
  }
  return kinds;
}
