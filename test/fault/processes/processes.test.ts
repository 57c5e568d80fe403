import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeLogRecord } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const RECORDS = 1_000;
const redis = useRedisServer();
let build: Build;

beforeAll(() => {
  build = new Build(['test/fault/processes/threads-app.ts']);
});
afterAll(() => build.remove());

/** The numbers stored of each writer, and under which producer ids, in the order of the stream. */
async function stored(stream: string): Promise<Map<string, { numbers: number[]; producers: Set<string> }>> {
  const found = new Map<string, { numbers: number[]; producers: Set<string> }>();
  for (const [, fields] of await redis.client.xrange(stream, '-', '+')) {
    const decoded = decodeLogRecord(fields);
    if (decoded.status !== 'ok') throw new Error(decoded.reason);
    const { who, n } = decoded.record.attributes as { who: string; n: number };
    const { numbers, producers } = found.get(who) ?? { numbers: [], producers: new Set<string>() };
    numbers.push(n);
    producers.add(decoded.producer ?? '');
    found.set(who, { numbers, producers });
  }
  return found;
}

it('A process, its threads and a forked child are producers of their own, also on one spool: every record once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'redis-log-threads-'));
  const env = { REDIS_URL_UNDER_TEST: redis.url, SPOOL: directory, RECORDS: String(RECORDS) };
  const app = new ChildApp([build.path('test/fault/processes/threads-app')], env);
  expect(await app.ended).toEqual({ code: 0, signal: null });
  expect(app.stdout).toContain('done all');
  expect(app.stderr).toBe('');
  const found = await stored('logs:threads');
  expect([...found.keys()].toSorted()).toEqual(['child', 'main', 'thread 1', 'thread 2']);
  for (const { numbers, producers } of found.values()) {
    expect(numbers).toEqual(Array.from({ length: RECORDS }, (_, at) => at + 1));
    expect(producers.size).toBe(1);
  }
  expect(new Set([...found.values()].flatMap(({ producers }) => [...producers])).size).toBe(4);
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
});

it('Two copies of the package in one process, as hot reload makes them, are two producers and one exit listener', async () => {
  const before = process.listenerCount('exit');
  const signals = ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection'];
  const handlers = signals.map((name) => process.listenerCount(name));
  const [one, other] = [await import('nestjs-redis-log/core'), await freshCopy()];
  expect(one.RedisLogWriter).not.toBe(other.RedisLogWriter);
  const writers = [one, other, other].map(({ RedisLogWriter }, at) => {
    const writer = new RedisLogWriter({ connection: redis.url, stream: 'logs:copies' });
    for (let n = 1; n <= RECORDS; n++) writer.emit({ body: 'x', attributes: { who: String(at), n } });
    return writer;
  });
  expect(process.listenerCount('exit')).toBe(before + 1);
  expect(signals.map((name) => process.listenerCount(name))).toEqual(handlers);
  await Promise.all(writers.map((writer) => writer.close()));
  const found = await stored('logs:copies');
  for (const { numbers } of found.values()) {
    expect(numbers).toEqual(Array.from({ length: RECORDS }, (_, at) => at + 1));
  }
  expect(new Set([...found.values()].flatMap(({ producers }) => [...producers])).size).toBe(3);
});

async function freshCopy(): Promise<typeof import('nestjs-redis-log/core')> {
  vi.resetModules();
  return import('nestjs-redis-log/core');
}
