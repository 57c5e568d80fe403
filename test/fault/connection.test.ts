import { describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter, seeded, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed } from '../support/oracle-expect.js';
import { freePort } from '../support/free-port.js';
import { startRedisServer } from '../support/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const redis = useRedisServer();

/** The random points are the same in every run; another seed is another set of points. */
const SEED = Number(process.env['FAULT_SEED'] ?? 1);

async function resetAtRandom(proxy: TcpProxy, times: number): Promise<void> {
  const random = seeded(SEED);
  for (let reset = 0; reset < times; reset++) {
    const before = proxy.counts.connections;
    const isUp = random() < 0.5;
    const bytes = Math.ceil(random() * (isUp ? 60_000 : 300));
    await proxy.set({ resetAfterBytes: isUp ? { up: bytes } : { down: bytes } });
    await until(() => proxy.counts.connections > before, { what: `reset ${reset}`, timeoutMs: 10_000 });
  }
  await proxy.heal();
}

describe('Records logged while the connection is being reset', () => {
  it('are all stored, once and in order, after 200 resets at random points under load', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await using oracle = new OracleWriter({ connection: proxy.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    await oracle.delivered(1);
    await resetAtRandom(proxy, 200);
    load.stop();
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(proxy.counts.connections).toBeGreaterThan(200);
    expect(stats.retried).toBeGreaterThan(0);
    expect(stats.duplicatesSuppressed).toBeGreaterThan(0);
  });

  it('are none of them lost with at-least-once delivery, and no more are stored twice than announced', async () => {
    await using proxy = await startTcpProxy(redis.server);
    const options = { connection: proxy.url, delivery: 'at-least-once' } as const;
    await using oracle = new OracleWriter(options, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    await resetAtRandom(proxy, 40);
    load.stop();
    const stats = await expectClosed(oracle);
    const found = await oracle.audit(redis.client);
    expect(found.corrupt).toEqual([]);
    expect(found.unique.size).toBe(oracle.emitted);
    expect(stats).toMatchObject({ delivered: oracle.emitted, delivery: 'at-least-once' });
    expect(found.duplicates).toBeGreaterThan(0);
    expect(found.duplicates).toBeLessThanOrEqual(stats.possibleDuplicates);
  });

  it('are all stored once when the server itself closes the connection', async () => {
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    let killed = 0;
    while (killed < 10) {
      const before = oracle.stats.delivered;
      await until(() => oracle.stats.delivered > before + 50);
      const own = (await redis.client.client('LIST')) as string;
      const id = /^id=(\d+) .*name=nestjs-redis-log /m.exec(own)?.[1];
      if (id !== undefined) killed += Number(await redis.client.client('KILL', 'ID', id));
    }
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });
});

describe('Records logged while Redis cannot be reached', () => {
  it('wait for a server that is started later, and then arrive in order', async () => {
    const port = await freePort();
    await using oracle = new OracleWriter({ connection: `redis://127.0.0.1:${port}` }, IMPATIENT);
    expect(oracle.emit(500)).toBe(500);
    await until(() => oracle.lines.length > 0);
    expect(oracle.stats).toMatchObject({ queued: 500, delivered: 0 });
    await using late = await startRedisServer({ config: [`port ${port}`] });
    oracle.emit(500);
    await oracle.delivered(1_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, late.client({ port }));
    const told = oracle.lines.filter((line) => line.includes('not usable'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('ECONNREFUSED');
    expect(oracle.lines.filter((line) => line.includes('answers again'))).toHaveLength(1);
  });

  it('are stored once when the network swallowed requests and replies without a word', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await using oracle = new OracleWriter({ connection: proxy.url, sendTimeoutMs: 200 }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    const load = startLoad(oracle, 2_000);
    for (const hole of ['down', 'up', true] as const) {
      const before = proxy.counts.connections;
      await proxy.set({ blackHole: hole });
      await until(() => proxy.counts.connections > before, { what: 'a new connection', timeoutMs: 10_000 });
      // What is held back arrives only now, behind a connection that was given up.
      await proxy.heal();
      const { delivered } = oracle.stats;
      await until(() => oracle.stats.delivered > delivered, { timeoutMs: 10_000 });
    }
    load.stop();
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(stats.duplicatesSuppressed + stats.retried).toBeGreaterThan(0);
  });

  it('are stored once when Redis was frozen for longer than a send may take', async () => {
    await using frozen = await startRedisServer();
    await using oracle = new OracleWriter({ connection: frozen.url, sendTimeoutMs: 300 }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    const load = startLoad(oracle, 2_000);
    await frozen.pause();
    const sent = (): number => oracle.stats.inFlight;
    await until(() => oracle.lines.some((line) => line.includes('ETIMEDOUT')), { timeoutMs: 10_000 });
    expect(sent()).toBeGreaterThan(0);
    expect(sent()).toBeLessThanOrEqual(4 * 256);
    await frozen.resume();
    const { delivered } = oracle.stats;
    await oracle.delivered(delivered + 1);
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, frozen.client());
  });

  it('are stored once when this process was busy for longer than a send may take', async () => {
    await using oracle = new OracleWriter({ connection: redis.url, sendTimeoutMs: 100 }, IMPATIENT);
    oracle.emit(10);
    await oracle.delivered(10);
    oracle.emit(50);
    await new Promise(setImmediate);
    expect(oracle.stats.inFlight).toBe(50);
    const busyUntil = performance.now() + 400;
    while (performance.now() < busyUntil);
    await oracle.delivered(60);
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    // The answer was there all the time: nothing had to be asked or sent again.
    expect(stats).toMatchObject({ retried: 0, duplicatesSuppressed: 0 });
    expect(oracle.lines).toEqual([]);
  });
});

describe('A slow connection', () => {
  it('holds up neither log calls nor memory: the number of batches on their way stays within its limit', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await proxy.set({ latencyMs: 40 });
    await using oracle = new OracleWriter({ connection: proxy.url, batch: { maxRecords: 100 } });
    oracle.emit(2_000);
    let most = 0;
    await until(
      () => {
        most = Math.max(most, oracle.stats.inFlight);
        return oracle.stats.delivered === 2_000;
      },
      { timeoutMs: 20_000, intervalMs: 1 },
    );
    expect(most).toBe(400);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('that brings every byte by itself changes nothing', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await proxy.set({ sliceBytes: 1 });
    await using oracle = new OracleWriter({ connection: proxy.url });
    oracle.emit(100);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(proxy.counts.bytesUp).toBeGreaterThan(10_000);
  });
});
