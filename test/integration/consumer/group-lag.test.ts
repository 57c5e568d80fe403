import type { Redis } from 'ioredis';
import type { LogConsumerOptions } from 'nestjs-redis-log/consumer';
import { aclRules } from 'nestjs-redis-log/core';
import { InsightsCounter } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { consume, deferred, numbered, type Running, STREAM, write } from './support.js';

const redis = useRedisServer();

async function groupInfo(client: Redis, group: string): Promise<Map<unknown, unknown>> {
  const all = ((await client.xinfo('GROUPS', STREAM)) as unknown[][]).map((flat) => {
    return new Map(flat.flatMap((key, at) => (at % 2 === 0 ? [[key, flat[at + 1]] as const] : [])));
  });
  return all.find((info) => info.get('name') === group) ?? new Map();
}

/** What redis_exporter and KEDA take for the lag, beside what there is to be read. */
async function lags(group = 'etl'): Promise<{ redis: unknown; counted: number }> {
  const info = await groupInfo(redis.client, group);
  const after = await redis.client.xrange(STREAM, `(${String(info.get('last-delivered-id'))}`, '+');
  return { redis: info.get('lag'), counted: after.length };
}

const isMade = async (): Promise<boolean> => {
  if ((await redis.client.exists(STREAM)) === 0) return false;
  return (await groupInfo(redis.client, 'etl')).size > 0;
};

async function expectLag(entries: number): Promise<void> {
  expect(await lags()).toEqual({ redis: entries, counted: entries });
}

/** A consumer comes, makes the group, reads nothing or what there is, and goes. */
async function visit(options: Partial<LogConsumerOptions> = {}): Promise<void> {
  await using running = consume({ connection: redis.url, ...options });
  await until(async () => (await lags()).counted === 0);
  await running.reaches({ held: 0 });
}

/** A consumer that holds one batch of ten and reads no further, while `check` looks. */
async function whileHolding(
  options: Partial<LogConsumerOptions>,
  check: (running: Running) => Promise<void>,
): Promise<void> {
  const gate = deferred();
  const running = consume({ connection: redis.url, batchSize: 10, ...options }, () => gate.promise);
  try {
    await check(running);
  } finally {
    gate.resolve();
    await running[Symbol.asyncDispose]();
  }
}

const add = (count: number): Promise<void> => write({ connection: redis.url }, numbered(count));

async function idAt(index: number): Promise<string> {
  return (await redis.client.xrange(STREAM, '-', '+'))[index]?.[0] ?? '';
}

