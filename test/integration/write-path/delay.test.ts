import { setTimeout } from 'node:timers/promises';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

it('a record that has waited for company is sent as soon as the line is free, whatever the line did meanwhile', async () => {
  for (let run = 0; run < 12; run++) {
    const stream = `delay:${run}`;
    const writer = new RedisLogWriter({
      connection: redis.url,
      service: { name: 'delay' },
      stream,
      batch: { maxDelayMs: 50 },
    });
    writer.emit({ body: 'first' });
    // Each run closes at another moment: before the delay is over, while the guard is opened, and after.
    await setTimeout(run * 6);
    writer.emit({ body: 'second' });
    const result = await writer.close({ timeoutMs: 3_000 });
    expect(result).toMatchObject({ delivered: 2, pending: 0, timedOut: false });
    expect(await redis.client().xlen(stream)).toBe(2);
  }
});

it.each(['exactly-once', 'at-least-once'] as const)(
  'a batch that is full waits for nothing, while what is left waits for company (%s)',
  async (delivery) => {
    const stream = `full:${delivery}`;
    await using writer = new RedisLogWriter({
      connection: redis.url,
      service: { name: 'delay' },
      stream,
      delivery,
      batch: { maxDelayMs: 60_000, maxRecords: 8 },
    });
    writer.emit({ body: 'the connection is there' });
    await writer.flush();
    for (let i = 0; i < 19; i++) writer.emit({ body: `record ${i}` });
    await until(() => writer.stats().delivered === 17);
    expect(writer.stats()).toMatchObject({ emitted: 20, queued: 3, inFlight: 0 });
    expect(await redis.client().xlen(stream)).toBe(17);
    await writer.flush();
    expect(await redis.client().xlen(stream)).toBe(20);
  },
);
