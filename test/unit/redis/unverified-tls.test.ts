import { Cluster, Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectionOptions } from '../../../src/options/types.js';
import { acceptsAnyCertificate } from '../../../src/redis/unverified-tls.js';

const ANY = { rejectUnauthorized: false };
const NODES = [{ host: '127.0.0.1', port: 1 }];

const clients: (Redis | Cluster)[] = [];

function made<T extends Redis | Cluster>(client: T): T {
  clients.push(client);
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

describe('a connection that accepts any TLS certificate is noticed', () => {
  it.each<[string, () => ConnectionOptions]>([
    ['in ioredis options', () => ({ tls: ANY })],
    ['to Sentinels', () => ({ sentinels: NODES, name: 'm', sentinelTLS: ANY })],
    ['to a Cluster', () => ({ cluster: NODES, options: { redisOptions: { tls: ANY } } })],
    ['of a client', () => made(new Redis({ lazyConnect: true, tls: ANY }))],
    [
      'of a Cluster client',
      () => made(new Cluster(NODES, { lazyConnect: true, redisOptions: { tls: ANY } })),
    ],
  ])('%s', (_, connection) => {
    expect(acceptsAnyCertificate(connection())).toBe(true);
  });

  it.each<[string, () => ConnectionOptions]>([
    ['a URL', () => 'rediss://cache'],
    ['TLS as it comes', () => ({ tls: {} })],
    ['TLS that says that it wants none', () => ({ tls: { rejectUnauthorized: true } })],
    ['no TLS', () => ({ host: 'cache' })],
    ['a Cluster without options', () => ({ cluster: NODES })],
    ['a client', () => made(new Redis({ lazyConnect: true, tls: {} }))],
  ])('and not %s', (_, connection) => {
    expect(acceptsAnyCertificate(connection())).toBe(false);
  });
});