describe("Redis' own lag of a group that a consumer made is true", () => {
  it('where it begins with the next record to come', async () => {
    await add(60);
    await whileHolding({ from: 'now' }, async (running) => {
      await until(isMade);
      await expectLag(0);
      await add(7);
      await running.reaches({ held: 7 });
      await add(17);
      await expectLag(17);
    });
    await visit();
    await expectLag(0);
    await add(3);
    await expectLag(3);
  });

  it('where it begins with the first record, of a stream that was trimmed before or not', async () => {
    await add(60);
    for (const group of ['etl', 'other']) {
      await whileHolding({ group }, async (running) => {
        await running.reaches({ held: 10 });
        const { counted, redis: told } = await lags(group);
        expect([counted, told]).toEqual([group === 'etl' ? 50 : 15, counted]);
      });
      await redis.client.xtrim(STREAM, 'MAXLEN', '=', 25);
    }
  });

  it('where the stream is trimmed after the group was made and before it has read anything', async () => {
    await add(1);
    await redis.client.xtrim(STREAM, 'MAXLEN', 0);
    {
      await using _running = consume({ connection: redis.url });
      await until(isMade);
    }
    await add(20);
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 8);
    await expectLag(8);
    await visit();
    await add(2);
    await expectLag(2);
  });

  it.each(['start', 'now'])('where there was no stream, from: %s', async (from) => {
    await whileHolding({ from }, async (running) => {
      await until(isMade);
      await expectLag(0);
      await add(4);
      await running.reaches({ held: 4 });
      await add(9);
      await expectLag(9);
    });
  });

  it('where it begins after an entry, also with entries deleted before that one', async () => {
    await add(300);
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 260);
    await redis.client.xdel(STREAM, await idAt(3), await idAt(20));
    await whileHolding({ from: await idAt(100) }, async (running) => {
      await running.reaches({ held: 10 });
      await expectLag(258 - 101 - 10);
    });
    await visit();
    await add(1);
    await expectLag(1);
  });

  it('or not told, where entries further on were deleted or are too many to be counted', async () => {
    await add(6_000);
    const from = await idAt(100);
    await whileHolding({ from }, async (running) => {
      await running.reaches({ held: 10 });
      expect(await lags()).toEqual({ redis: null, counted: 6_000 - 111 });
    });
    await redis.client.xgroup('DESTROY', STREAM, 'etl');
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 100);
    await redis.client.xdel(STREAM, await idAt(50));
    await whileHolding({ from: await idAt(10) }, async (running) => {
      await running.reaches({ held: 10 });
      expect(await lags()).toEqual({ redis: null, counted: 99 - 21 });
    });
  });

  it('where group or stream were deleted under the consumer', async () => {
    await add(100);
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 50);
    let gate = deferred();
    gate.resolve();
    await using running = consume({ connection: redis.url, batchSize: 10 }, () => gate.promise);
    await running.reaches({ acknowledged: 50 });
    gate = deferred();
    await redis.client.xgroup('DESTROY', STREAM, 'etl');
    await add(30);
    await running.reaches({ groupsRecreated: 1, held: 10 });
    await expectLag(20);
    gate.resolve();
    await running.reaches({ acknowledged: 80 });
    await expectLag(0);
    gate = deferred();
    await redis.client.del(STREAM);
    await add(30);
    await running.reaches({ groupsRecreated: 2, held: 10 });
    await expectLag(20);
    gate.resolve();
    await running.reaches({ acknowledged: 110, trimmedUnread: 0 });
  });

  it('where it is the group of the counters of messages', async () => {
    await add(60);
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 25);
    await using counter = new InsightsCounter({ connection: redis.url, stream: STREAM });
    const running = counter.run();
    await until(() => counter.stats().counted === 25);
    await counter.close();
    await running;
    await add(5);
    expect(await lags('redis-log-insights')).toEqual({ redis: 5, counted: 5 });
  });

  it('with the rights of a consumer, who may not count: after an entry, it is not told', async () => {
    await add(30);
    const rules = aclRules({ role: 'consumer', stream: STREAM });
    await redis.client.call('ACL', 'SETUSER', 'etl', 'on', '>secret', ...rules);
    const connection = redis.url.replace('redis://', 'redis://etl:secret@');
    await whileHolding({ connection, from: await idAt(5) }, async (running) => {
      await running.reaches({ held: 10 });
      expect(await lags()).toEqual({ redis: null, counted: 14 });
    });
    await redis.client.xgroup('DESTROY', STREAM, 'etl');
    await whileHolding({ connection, from: 'now' }, async (running) => {
      await until(isMade);
      await add(5);
      await running.reaches({ held: 5 });
      await add(14);
      await expectLag(14);
    });
  });
});

describe('What is lost unread of such a group', () => {
  it.each(['now', 'start', 'middle'])('is counted exactly where it begins at: %s', async (where) => {
    await add(60);
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 40);
    const from = where === 'middle' ? await idAt(20) : where;
    const gate = deferred();
    const options = { connection: redis.url, from, batchSize: 10, minIdleMs: 200 };
    await using running = consume(options, () => gate.promise);
    await until(isMade);
    await add(where === 'now' ? 5 : 1);
    if (where === 'now') await running.reaches({ held: 5 });
    else await running.reaches({ held: 10 });
    await add(50);
    const { counted } = await lags();
    await redis.client.xtrim(STREAM, 'MAXLEN', '=', 15);
    await running.reaches({ trimmedUnread: counted - 15 });
    gate.resolve();
    await until(async () => (await lags()).counted === 0);
    await running.reaches({ held: 0 });
    expect(running.stats.trimmedUnread).toBe(counted - 15);
  });
});
