import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter, startLoad } from '../support/oracle.js';
import { expectAllOnce, expectClosed, expectExactlyOnce } from '../support/oracle-expect.js';
import { startRedisServer } from '../support/redis-server.js';
import { resp, startScriptedRespServer } from '../support/scripted-resp-server.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const redis = useRedisServer();

async function saysOnce(oracle: OracleWriter, text: string): Promise<void> {
  await until(() => oracle.lines.some((line) => line.includes(text)), { what: text, timeoutMs: 10_000 });
  expect(oracle.lines.filter((line) => line.includes(text))).toHaveLength(1);
}

describe('A server that takes no writes for a while', () => {
  it('because it is at its memory limit, gets all records in order when there is room again', async () => {
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    await redis.client.config('SET', 'maxmemory', '1');
    oracle.emit(1_000);
    await saysOnce(oracle, 'OOM');
    expect(oracle.stats.delivered).toBe(100);
    await redis.client.config('SET', 'maxmemory', '0');
    await oracle.delivered(1_100);
    await saysOnce(oracle, 'stored again');
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(oracle.stats.retried).toBeGreaterThan(0);
  });

  it('because it is a replica, is connected to anew, and gets all records when it is a primary', async () => {
    await using primary = await startRedisServer();
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    const [before] = [await connectionsOf(redis.client)];
    await redis.client.replicaof('127.0.0.1', primary.port);
    oracle.emit(100);
    await until(async () => (await connectionsOf(redis.client)) > before + 3, { timeoutMs: 10_000 });
    // The primary is empty, so the replica has nothing left either: that is what the writer then finds.
    await redis.client.replicaof('NO', 'ONE');
    await oracle.delivered(200);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('because it is still loading its data, is asked again until it has', async () => {
    let isLoading = true;
    await using scripted = await startScriptedRespServer(({ name, args }) => {
      if (name !== 'EVAL' && name !== 'EVALSHA') return undefined;
      if (isLoading) return resp.error('LOADING Redis is loading the dataset in memory');
      const [epoch = ''] = args.slice(10);
      return resp.value(name === 'EVAL' ? ['GUARD', '0', '0-0', epoch] : ['OK', '1-1', '']);
    });
    await using oracle = new OracleWriter({ connection: scripted.url }, IMPATIENT);
    oracle.emit(10);
    await saysOnce(oracle, 'LOADING');
    await until(() => scripted.received('EVAL').length > 2);
    expect(oracle.stats).toMatchObject({ queued: 10, delivered: 0 });
    isLoading = false;
    await oracle.delivered(10);
    expect(scripted.connections).toBe(1);
    expect(await oracle.writer.close()).toMatchObject({ delivered: 10, timedOut: false });
  });
});

describe('A server that forgets', () => {
  it('its scripts under load, gets them again without loss or repetition', async () => {
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    for (let flush = 0; flush < 20; flush++) {
      const { delivered } = oracle.stats;
      await redis.client.script('FLUSH');
      await oracle.delivered(delivered + 20);
    }
    load.stop();
    const stats = await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(stats.retried).toBeGreaterThan(0);
  });

  it('everything (FLUSHALL) under load, gets again what was stored in the last seconds, and resources too', async () => {
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    for (let flush = 0; flush < 5; flush++) {
      const { delivered } = oracle.stats;
      await oracle.delivered(delivered + 200);
      await redis.client.flushall();
    }
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(oracle.stats.retried).toBeGreaterThan(200);
    expect(Object.keys(await redis.client.hgetall('{logs:oracle}:resources'))).toHaveLength(1);
  });

  it('the last second because it was killed, gets that again: nothing is lost or stored twice', async () => {
    await using mortal = await startRedisServer({ appendOnly: true });
    await using oracle = new OracleWriter({ connection: mortal.url }, IMPATIENT);
    const load = startLoad(oracle, 5_000);
    for (let kill = 0; kill < 3; kill++) {
      const { delivered } = oracle.stats;
      await oracle.delivered(delivered + 1_000);
      await mortal.kill();
      await mortal.restart();
    }
    load.stop();
    await expectClosed(oracle);
    await expectAllOnce(oracle, mortal.client());
    expect(oracle.stats.retried).toBeGreaterThan(0);
  });

  it('everything because it was killed without persistence, gets again what it took in the last seconds', async () => {
    await using mortal = await startRedisServer();
    await using oracle = new OracleWriter({ connection: mortal.url }, IMPATIENT);
    oracle.emit(3_000);
    await oracle.delivered(3_000);
    await mortal.kill();
    await mortal.restart();
    oracle.emit(10);
    await until(() => oracle.stats.queued + oracle.stats.inFlight === 0, { timeoutMs: 10_000 });
    await expectClosed(oracle);
    await expectAllOnce(oracle, mortal.client());
  });
});

describe('A key of another type where the stream should be', () => {
  it('makes the records wait, says so, and lets them all in in order once it is gone', async () => {
    await redis.client.set('logs:oracle', 'not a stream');
    await using oracle = new OracleWriter({ connection: redis.url }, IMPATIENT);
    oracle.emit(700);
    await saysOnce(oracle, 'WRONGTYPE');
    expect(oracle.stats).toMatchObject({ delivered: 0, dropped: {} });
    await redis.client.del('logs:oracle');
    await oracle.delivered(700);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
  });

  it('stops only that stream', async () => {
    await redis.client.set('logs:wrong', 'not a stream');
    const stream = (record: { readonly body?: unknown }): string =>
      String(record.body).startsWith('wrong') ? 'logs:wrong' : 'logs:oracle';
    await using oracle = new OracleWriter({ connection: redis.url, stream }, IMPATIENT);
    for (let n = 0; n < 50; n++) {
      oracle.writer.emit({ body: `wrong ${n}` });
      oracle.emit();
    }
    await until(() => oracle.writer.stats().delivered === 50);
    expect(await redis.client.xlen('logs:oracle')).toBe(50);
    expect(oracle.writer.stats().dropped).toEqual({});
    await redis.client.del('logs:wrong');
    await until(() => oracle.writer.stats().delivered === 100);
    expect(await redis.client.xlen('logs:wrong')).toBe(50);
  });
});

describe('A record that cannot be stored', () => {
  it('is set aside and printed, and the records around it are stored in order', async () => {
    await using oracle = new OracleWriter({ connection: redis.url, batch: { maxRecords: 10 } }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    // The last id there can be but one: the next append works, and the one after it fails.
    await redis.client.call('XSETID', 'logs:oracle', '18446744073709551615-18446744073709551614');
    oracle.emit(10);
    await until(() => oracle.stats.queued + oracle.stats.inFlight === 0, { timeoutMs: 10_000 });
    expect(oracle.stats).toMatchObject({ delivered: 101, dropped: { rejected: 9 } });
    expect(oracle.lines.some((line) => line.includes('set aside'))).toBe(true);
    const { unique } = await expectExactlyOnce(oracle, redis.client);
    expect([...unique].at(-1)).toBe(101);
  });
});

async function connectionsOf(client: Redis): Promise<number> {
  const info = await client.info('stats');
  return Number(/^total_connections_received:(\d+)/m.exec(info)?.[1]);
}
