import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisServer, startRedisServer } from './redis-server.js';

/** The server of a test file, and a client for its assertions. Both can be used from the first hook on. */
export interface SharedRedis {
  readonly server: RedisServer;
  readonly client: Redis;
  readonly url: string;
}

/** One server for all tests of a file: empty before each of them, ended after the last. */
export function useRedisServer(): SharedRedis {
  let started: { readonly server: RedisServer; readonly client: Redis } | undefined;
  const running = (): NonNullable<typeof started> => {
    if (started === undefined) throw new Error('The server starts with the first test of this file.');
    return started;
  };
  beforeAll(async () => {
    const server = await startRedisServer();
    started = { server, client: server.client() };
  });
  beforeEach(async () => {
    await running().client.flushall();
  });
  afterAll(() => started?.server.stop());
  return {
    get server() {
      return running().server;
    },
    get client() {
      return running().client;
    },
    get url() {
      return running().server.url;
    },
  };
}
