import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storedRecords } from '../../integration/nest/support.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { Build, ChildApp, type Ended } from '../boot/child-app.js';

const RUNS = 20;

let redis: RedisServer;
let build: Build;
let directory: string;
let file: string;
beforeAll(async () => {
  build = new Build();
  directory = await mkdtemp(join(tmpdir(), 'rl-shutdown-'));
  redis = await startRedisServer();
});
afterAll(async () => {
  build.remove();
  await redis.stop();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  await redis.resume();
  await redis.client().flushall();
});

let runs = 0;
function start(env: Record<string, string> = {}): ChildApp {
  file = join(directory, `${++runs}.log`);
  return new ChildApp([build.app('http'), file], {
    REDIS_LOG_URL: redis.url,
    REDIS_LOG_STREAM: 'logs',
    ...env,
  });
}

/** All that the application logged by itself, as it wrote it down. */
function written(): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

async function stored(): Promise<string[]> {
  const records = await storedRecords(redis, 'logs');
  return records
    .filter(({ instrumentationScope }) => instrumentationScope.name === 'Orders')
    .map(({ body }) => String(body));
}

/** A connection for each request: kept alive, they would keep the server from closing for seconds. */
async function request(url: string): Promise<void> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  await once(response.resume(), 'close');
}

/** Requests without a pause until the server is gone. */
async function load(url: string): Promise<void> {
  for (;;) {
    try {
      await request(url);
    } catch {
      return;
    }
  }
}

async function timed(child: ChildApp): Promise<Ended & { readonly ms: number }> {
  const start = performance.now();
  child.kill('SIGTERM');
  const ended = await child.ended;
  return { ...ended, ms: performance.now() - start };
}

describe('SIGTERM in the middle of requests', () => {
  it(`loses nothing of what was logged, ${RUNS} times of ${RUNS}`, async () => {
    const lost: string[][] = [];
    let total = 0;
    for (let run = 0; run < RUNS; run++) {
      await redis.client().flushall();
      const child = start();
      const url = await child.line('listening');
      const clients = Array.from({ length: 4 }, () => load(url));
      // Each time at another point of the load.
      await until(() => written().length > 40 * (run + 1), { timeoutMs: 10_000 });
      const { signal, ms } = await timed(child);
      await Promise.all(clients);
      expect(signal, child.stderr).toBe('SIGTERM');
      expect(ms).toBeLessThan(5_000);
      const found = await stored();
      const all = written();
      total += all.length;
      lost.push(all.filter((line) => !new Set(found).has(line)));
      expect(found).toEqual(all);
      expect(all.at(-1)).toMatch(/shutdown hook, later$/);
    }
    expect(lost.flat()).toEqual([]);
    expect(total).toBeGreaterThan(RUNS * 100);
  });
});

describe('SIGTERM while Redis does not answer', () => {
  const deadline = { REDIS_LOG_SHUTDOWN_TIMEOUT_MS: '1000' };

  it('ends the process within the deadline, with an account of what is not known to be stored', async () => {
    const child = start(deadline);
    const url = await child.line('listening');
    await request(url);
    await until(async () => (await stored()).length === 21);
    await redis.pause();
    await request(url);
    const { signal, ms } = await timed(child);
    expect(signal, child.stderr).toBe('SIGTERM');
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(3_500);
    expect(child.stderr).toMatch(/Shutdown: the time was up with \d+ records unconfirmed and \d+ dropped/);
    const [, unconfirmed = '0', dropped = '0', delivered = '0'] =
      /up with (\d+) records unconfirmed and (\d+) dropped in all\. (\d+) were/.exec(child.stderr) ?? [];
    await redis.resume();
    const all = await until(async () => {
      const records = await storedRecords(redis, 'logs');
      return records.length >= Number(delivered) ? records : undefined;
    });
    const atBoot = all.length - (await stored()).length;
    expect(Number(unconfirmed) + Number(dropped) + Number(delivered)).toBe(written().length + atBoot);
    expect(all.length).toBeLessThanOrEqual(Number(delivered) + Number(unconfirmed));
  });

  it('or was never there, and the process says what became of the records', async () => {
    const port = await freePort();
    const child = start({ ...deadline, REDIS_LOG_URL: `redis://127.0.0.1:${port}` });
    await request(await child.line('listening'));
    const { signal, ms } = await timed(child);
    expect(signal, child.stderr).toBe('SIGTERM');
    expect(ms).toBeLessThan(3_500);
    expect(child.stderr).toMatch(/Redis at redis:\/\/127\.0\.0\.1:\d+ is not usable/);
    expect(child.stderr).toMatch(
      /Shutdown: the time was up with 0 records unconfirmed and \d+ dropped in all\. 0 were/,
    );
  });
});
