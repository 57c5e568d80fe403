import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { ScaleAdvisor, scaleEndpoint } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, GROUP, pairs, read, STREAM, watching } from './support.js';

const redis = useRedisServer();

async function fields(...command: [string, ...string[]]): Promise<Map<string, unknown>> {
  const [name, ...args] = command;
  return new Map(pairs((await redis.client.call(name, ...args)) as unknown[]));
}

async function rows(...command: [string, ...string[]]): Promise<Map<string, unknown>[]> {
  const [name, ...args] = command;
  return ((await redis.client.call(name, ...args)) as unknown[][]).map((row) => new Map(pairs(row)));
}

/** A stream of ours with 300 records: 120 delivered to two consumers, 20 of them acknowledged. */
async function written(): Promise<void> {
  await using writer = new RedisLogWriter({
    connection: redis.url,
    stream: STREAM,
    service: { name: 'shop' },
  });
  for (let index = 0; index < 300; index++) writer.emit({ severityNumber: 9, body: `order ${index}` });
  await writer.flush();
  await redis.client.xgroup('CREATE', STREAM, GROUP, '0', 'ENTRIESREAD', '0');
  const ids = await read(redis.client, 70, 'c1');
  await read(redis.client, 50, 'c2');
  await redis.client.xack(STREAM, GROUP, ...ids.slice(0, 20));
}

describe('What other tools ask is right on our streams', () => {
  it('redis_exporter: XINFO STREAM, XINFO GROUPS and XINFO CONSUMERS', async () => {
    await written();
    const stream = await fields('xinfo', 'STREAM', STREAM);
    expect(stream.get('length')).toBe(300);
    expect(stream.get('entries-added')).toBe(300);
    expect(stream.get('groups')).toBe(1);
    expect(stream.get('max-deleted-entry-id')).toBe('0-0');
    expect(Number(stream.get('radix-tree-keys'))).toBeGreaterThan(0);
    const [first] = stream.get('first-entry') as [string];
    const [last] = stream.get('last-entry') as [string];
    expect([last, Number.parseInt(first, 10) > 1e12]).toEqual([stream.get('last-generated-id'), true]);
    const [group] = await rows('xinfo', 'GROUPS', STREAM);
    expect(Object.fromEntries(group ?? [])).toMatchObject({
      name: GROUP,
      consumers: 2,
      pending: 100,
      lag: 180,
    });
    expect(group?.get('entries-read')).toBe(120);
    const consumers = await rows('xinfo', 'CONSUMERS', STREAM, GROUP);
    expect(consumers.map((row) => [row.get('name'), row.get('pending')])).toEqual([
      ['c1', 50],
      ['c2', 50],
    ]);
  });

  it('KEDA: the lag of the group, its pending entries, and the length', async () => {
    await written();
    // By lagCount, pendingEntriesCount and streamLength.
    const groups = await rows('xinfo', 'GROUPS', STREAM);
    expect(groups.find((group) => group.get('name') === GROUP)?.get('lag')).toBe(180);
    const [pending] = (await redis.client.call('xpending', STREAM, GROUP)) as [number];
    expect(pending).toBe(100);
    expect(await redis.client.call('xlen', STREAM)).toBe(300);
  });

  it('and after trimming past the group as well, once it is healed', async () => {
    await written();
    await redis.client.xtrim(STREAM, 'MAXLEN', 50);
    await read(redis.client, 10);
    const lagSeenByOthers = async (): Promise<unknown> =>
      (await rows('xinfo', 'GROUPS', STREAM))[0]?.get('lag');
    expect(await lagSeenByOthers()).toBe(170);
    await using monitor = watching(redis.url, { heal: true });
    await monitor.sample();
    expect(await lagSeenByOthers()).toBe(40);
  });
});

describe('The JSON for KEDA', () => {
  it('has the figure that metrics-api reads, and says what is missing', async () => {
    await redis.client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await add(redis.client, 1_000);
    await read(redis.client, 10);
    await using monitor = watching(redis.url);
    const advisor = new ScaleAdvisor({ perConsumerRate: 1, drainMs: 300_000 });
    const server = createServer(scaleEndpoint(advisor));
    const ask = await asking(server);
    try {
      expect(await ask(`?group=${GROUP}`)).toMatchObject({ status: 404 });
      monitor.onSample((sample) => advisor.observe(sample));
      await monitor.sample();
      await add(redis.client, 1);
      await monitor.sample();
      const { status, body, type } = await ask(`?group=${GROUP}&stream=${STREAM}`);
      expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
      expect(body).toMatchObject({ stream: STREAM, group: GROUP, decision: 'OUT', consumers: 1, lag: 991 });
      expect(body['desired']).toBe(10);
      expect(body['reason']).toMatch(/991 entries wait/);
      expect(await ask('')).toMatchObject({ status: 400 });
      expect(await ask('?group=none')).toMatchObject({ status: 404 });
      expect(await ask(`?group=${GROUP}`, 'POST')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
    } finally {
      server.close();
    }
  });
});

async function asking(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scale`;
  return async (query: string, method = 'GET') => {
    const response = await fetch(base + query, { method });
    const body = (await response.json()) as Record<string, unknown>;
    const { status, headers } = response;
    return { status, type: headers.get('content-type'), allow: headers.get('allow'), body };
  };
}
