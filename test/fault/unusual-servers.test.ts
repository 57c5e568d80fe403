import dns from 'node:dns';
import { afterEach, describe, expect, it } from 'vitest';
import { systemRuntime } from '../../src/pipeline/runtime.js';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed } from '../support/oracle-expect.js';
import { startRedisServer } from '../support/redis-server.js';
import { startTcpProxy, TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const redis = useRedisServer();

async function said(oracle: OracleWriter, text: string): Promise<string> {
  const find = (): string | undefined => oracle.lines.find((line) => line.includes(text));
  return until(find, { what: text, timeoutMs: 10_000 });
}

describe('A name that nobody can resolve', () => {
  const lookup = dns.lookup;
  afterEach(() => {
    dns.lookup = lookup;
  });

  it('is told with its cause, asked for again each time, and the records follow as soon as it resolves', async () => {
    let questions = 0;
    let isKnown = false;
    const scripted = (name: string, options: unknown, answer: (...found: unknown[]) => void): void => {
      if (name !== 'redis.test') return Reflect.apply(lookup, dns, [name, options, answer]);
      questions++;
      if (isKnown) return Reflect.apply(lookup, dns, ['127.0.0.1', options, answer]);
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
      setImmediate(answer, error);
    };
    dns.lookup = scripted as typeof dns.lookup;
    const connection = `redis://redis.test:${redis.server.port}`;
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    oracle.emit(300);
    expect(await said(oracle, 'not usable')).toContain('ENOTFOUND');
    await until(() => questions > 3);
    expect(oracle.stats).toMatchObject({ queued: 300, delivered: 0 });
    isKnown = true;
    await oracle.delivered(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });
});

describe('A server that has too many clients', () => {
  it('is tried again until there is room: the reason is told, and no record is lost', async () => {
    await using full = await startRedisServer();
    const client = full.client();
    await client.ping();
    await client.config('SET', 'maxclients', '1');
    await using oracle = new OracleWriter({ connection: full.url }, IMPATIENT);
    oracle.emit(300);
    await said(oracle, 'not usable');
    const refused = async (): Promise<number> =>
      Number(/rejected_connections:(\d+)/.exec(await client.info('stats'))?.[1]);
    await until(async () => (await refused()) > 2, { timeoutMs: 10_000 });
    expect(oracle.stats).toMatchObject({ queued: 300, delivered: 0 });
    await client.config('SET', 'maxclients', '100');
    await oracle.delivered(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, client);
  });
});

describe('A server that has no streams', () => {
  it.each(['exactly-once', 'at-least-once'] as const)(
    'has the records wait, says why, and loses none of them: %s',
    async (delivery) => {
      await using old = await startRedisServer({ config: ['rename-command XADD ""'] });
      await using front = await startTcpProxy(old);
      await using oracle = new OracleWriter({ connection: front.url, delivery }, IMPATIENT);
      oracle.emit(300);
      await said(oracle, 'does not know a command');
      const calls = /cmdstat_(evalsha|hsetnx):calls=(\d+)/;
      const tries = async (): Promise<number> =>
        Number(calls.exec(await old.client().info('commandstats'))?.[2] ?? 0);
      await until(async () => (await tries()) > 2, { timeoutMs: 10_000 });
      expect(oracle.stats).toMatchObject({ delivered: 0, dropped: {} });
      await front.close();
      await using newer = new TcpProxy(redis.server, front.port);
      await newer.listen();
      await oracle.delivered(300);
      await expectClosed(oracle);
      if (delivery === 'exactly-once') return expectAllOnce(oracle, redis.client);
      // The connection may have ended before the answer to a try was read: nobody knew then that it was a no.
      const { unique, duplicates } = await oracle.audit(redis.client);
      expect({ stored: unique.size, duplicates }).toEqual({ stored: 300, duplicates: 0 });
      expect(oracle.stats).toMatchObject({ delivered: 300, dropped: {} });
    },
  );
});

describe('A server that evicts keys', () => {
  it('guards and resources among them, gets them again: no record is lost or stored twice', async () => {
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    for (let eviction = 0; eviction < 20; eviction++) {
      const { delivered } = oracle.stats;
      await oracle.delivered(delivered + 20);
      const helpers = await redis.client.keys('{logs:oracle}:*');
      expect(await redis.client.del(...helpers)).toBe(3);
    }
    load.stop();
    oracle.emit();
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(oracle.stats.retried).toBeGreaterThan(0);
    expect(await redis.client.hlen('{logs:oracle}:resources')).toBe(1);
  });
});

describe('A server that comes back after an outage', () => {
  /** Long enough for the waits between two tries to have grown to their longest, of 2 s. */
  const OUTAGE_MS = 5_000;
  const PRODUCERS = 150;
  const BUCKET_MS = 200;

  it('is not stormed by its producers: they come back spread over the longest wait', async () => {
    await using proxy = await startTcpProxy(redis.server);
    const writers = Array.from({ length: PRODUCERS }, () => {
      const writer = new OracleWriter({ connection: proxy.url }, systemRuntime);
      writer.emit();
      return writer;
    });
    await Promise.all(writers.map((writer) => writer.delivered(1)));
    await proxy.set({ refuse: true });
    proxy.cut();
    for (const writer of writers) writer.emit();
    const from = performance.now();
    await until(() => performance.now() - from > OUTAGE_MS, { timeoutMs: 2 * OUTAGE_MS });
    const before = proxy.counts.connections;
    await proxy.heal();
    const buckets = await arrivals(() => proxy.counts.connections - before);
    const mean = PRODUCERS / buckets.length;
    expect(Math.max(...buckets)).toBeLessThan(3 * mean);
    expect(buckets.length).toBeGreaterThan(5);
    for (const writer of writers) await expectClosed(writer);
  });

  /** How many of the producers came in each stretch of time, until all were there. */
  async function arrivals(count: () => number): Promise<number[]> {
    const buckets: number[] = [];
    const from = performance.now();
    let seen = 0;
    await until(
      () => {
        const at = Math.floor((performance.now() - from) / BUCKET_MS);
        while (buckets.length <= at) buckets.push(0);
        const now = count();
        buckets[at] = (buckets[at] ?? 0) + now - seen;
        seen = now;
        return now >= PRODUCERS;
      },
      { timeoutMs: 15_000, what: 'all producers to come back' },
    );
    return buckets;
  }
});
