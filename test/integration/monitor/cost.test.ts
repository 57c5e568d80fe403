import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { onlyInLongRuns, report } from '../../support/long-run.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { watching } from './support.js';

const redis = useRedisServer();
const STREAMS = 100;
const GROUPS = 5;
const ENTRIES = 80;
/** What is left for every group to read. */
const BACKLOG = 40;

/** Microseconds of commands since the last CONFIG RESETSTAT, and of the server's process altogether. */
async function spent(): Promise<{ commandsUs: number; processUs: number }> {
  const [stats, cpu] = [await redis.client.info('commandstats'), await redis.client.info('cpu')];
  const lines = stats.split('\n').filter((line) => !/cmdstat_(?:info|config)\b/.test(line));
  const ofMonitor = stats.split('\n').filter((line) => /cmdstat_info\b/.test(line));
  const microseconds = [...lines, ...ofMonitor].map((line) => Number(/usec=(\d+)/.exec(line)?.[1] ?? 0));
  const seconds = ['used_cpu_user', 'used_cpu_sys'].map((name) =>
    Number(new RegExp(`${name}:([\\d.]+)`).exec(cpu)?.[1]),
  );
  return { commandsUs: sum(microseconds), processUs: sum(seconds) * 1e6 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

async function fill(): Promise<string[]> {
  const streams = Array.from({ length: STREAMS }, (_, index) => `logs:service-${index}`);
  for (const stream of streams) {
    const pipeline = redis.client.pipeline();
    for (let index = 0; index < ENTRIES; index++)
      pipeline.xadd(stream, '*', 'body', `record ${index}`, 'seq', index);
    for (let group = 0; group < GROUPS; group++) {
      pipeline.xgroup('CREATE', stream, `group-${group}`, '0', 'ENTRIESREAD', '0');
      for (const consumer of ['a', 'b']) {
        pipeline.xreadgroup(
          'GROUP',
          `group-${group}`,
          consumer,
          'COUNT',
          (ENTRIES - BACKLOG) / 2,
          'STREAMS',
          stream,
          '>',
        );
      }
    }
    await pipeline.exec();
  }
  return streams;
}

describe('The cost of the monitor', () => {
  it('is less than 1 % of a core for 100 streams of 5 groups that all have a backlog, at the default interval', async () => {
    const streams = await fill();
    await using monitor = watching(redis.url, { streams });
    const first = await monitor.sample();
    expect(first.streams.every(({ groups }) => groups.length === GROUPS)).toBe(true);
    await redis.client.config('RESETSTAT');
    const before = await spent();
    let samples = 0;
    for (let exact = 0; exact < STREAMS * GROUPS; samples++) {
      // The first look at so many backlogs takes a few samples, each within its budget.
      expect(samples).toBeLessThan(20);
      const { streams: seen } = await monitor.sample();
      const lags = seen.flatMap(({ groups }) => groups.map(({ lag }) => lag));
      exact = lags.filter(({ kind }) => kind === 'exact').length;
      for (const lag of lags) expect(lag).toMatchObject({ entries: expect.any(Number) });
    }
    for (let more = 0; more < 5; more++, samples++) {
      const { streams: seen } = await monitor.sample();
      for (const { lag } of seen.flatMap(({ groups }) => groups))
        expect(lag).toEqual({ kind: 'exact', entries: BACKLOG });
    }
    const after = await spent();
    const ofCore = (us: number): number => (us / samples / (monitor.intervalMs * 1000)) * 100;
    const commands = ofCore(after.commandsUs - before.commandsUs);
    const process = ofCore(after.processUs - before.processUs);
    report({ 'percent of a core in commands': commands.toFixed(3), 'in all': process.toFixed(3) });
    expect(commands).toBeGreaterThan(0);
    expect(commands).toBeLessThan(1);
    // The process also reads requests and writes replies; it is counted in steps that vary with the machine.
    expect(process).toBeLessThan(1);
  });

  it('is less than 1 % of a core over a minute of records that come and are read, too', async (context) => {
    onlyInLongRuns(context);
    const streams = await fill();
    await using monitor = watching(redis.url, { streams });
    await monitor.sample();
    const { client } = redis;
    await client.config('RESETSTAT');
    monitor.start();
    for (let second = 0; second < 60; second++) {
      const pipeline = client.pipeline();
      for (const stream of streams) {
        pipeline.xadd(stream, '*', 'body', 'record', 'seq', second);
        pipeline.xreadgroup('GROUP', 'group-0', 'a', 'COUNT', 10, 'STREAMS', stream, '>');
      }
      await Promise.all([pipeline.exec(), delay(1_000)]);
    }
    const stats = await client.info('commandstats');
    const ofMonitor = stats
      .split('\n')
      .filter((line) => /cmdstat_(?:xinfo|time|xlen|xrange|memory|info)/.test(line));
    const percent = (sum(ofMonitor.map((line) => Number(/usec=(\d+)/.exec(line)?.[1] ?? 0))) / 60e6) * 100;
    report({ 'percent of a core over a minute': percent.toFixed(3) });
    expect(percent).toBeLessThan(1);
  }, 120_000);
});
