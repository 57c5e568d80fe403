import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisProcess } from '../support/redis-process.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import type { Child } from './child.js';
import type { Sample } from './protocol.js';
import type { SpooledApp } from './spooled-app.js';

/** What faults are done to. */
export interface Surroundings {
  readonly server: RedisProcess;
  readonly proxy: TcpProxy;
  readonly client: Redis;
  readonly app: Child<Sample>;
  readonly spooled: SpooledApp;
  readonly stream: string;
  /** Told how many records that were acknowledged a server has come back without. */
  readonly takenBack: (records: number) => void;
  /** From 0 up to, not including, 1; the same in every run of one seed. */
  readonly random: () => number;
}

/** Breaks something, and mends it before it resolves. */
export type Fault = (around: Surroundings) => Promise<void>;

/** Every kind of fault, each as likely as the others. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'lost replies': async ({ proxy, random }) => {
    await proxy.set({ resetAfterBytes: { down: whole(random, 1, 400) } });
    await delay(whole(random, 200, 800));
    await proxy.heal();
  },
  'torn requests': async ({ proxy, random }) => {
    await proxy.set({ resetAfterBytes: { up: whole(random, 1_000, 200_000) } });
    await delay(whole(random, 200, 800));
    await proxy.heal();
  },
  resets: async ({ proxy, random }) => {
    for (let times = whole(random, 1, 6); times > 0; times--) {
      proxy.cut();
      await delay(whole(random, 0, 300));
    }
  },
  'black hole': async ({ proxy, random }) => {
    await proxy.set({ blackHole: ([true, 'up', 'down'] as const)[whole(random, 0, 2)] ?? true });
    await delay(whole(random, 1_000, 3_500));
    await proxy.heal();
  },
  refusal: async ({ proxy, random }) => {
    await proxy.set({ refuse: true });
    proxy.cut();
    await delay(whole(random, 300, 2_500));
    await proxy.heal();
  },
  latency: async ({ proxy, random }) => {
    await proxy.set({ latencyMs: whole(random, 20, 300) });
    await delay(whole(random, 1_000, 3_000));
    await proxy.heal();
  },
  'server stopped': async ({ server, random }) => {
    await server.pause();
    await delay(whole(random, 500, 3_500));
    await server.resume();
  },
  'server killed': async ({ server, random }) => {
    await server.kill();
    await delay(whole(random, 0, 1_500));
    await server.start();
  },
  'power cut': powerCut,
  'memory full': async ({ client, random }) => {
    await client.config('SET', 'maxmemory', '1mb');
    await delay(whole(random, 500, 2_500));
    await client.config('SET', 'maxmemory', '0');
  },
  'scripts forgotten': async ({ client, random }) => {
    for (let times = whole(random, 1, 5); times > 0; times--) {
      await client.script('FLUSH');
      await delay(whole(random, 0, 200));
    }
  },
  'app killed': async ({ spooled, random }) => {
    for (let times = whole(random, 1, 2); times > 0; times--) {
      await delay(whole(random, 0, 400));
      await spooled.restart();
    }
  },
  'app killed while Redis is away': async ({ proxy, spooled, random }) => {
    await proxy.set({ refuse: true });
    proxy.cut();
    await delay(whole(random, 100, 1_000));
    await spooled.restart();
    await proxy.heal();
  },
  'clients killed': async ({ client }) => {
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  },
};

/**
 * The server dies and its append-only file comes back without its last part, as it may with `appendfsync everysec`: a
 * killed process alone loses nothing, because the system still has what it wrote. The cut is most likely in the
 * middle of a command, and of a transaction.
 */
async function powerCut({ server, proxy, app, stream, takenBack, random }: Surroundings): Promise<void> {
  const synced = await appendOnlyFile(server.directory);
  await delay(whole(random, 100, 900));
  await server.kill();
  const written = await appendOnlyFile(server.directory);
  const lost = written.size - synced.size;
  if (written.path === synced.path && lost > 0) {
    await truncate(written.path, synced.size + whole(random, 0, lost >> 1));
  }
  const { stats } = await app.ask('sample');
  // Nobody comes back before we have looked.
  await proxy.set({ refuse: true });
  await server.start();
  const reader = server.client();
  const stored = await newest(reader, stream);
  await rewriteAppendOnlyFile(reader);
  reader.disconnect();
  await proxy.heal();
  const missing = Object.entries(stats).map(([name, { delivered }]) =>
    Math.max(0, delivered - (stored[name] ?? 0)),
  );
  takenBack(missing.reduce((sum, each) => sum + each, 0));
}

/** The newest number of each producer in the stream. */
async function newest(client: Redis, stream: string): Promise<Readonly<Record<string, number>>> {
  const highest: Record<string, number> = {};
  // Enough to hold a batch of each.
  for (const [, fields] of await client.xrevrange(stream, '+', '-', 'COUNT', 1_000)) {
    const name = fields[fields.indexOf('name') + 1] ?? '';
    highest[name] ??= Number(fields[fields.indexOf('n') + 1]);
  }
  return highest;
}

/**
 * After a power cut this is what docs/operations.md advises, because a server older than the repair of
 * https://github.com/valkey-io/valkey/pull/4342 keeps the rest of a torn transaction in its file, and runs it, without
 * the guard, at its next start.
 */
export async function rewriteAppendOnlyFile(client: Redis): Promise<void> {
  await client.bgrewriteaof();
  const isDone = async (): Promise<boolean> =>
    /aof_rewrite_in_progress:0\r?\naof_rewrite_scheduled:0/.test(await client.info('persistence'));
  await until(isDone, { what: 'a new append-only file', timeoutMs: 60_000, intervalMs: 50 });
}

async function appendOnlyFile(directory: string): Promise<{ readonly path: string; readonly size: number }> {
  const names = await readdir(directory, { recursive: true });
  // Redis 7 writes increments numbered from 1, Redis 6.2 a single file.
  const files = names.filter((name) => /\.incr\.aof$|^appendonly\.aof$/.test(name));
  const sizes = files.map(async (name) => {
    const { size, mtimeMs } = await stat(join(directory, name));
    return { path: join(directory, name), size, mtimeMs };
  });
  const [latest] = (await Promise.all(sizes)).sort((a, b) => b.mtimeMs - a.mtimeMs);
  if (latest === undefined) throw new Error('The server keeps no append-only file.');
  return latest;
}

/** A whole number from `lowest` to `highest`, both among them. */
export function whole(random: () => number, lowest: number, highest: number): number {
  return lowest + Math.floor(random() * (highest - lowest + 1));
}
