import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeLogRecord, RedisLogWriter } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { IS_LONG_RUN, report } from '../../support/long-run.js';
import { seeded } from '../../support/oracle.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';

const KILLS = IS_LONG_RUN ? 100 : 12;
/** Children between two processes that only send what is left; each child adopts what the one before it left, too. */
const LIVES_PER_DRAIN = 4;
const LONGEST_LIFE_MS = 600;

let build: Build;
let redis: RedisServer;
let directory: string;

beforeAll(async () => {
  build = new Build(['test/fault/spool/writer-app.ts']);
  redis = await startRedisServer();
});
afterAll(async () => {
  build.remove();
  await redis.stop();
});
beforeEach(async () => {
  await redis.client().flushall();
  directory = mkdtempSync(join(tmpdir(), 'redis-log-spool-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

function startApp(run: number, url: string): ChildApp {
  const env = { REDIS_URL_UNDER_TEST: url, SPOOL: directory, RUN: String(run) };
  return new ChildApp([build.path('test/fault/spool/writer-app')], env);
}

/** The numbers stored of each run, in the order of the stream. */
async function stored(): Promise<Map<number, number[]>> {
  const runs = new Map<number, number[]>();
  for (const [, fields] of await redis.client().xrange('spooled', '-', '+')) {
    const result = decodeLogRecord(fields);
    if (result.status !== 'ok') throw new Error(result.reason);
    const { run, n } = result.record.attributes as { run: number; n: number };
    expect(result.record.body).toBe(`${run}:${n}`);
    const numbers = runs.get(run) ?? [];
    numbers.push(n);
    runs.set(run, numbers);
  }
  return runs;
}

/**
 * What is in the directory, apart from what was about to become a process' own when that was killed: nothing is in it,
 * not even whose it is, so the next ones let a minute pass before they remove it.
 */
function filesLeft(): string[] {
  const all = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => !path.startsWith('new-'));
}

interface Drained {
  readonly stats: ReturnType<RedisLogWriter['stats']>;
  /** First words of what went wrong on the way. */
  readonly errors: readonly string[];
}

/** A writer that only sends what others left. */
async function drain(): Promise<Drained> {
  const errors: string[] = [];
  const watch = {
    appended: (_: number, errorType: string | undefined) => {
      if (errorType !== undefined) errors.push(errorType);
    },
    stateChanged: () => {},
  };
  const options = {
    connection: redis.url,
    service: { name: 'spool-test' },
    stream: 'spooled',
    spool: { directory },
  };
  const writer = new RedisLogWriter(options, { watch });
  await until(
    () => {
      const { spooled, inFlight } = writer.stats();
      const owners = filesLeft().filter((path) => path.endsWith('owner.json'));
      const isAlone = owners.length === 1 && owners.every((path) => path.startsWith(`${process.pid}-`));
      return isAlone && spooled === 0 && inFlight === 0;
    },
    { timeoutMs: 30_000, what: 'everything left behind to be delivered' },
  );
  await writer.close();
  return { stats: writer.stats(), errors };
}

function lastSafe(app: ChildApp): number {
  return Number(/safe (\d+)\n(?![^]*safe)/.exec(app.stdout)?.[1] ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function expectConsecutive(numbers: readonly number[]): void {
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
}

describe('With a spool', () => {
  it(
    'an application that is killed at any moment loses nothing that was written, and stores nothing twice',
    async () => {
      const random = seeded(Number(process.env['FAULT_SEED'] ?? 1));
      const safe: number[] = [];
      let suppressed = 0;
      for (let run = 0; run < KILLS; run++) {
        const app = startApp(run, redis.url);
        // Some are killed while they start, or send what others left.
        if (random() < 0.7) await app.line('safe');
        await delay(random() * LONGEST_LIFE_MS);
        app.kill('SIGKILL');
        expect((await app.ended).signal).toBe('SIGKILL');
        safe.push(lastSafe(app));
        if (run % LIVES_PER_DRAIN !== LIVES_PER_DRAIN - 1) continue;
        const { stats, errors } = await drain();
        expect(errors).toEqual([]);
        suppressed += stats.duplicatesSuppressed;
      }
      const runs = await stored();
      for (const numbers of runs.values()) expectConsecutive(numbers);
      const lengths = safe.map((_, run) => runs.get(run)?.length ?? 0);
      expect(lengths.map((length, run) => Math.min(length, safe[run] ?? 0))).toEqual(safe);
      expect(filesLeft()).toEqual([]);
      // Not in vain: some had something to lose, and something was found both in Redis and in a spool.
      expect(safe.filter((count) => count > 0).length).toBeGreaterThan(KILLS / 2);
      expect(suppressed).toBeGreaterThan(0);
      if (IS_LONG_RUN) report({ kills: KILLS, safe: sum(safe), stored: sum(lengths), suppressed });
    },
    IS_LONG_RUN ? 600_000 : undefined,
  );

  it('an application that is killed while Redis is away leaves its records to the next one, in order', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    const safe: number[] = [];
    for (let run = 0; run < 3; run++) {
      const app = startApp(run, nowhere);
      await until(() => lastSafe(app) > 500, { timeoutMs: 20_000 });
      app.kill('SIGKILL');
      await app.ended;
      safe.push(lastSafe(app));
    }
    const { recovered, delivered, possibleDuplicates } = (await drain()).stats;
    const runs = await stored();
    for (const [run, numbers] of runs) {
      expectConsecutive(numbers);
      expect(numbers.length).toBeGreaterThanOrEqual(safe[run] ?? Infinity);
    }
    expect([...runs.keys()]).toEqual([0, 1, 2]);
    const total = sum([...runs.values()].map((numbers) => numbers.length));
    expect(recovered).toBe(total);
    expect(delivered).toBe(total);
    expect(possibleDuplicates).toBe(0);
  });

  it('SIGTERM with a Redis that hangs ends in time, and the next process stores the rest exactly once', async () => {
    const app = startApp(0, redis.url);
    await app.line('safe');
    await redis.pause();
    const before = lastSafe(app);
    await until(() => lastSafe(app) > before + 200, { timeoutMs: 20_000 });
    const start = performance.now();
    app.kill('SIGTERM');
    const { code } = await app.ended;
    expect(performance.now() - start).toBeLessThan(5_000);
    await redis.resume();
    expect(code).toBe(0);
    const closed = JSON.parse(/closed (.*)/.exec(app.stdout)?.[1] ?? '{}') as {
      emitted: number;
      delivered: number;
      spooled: number;
      unconfirmed: number;
    };
    expect(closed.spooled).toBeGreaterThan(0);
    expect(closed.delivered + closed.spooled).toBe(closed.emitted);
    await drain();
    const numbers = (await stored()).get(0) ?? [];
    expect(numbers).toHaveLength(closed.emitted);
    expectConsecutive(numbers);
  });

  it('an outage fills the disk and not the memory, and everything arrives in order when it is over', async () => {
    const server = await startRedisServer();
    const writer = new RedisLogWriter({
      connection: server.url,
      service: { name: 'spool-test' },
      stream: 'spooled',
      spool: { directory },
      queue: { maxRecords: 5_000 },
    });
    writer.emit({ attributes: { n: 1 }, body: '0:1' });
    await writer.flush();
    await server.kill();
    let n = 1;
    for (let tick = 0; tick < 60; tick++) {
      for (let i = 0; i < 500; i++) writer.emit({ attributes: { n: ++n }, body: `0:${n}` });
      await until(() => writer.stats().queued === 0, { timeoutMs: 5_000 });
    }
    const during = writer.stats();
    expect(during.spooled + during.inFlight).toBe(n - 1);
    await server.restart();
    const result = await writer.flush({ timeoutMs: 20_000 });
    expect(result).toMatchObject({ dropped: 0, pending: 0, timedOut: false });
    const entries = await server.client().xrange('spooled', '-', '+');
    const numbers = entries.map(([, fields]) => Number(fields[fields.indexOf('n') + 1]));
    // The server had no persistence: what it forgot and what the producer still kept is there again.
    expect(numbers).toEqual(
      Array.from({ length: numbers.length }, (_, index) => n - numbers.length + 1 + index),
    );
    expect(numbers.length).toBeGreaterThanOrEqual(n - 1);
    await writer.close();
    expect(readdirSync(directory)).toEqual([]);
    await server.stop();
  });
});
