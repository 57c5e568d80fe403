import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aclRules, RedisLogWriter } from 'nestjs-redis-log/core';
import { LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { killWithThisProcess } from '../../support/child-guard.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { type Counting, startCounting, STREAM, table, whenCounted } from './support.js';
import { countOffline, httpLines } from './traffic.js';

const redis = useRedisServer();
const GROUP = 'redis-log-insights';
const WRITERS = 8;
const LINES_OF_EACH = 4_000;
const TOTAL = WRITERS * LINES_OF_EACH;
const TYPESCRIPT = new URL('../../soak/typescript.mjs', import.meta.url).href;
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** Eight writers at once, and a few records more while `meanwhile` lasts. Resolves with all that they wrote when it is stored. */
async function writeTogether(meanwhile: Promise<unknown> = Promise.resolve()): Promise<string[]> {
  let isOver = false;
  void meanwhile.finally(() => (isOver = true)).catch(() => undefined);
  const written: string[] = [];
  const work = Array.from({ length: WRITERS }, async (_, seed) => {
    await using writer = new RedisLogWriter({
      connection: redis.url,
      stream: STREAM,
      service: { name: 'orders' },
    });
    let own = 0;
    for (const body of httpLines(1_000_000, seed + 1)) {
      if (own >= LINES_OF_EACH && isOver) break;
      writer.emit({ body, severityNumber: 9 });
      written.push(body);
      if (++own % 500 === 0) await writer.flush();
      if (own > LINES_OF_EACH) await delay(5);
    }
    expect(await writer.flush({ timeoutMs: 60_000 })).toMatchObject({ delivered: own });
  });
  await Promise.all(work);
  await meanwhile;
  return written;
}

/** Everything was counted, exactly, and nothing is left to be counted. */
async function expectExact(lines: readonly string[]): Promise<void> {
  await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
  await whenCounted(insights, lines.length, 60_000);
  await until(async () => Number((await redis.client.xpending(STREAM, GROUP))[0]) === 0, {
    timeoutMs: 20_000,
  });
  const common = await insights.common('orders', 'info', '1d', { limit: 100 });
  expect(common.total).toBe(lines.length);
  expect(new Map(table(common))).toEqual(new Map(countOffline(lines)));
}

/** Ends all connections, four times, when Redis has counted something and the answer that says so is under way. */
async function loseReplies(proxy: TcpProxy, counters: readonly Counting[]): Promise<void> {
  await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
  let lost = 0;
  /** Answers are held back for a moment: what Redis has counted, and no counter knows of, is then seen at rest. */
  const loseOne = async (): Promise<boolean> => {
    await proxy.set({ blackHole: 'down' });
    const known = counters.reduce((sum, { counter }) => sum + counter.stats().counted, 0);
    const unknown = (await insights.common(undefined, undefined, '1d')).total - known;
    const isUnderWay = unknown > lost;
    if (isUnderWay) {
      proxy.cut();
      lost = unknown;
    }
    await proxy.set({ blackHole: false });
    return isUnderWay;
  };
  for (let fault = 0; fault < 4; fault++) await until(loseOne, { timeoutMs: 20_000 });
}

describe('Counters', () => {
  it(
    'count each record of 8 concurrent writers once, though replies are lost and connections cut',
    { timeout: 120_000 },
    async () => {
      await using proxy = await startTcpProxy(redis.server);
      await proxy.set({ latencyMs: 20 });
      const options = { connection: proxy.url, minIdleMs: 1_000 };
      await using first = startCounting(options);
      await using second = startCounting(options);
      const lines = await writeTogether(loseReplies(proxy, [first, second]));
      await proxy.set({ latencyMs: 0 });
      await expectExact(lines);
      // Proof that replies were lost: Redis has counted what no counter knows of.
      const known = first.counter.stats().counted + second.counter.stats().counted;
      expect(known).toBeLessThan(lines.length);
    },
  );

  it(
    'that are killed leave nothing uncounted, and nothing is counted twice',
    { timeout: 120_000 },
    async () => {
      const lines = await writeTogether();
      let held = 0;
      for (let kills = 0; kills < 3; kills++) held += await runAndKill();
      expect(held).toBeGreaterThan(0);
      await using counting = startCounting({ connection: redis.url, minIdleMs: 1_000 });
      await expectExact(lines);
      expect(counting.counter.stats().consumer.reclaimed).toBeGreaterThan(0);
      expect(counting.counter.stats().counted).toBeLessThan(TOTAL);
    },
  );

  it('that are closed hand back what they have not counted', async () => {
    const lines = await writeTogether();
    const first = startCounting({ connection: redis.url });
    await first.reaches(1);
    await first[Symbol.asyncDispose]();
    expect(first.counter.stats().counted).toBeLessThan(TOTAL);
    await using second = startCounting({ connection: redis.url });
    await expectExact(lines);
    expect(first.counter.stats().counted + second.counter.stats().counted).toBe(TOTAL);
  });

  it('wait while Redis refuses them, say why, and go on where they were', { timeout: 60_000 }, async () => {
    const rules = aclRules({ role: 'consumer', stream: STREAM });
    await redis.client.call('ACL', 'SETUSER', 'counter', 'on', '>secret', ...rules);
    await redis.client.call('ACL', 'SETUSER', 'counter', '-time');
    const connection = redis.url.replace('redis://', 'redis://counter:secret@');
    await using counting = startCounting({ connection });
    const lines = await writeTogether();
    await until(() => counting.lines.some((line) => line.includes('cannot be counted')), {
      timeoutMs: 10_000,
    });
    expect(counting.counter.stats().counted).toBe(0);
    await redis.client.call('ACL', 'SETUSER', 'counter', '+time');
    await expectExact(lines);
    expect(counting.counter.stats().counted).toBe(TOTAL);
    expect(counting.lines.join()).not.toContain('secret');
  });
});

/** Starts a process that counts, and kills it while it holds records. Returns how many those are. */
async function runAndKill(): Promise<number> {
  const options = { connection: redis.url, stream: STREAM, minIdleMs: 1_000 };
  const flags = ['--no-warnings', ...(process.features.typescript ? [] : ['--experimental-strip-types'])];
  const child = spawn(process.execPath, [...flags, '--import', TYPESCRIPT, CHILD, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const release = killWithThisProcess(child);
  const gone = once(child, 'exit');
  try {
    await using insights = new LogInsights({ connection: redis.url, stream: STREAM });
    const total = async (): Promise<number> => (await insights.common(undefined, undefined, '1d')).total;
    const before = await total();
    const hasCounted = async (): Promise<boolean> => (await total()) > before;
    return await until(async () => ((await hasCounted()) ? heldWhileStopped(child) : 0), {
      timeoutMs: 30_000,
      what: 'a counter to hold records',
    });
  } finally {
    child.kill('SIGKILL');
    await gone;
    release();
  }
}

/** What the stopped process holds; it goes on where that is nothing. */
async function heldWhileStopped(child: ChildProcess): Promise<number> {
  child.kill('SIGSTOP');
  const groups = (await redis.client.xinfo('GROUPS', STREAM)) as unknown[][];
  const consumers = groups.length === 0 ? [] : await redis.client.xinfo('CONSUMERS', STREAM, GROUP);
  const own = (consumers as unknown[][]).find((pairs) => String(pairs[1]).includes(`-${child.pid}-`));
  const pending = own === undefined ? 0 : Number(own[own.indexOf('pending') + 1]);
  if (pending === 0) child.kill('SIGCONT');
  return pending;
}
