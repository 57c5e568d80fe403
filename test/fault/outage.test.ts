import { describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed, expectExactlyOnce } from '../support/oracle-expect.js';
import { startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const redis = useRedisServer();

// What an outage costs at 10,000 records a second: test/fault/long-outage.test.ts.
describe('An outage longer than the queue can bridge', () => {
  it('keeps the newest of the errors when nothing but errors waits', async () => {
    await using proxy = await startTcpProxy(redis.server);
    const options = { connection: proxy.url, queue: { maxRecords: 100 } };
    await using oracle = new OracleWriter(options, IMPATIENT);
    oracle.emit(10);
    await oracle.delivered(10);
    await proxy.set({ refuse: true });
    proxy.cut();
    await until(() => oracle.lines.length > 0);
    oracle.emit(4_990);
    expect(oracle.stats).toMatchObject({ queued: 100, dropped: { queue_full: 4_890 } });
    await proxy.heal();
    await expectClosed(oracle);
    const { unique } = await expectExactlyOnce(oracle, redis.client);
    const errors = Array.from({ length: 100 }, (_, at) => 4_010 + at * 10);
    expect([...unique].slice(10)).toEqual(errors);
    const printed = oracle.lines.filter((line) => line.includes('not stored (queue_full)'));
    expect(printed.length).toBeGreaterThan(0);
    expect(printed.length).toBeLessThanOrEqual(20);
  });

  it('keeps the oldest where the newest are to be dropped', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await proxy.set({ refuse: true });
    const queue = { maxRecords: 100, overflow: 'drop-newest' } as const;
    await using oracle = new OracleWriter({ connection: proxy.url, queue }, IMPATIENT);
    expect(oracle.emit(500, 9)).toBe(100);
    await proxy.heal();
    await expectClosed(oracle);
    const { unique } = await expectExactlyOnce(oracle, redis.client);
    expect([...unique]).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it('never lets the queue grow beyond its bytes', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await proxy.set({ refuse: true });
    const queue = { maxBytes: 64 * 1024 };
    await using oracle = new OracleWriter({ connection: proxy.url, queue }, IMPATIENT);
    oracle.emit(10_000);
    const { queued } = oracle.stats;
    expect(queued).toBeGreaterThan(200);
    expect(queued).toBeLessThan((64 * 1024) / 50);
    await proxy.heal();
    await expectClosed(oracle);
    await expectExactlyOnce(oracle, redis.client);
  });
});

describe('Closing', () => {
  it('under load sends everything that was logged before', async () => {
    await using oracle = new OracleWriter({ connection: redis.url });
    oracle.emit(20_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('returns by its deadline while Redis hangs, and says exactly what it could not confirm', async () => {
    await using hung = await startRedisServer();
    await using oracle = new OracleWriter({ connection: hung.url });
    oracle.emit(5_000);
    await oracle.delivered(5_000);
    await hung.pause();
    oracle.emit(5_000);
    await until(() => oracle.stats.inFlight > 0);
    const startedAt = performance.now();
    const result = await oracle.writer.close({ timeoutMs: 500 });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const { stats } = oracle;
    expect(result).toMatchObject({ delivered: 5_000, pending: 0, timedOut: true });
    expect(stats.unconfirmed).toBeGreaterThan(0);
    expect(stats.dropped.closed).toBe(5_000 - stats.unconfirmed);
    await hung.resume();
    const found = await oracle.audit(hung.client());
    expect(found.duplicates).toBe(0);
    expect(found.unique.size).toBeGreaterThanOrEqual(stats.delivered);
    expect(found.unique.size).toBeLessThanOrEqual(stats.delivered + stats.unconfirmed);
  });

  it('returns by its deadline while nothing listens, and counts and prints what is lost', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await proxy.set({ refuse: true });
    await using oracle = new OracleWriter({ connection: proxy.url });
    oracle.emit(100);
    const result = await oracle.writer.close({ timeoutMs: 200 });
    expect(result).toEqual({
      delivered: 0,
      dropped: 100,
      spooled: 0,
      unconfirmed: 0,
      pending: 0,
      timedOut: true,
    });
    expect(oracle.emit()).toBe(0);
    expect(oracle.stats.dropped).toEqual({ closed: 101 });
    expect(oracle.lines.filter((line) => line.includes('not stored (closed)')).length).toBeGreaterThan(0);
  });

  it('is one and the same for all who ask for it, and leaves no connection behind', async () => {
    await using oracle = new OracleWriter({ connection: redis.url });
    oracle.emit(100);
    const [first, second] = await Promise.all([oracle.writer.close(), oracle.writer.close()]);
    expect(first).toBe(second);
    await until(async () => !String(await redis.client.client('LIST')).includes('name=nestjs-redis-log'));
  });

  it('of a writer that never logged returns at once and connects to nothing', async () => {
    await using proxy = await startTcpProxy(redis.server);
    await using oracle = new OracleWriter({ connection: proxy.url });
    expect(await oracle.writer.close({ timeoutMs: 5_000 })).toMatchObject({ delivered: 0, timedOut: false });
    expect(proxy.counts.connections).toBe(0);
  });
});

describe('Flushing', () => {
  it('resolves at its deadline while Redis hangs, loses nothing, and can be done again', async () => {
    await using hung = await startRedisServer();
    await using oracle = new OracleWriter({ connection: hung.url, sendTimeoutMs: 300 }, IMPATIENT);
    oracle.emit(10);
    await oracle.delivered(10);
    await hung.pause();
    oracle.emit(100);
    expect(await oracle.writer.flush({ timeoutMs: 100 })).toMatchObject({ pending: 100, timedOut: true });
    await hung.resume();
    expect(await oracle.writer.flush({ timeoutMs: 10_000 })).toMatchObject({ pending: 0, timedOut: false });
    await expectAllOnce(oracle, hung.client());
  });

  it('waits for what was logged before it, not for what is logged meanwhile', async () => {
    await using oracle = new OracleWriter({ connection: redis.url });
    const load = startLoad(oracle, 20_000);
    oracle.emit(5_000);
    expect(await oracle.writer.flush()).toMatchObject({ timedOut: false });
    expect(oracle.stats.delivered).toBeGreaterThanOrEqual(5_000);
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });
});
