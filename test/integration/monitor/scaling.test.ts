import { ScaleAdvisor } from 'nestjs-redis-log/monitor';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, GROUP, read, STREAM, watching } from './support.js';

const redis = useRedisServer();
const MINUTE = 60_000;
const IDLE_MS = 300;

describe('The advice to scale a real group', () => {
  it('is to have consumers while dead ones hold entries, and none once all is acknowledged', async () => {
    const { client } = redis;
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(client, 800);
    const held: string[] = [];
    for (const consumer of ['a', 'b', 'c']) held.push(...(await read(client, 300, consumer)));
    expect(held).toHaveLength(800);
    await until(async () => Math.min(...(await idleTimes(client))) > IDLE_MS);
    let nowMs = 0;
    const advisors = [2, 0].map(
      (minConsumers) =>
        new ScaleAdvisor({ minConsumers, perConsumerRate: 100, consumerIdleMs: IDLE_MS, now: () => nowMs }),
    );
    await using monitor = watching(redis.url, { consumerIdleMs: IDLE_MS });
    const advise = async () => {
      // A rate is of some time, by the server's clock.
      const before = await serverMs(client);
      await until(async () => (await serverMs(client)) > before + 1);
      const sample = await monitor.sample();
      nowMs += 5 * MINUTE;
      for (const advisor of advisors) advisor.observe(sample);
      return advisors.map((advisor) => advisor.adviceFor(GROUP).desired);
    };
    expect([await advise(), await advise()]).toEqual([
      [2, 1],
      [2, 1],
    ]);
    expect(advisors[0]?.adviceFor(GROUP)).toMatchObject({ decision: 'OUT', lag: 0, pending: 800 });
    await client.xack(STREAM, GROUP, ...held);
    expect(await advise()).toEqual([2, 0]);
    await add(client, 1);
    expect(await advise()).toEqual([2, 1]);
  });
});

async function idleTimes(client: Redis): Promise<number[]> {
  const consumers = (await client.xinfo('CONSUMERS', STREAM, GROUP)) as unknown[][];
  return consumers.map((consumer) => Number(consumer[consumer.indexOf('idle') + 1]));
}

async function serverMs(client: Redis): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}
