import { RedisLogWriter } from 'nestjs-redis-log/core';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { DROP_CHANNEL, RETRY_CHANNEL, STATE_CHANNEL } from '../../../src/redis/published-events.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

let server: RedisServer | undefined;
const listening: [string, (event: unknown) => void][] = [];
afterEach(async () => {
  for (const [name, listener] of listening.splice(0)) unsubscribe(name, listener);
  await server?.stop();
  server = undefined;
});

function hear(name: string, also: (event: unknown) => void = () => undefined): unknown[] {
  const heard: unknown[] = [];
  const listener = (event: unknown): void => {
    heard.push(event);
    also(event);
  };
  subscribe(name, listener);
  listening.push([name, listener]);
  return heard;
}

describe('The channels of node:diagnostics_channel', () => {
  it('tell every change of the connection', async () => {
    server = await startRedisServer();
    const states = hear(STATE_CHANNEL);
    const writer = new RedisLogWriter({ connection: server.url, stream: 'logs' });
    writer.emit({ body: 'x' });
    await writer.flush();
    await server.kill();
    await until(() => states.some((event) => (event as { state: string }).state === 'waiting'));
    await server.restart();
    await until(() => states.filter((event) => (event as { state: string }).state === 'ready').length === 2, {
      timeoutMs: 15_000,
    });
    await writer.close();
    expect(states.slice(0, 3)).toEqual([
      { stream: 'logs', state: 'connecting' },
      { stream: 'logs', state: 'ready' },
      { stream: 'logs', state: 'waiting' },
    ]);
    expect(states.at(-1)).toEqual({ stream: 'logs', state: 'closed' });
  });

  it('tell every record that was dropped, one by one, and why', async () => {
    server = await startRedisServer();
    const drops = hear(DROP_CHANNEL);
    const queue = { maxRecords: 10 };
    const writer = new RedisLogWriter({
      connection: server.url,
      stream: 'logs',
      queue,
      sampling: { ratio: 0 },
    });
    for (let n = 0; n < 15; n++) writer.emit({ severityNumber: 17, body: n });
    writer.emit({ severityNumber: 9, body: 'left out' });
    await writer.close();
    writer.emit({ severityNumber: 17, body: 'too late' });
    const reasons = drops.map((event) => (event as { reason: string }).reason);
    expect(reasons.filter((reason) => reason === 'queue_full')).toHaveLength(5);
    expect(reasons.slice(-2)).toEqual(['sampled', 'closed']);
    expect(writer.stats().dropped).toEqual({ queue_full: 5, sampled: 1, closed: 1 });
  });

  it('tell every batch that is sent again, and survive subscribers that throw or log', async () => {
    server = await startRedisServer();
    const proxy = await startTcpProxy(server);
    const writer = new RedisLogWriter({ connection: proxy.url, stream: 'logs', sendTimeoutMs: 200 });
    const retries = hear(RETRY_CHANNEL, () => {
      writer.emit({ body: 'logged by a subscriber' });
      throw new Error('a subscriber that fails');
    });
    const uncaught: unknown[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
    try {
      writer.emit({ body: 'x' });
      await writer.flush();
      await proxy.set({ blackHole: true });
      writer.emit({ body: 'y' });
      await until(() => retries.length > 0);
      await proxy.heal();
      await writer.flush();
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    await writer.close();
    await proxy.close();
    expect(retries[0]).toMatchObject({
      stream: 'logs',
      error: expect.any(String),
      durationMs: expect.any(Number),
    });
    const { emitted, delivered } = writer.stats();
    expect(delivered).toBe(emitted);
    // Node throws what a subscriber threw on the next tick; it is not ours to swallow.
    expect(uncaught.length).toBeGreaterThan(0);
  });
});
