import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeLogRecord, RedisLogWriter } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';

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

/** A process that only sends what others left. */
async function drain(): Promise<ReturnType<RedisLogWriter['stats']>> {
  const writer = new RedisLogWriter({
    connection: redis.url,
    service: { name: 'spool-test' },
    stream: 'spooled',
    spool: { directory },
  });
  await until(
    () => {
      const { spooled, inFlight, recovered } = writer.stats();
      return recovered > 0 && spooled === 0 && inFlight === 0;
    },
    { timeoutMs: 30_000, what: 'everything left behind to be delivered' },
  ).catch(() => undefined);
  await writer.close();
  return writer.stats();
}

function lastSafe(app: ChildApp): number {
  return Number(/safe (\d+)\n(?![^]*safe)/.exec(app.stdout)?.[1] ?? 0);
}

function expectConsecutive(numbers: readonly number[]): void {
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
}

describe('With a spool', () => {
  it('an application that is killed at any moment loses nothing that was written, and stores nothing twice', async () => {
    let safeInAll = 0;
    for (let run = 0; run < 12; run++) {
      const app = startApp(run, redis.url);
      await app.line('safe');
      await delay(run * 13);
      app.kill('SIGKILL');
      expect((await app.ended).signal).toBe('SIGKILL');
      const safe = lastSafe(app);
      expect(safe).toBeGreaterThan(0);
      safeInAll += safe;
      if (run % 4 === 3) await drain();
      if (run % 4 !== 3) continue;
      const numbers = (await stored()).get(run) ?? [];
      expect(numbers.length).toBeGreaterThanOrEqual(safe);
    }
    const runs = await stored();
    expect(runs.size).toBe(12);
    for (const numbers of runs.values()) expectConsecutive(numbers);
    const total = [...runs.values()].reduce((sum, numbers) => sum + numbers.length, 0);
    expect(total).toBeGreaterThanOrEqual(safeInAll);
    expect(readdirSync(directory)).toEqual([]);
  });

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
    const { recovered, delivered, possibleDuplicates } = await drain();
    const runs = await stored();
    for (const [run, numbers] of runs) {
      expectConsecutive(numbers);
      expect(numbers.length).toBeGreaterThanOrEqual(safe[run] ?? Infinity);
    }
    expect([...runs.keys()]).toEqual([0, 1, 2]);
    const total = [...runs.values()].reduce((sum, numbers) => sum + numbers.length, 0);
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
