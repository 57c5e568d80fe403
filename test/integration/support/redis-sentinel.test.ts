import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisSentinels, startRedisSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';

describe('Redis Sentinels for tests', () => {
  let sentinels: RedisSentinels;

  beforeAll(async () => {
    sentinels = await startRedisSentinels();
  });

  afterAll(async () => {
    await sentinels.stop();
  });

  it('lead a client to the master, and the replica follows', async () => {
    expect(await sentinels.masterPort()).toBe(sentinels.master.port);
    await sentinels.client().set('key', 'value');

    const replica = sentinels.replica.client();
    expect(await until(() => replica.get('key'))).toBe('value');
  });

  it('make the replica the master when the master is killed', async () => {
    const client = sentinels.client();
    await client.ping();
    await sentinels.master.kill();
    await until(async () => (await sentinels.masterPort()) === sentinels.replica.port, {
      what: 'the failover',
      timeoutMs: 20_000,
    });

    expect(await until(() => client.set('key', 'after'), { timeoutMs: 20_000 })).toBe('OK');
    expect(await sentinels.replica.client().get('key')).toBe('after');
  });
});
