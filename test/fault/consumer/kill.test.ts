import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { describe, expect, it } from 'vitest';
import { killWithThisProcess } from '../../support/child-guard.js';
import { IS_LONG_RUN, report } from '../../support/long-run.js';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { type ChildSettings, GROUP, STREAM } from './protocol.js';

const TYPESCRIPT = new URL('../../soak/typescript.mjs', import.meta.url).href;
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const RECORDS = IS_LONG_RUN ? 1_000_000 : 40_000;
const KILLS = 3;
const WORKERS = 4;
const BATCH = 100;

function startWorker(settings: ChildSettings): ChildProcess {
  const flags = ['--no-warnings', ...(process.features.typescript ? [] : ['--experimental-strip-types'])];
  const child = spawn(process.execPath, [...flags, '--import', TYPESCRIPT, CHILD, JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const release = killWithThisProcess(child);
  child.once('exit', release);
  return child;
}

async function fill(connection: string): Promise<void> {
  await using writer = new RedisLogWriter({
    connection,
    stream: STREAM,
    retention: { maxLength: 2_000_000 },
    service: { name: 'shop' },
  });
  for (let number = 1; number <= RECORDS; number++) {
    writer.emit({ severityNumber: 9, body: `record ${number}`, attributes: { number } });
    if (number % 20_000 === 0) await writer.flush();
  }
  expect(await writer.flush()).toMatchObject({ delivered: RECORDS, pending: 0 });
}

/** SIGKILL. Returns the ids of what the process held when it was gone. */
async function kill(worker: ChildProcess, main: Redis): Promise<string[]> {
  const gone = once(worker, 'exit');
  worker.kill('SIGKILL');
  await gone;
  const consumers = (await main.xinfo('CONSUMERS', STREAM, GROUP)) as unknown[][];
  const names = consumers.map((pairs) => String(pairs[pairs.indexOf('name') + 1]));
  const name = names.find((each) => each.includes(`-${worker.pid}-`));
  if (name === undefined) return [];
  const held = (await main.xpending(STREAM, GROUP, '-', '+', 10_000, name)) as unknown[][];
  return held.map(([id]) => String(id));
}

describe('Worker processes of one group that are killed again and again', () => {
  it(
    'handle every record, handle twice only what a killed one held, and store each exactly once',
    async () => {
      await using redis = await startRedisServer();
      await using sink = await startRedisServer();
      const [main, store] = [redis.client(), sink.client()];
      await fill(redis.url);
      const settings = {
        connection: redis.url,
        sink: sink.url,
        batchSize: BATCH,
        minIdleMs: IS_LONG_RUN ? 5_000 : 1_000,
      };
      const start = performance.now();
      const workers = Array.from({ length: WORKERS }, () => startWorker(settings));
      await until(async () => (await store.hlen('stored')) > 0, { timeoutMs: 30_000 });
      const mayBeTwice = new Set<string>();
      let kills = 0;
      const killOne = async (): Promise<void> => {
        const at = kills++ % WORKERS;
        for (const id of await kill(workers[at] as ChildProcess, main)) mayBeTwice.add(id);
        workers[at] = startWorker(settings);
      };
      if (IS_LONG_RUN) {
        // The seconds are the point here: a kill every two of them, for as long as there is work.
        while ((await store.hlen('stored')) < RECORDS * 0.99) {
          const before = await store.hlen('stored');
          await new Promise((resolve) => setTimeout(resolve, 2_000));
          // On a busy machine a process may take longer than that to start; killing it then would prove nothing.
          await until(async () => (await store.hlen('stored')) > before, { timeoutMs: 60_000 });
          await killOne();
        }
      }
      while (kills < KILLS) {
        const done = (RECORDS * (kills + 1)) / (KILLS + 1);
        await until(async () => (await store.hlen('stored')) >= done, { timeoutMs: 60_000 });
        await killOne();
      }
      const pending = async (): Promise<number> =>
        Number(((await main.xpending(STREAM, GROUP)) as unknown[])[0]);
      await until(async () => (await store.hlen('stored')) === RECORDS && (await pending()) === 0, {
        timeoutMs: 120_000,
        intervalMs: 50,
        what: 'all records',
      });
      const seconds = (performance.now() - start) / 1_000;
      const counts = await store.hgetall('handled');
      const twice = Object.keys(counts).filter((id) => counts[id] !== '1');
      expect(Object.keys(counts)).toHaveLength(RECORDS);
      expect(twice.filter((id) => !mayBeTwice.has(id))).toEqual([]);
      expect(mayBeTwice.size).toBeGreaterThan(0);
      expect(await main.exists(`{${STREAM}}:dlq`)).toBe(0);
      const bodies = new Set(await store.hvals('stored'));
      expect(bodies.size).toBe(RECORDS);
      const ended = workers.map((worker) => once(worker, 'exit'));
      for (const worker of workers) worker.kill('SIGTERM');
      expect(await Promise.all(ended)).toEqual(Array(WORKERS).fill([0, null]));
      report({
        records: RECORDS,
        kills,
        'handled twice': twice.length,
        'held by the killed': mayBeTwice.size,
        seconds: Math.round(seconds),
      });
    },
    IS_LONG_RUN ? 900_000 : 90_000,
  );
});
