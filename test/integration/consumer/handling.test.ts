import { DeadLetterError, LogConsumer, replayDeadLetters } from 'nestjs-redis-log/consumer';
import { beforeEach, describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { until } from '../../support/until.js';
import { deferred, consume, deadLetters, members, numbered, pending, STREAM, write } from './support.js';

const redis = useRedisServer();
let connection: string;
beforeEach(() => {
  connection = redis.url;
});

describe('A handler', () => {
  it('gets every record once, decoded, with id, delivery count, producer and number, in full batches', async () => {
    await write({ connection }, numbered(250), { attributes: { paid: true } });
    const sizes: number[] = [];
    const keys = new Set<string>();
    await using running = consume({ connection, batchSize: 100 }, (batch) => {
      sizes.push(batch.size);
      for (const { id, record, deliveryCount, producer, seq, key } of batch) {
        expect(id).toMatch(/^\d+-\d+$/);
        expect(record.attributes).toEqual({ paid: true });
        expect(record.resource.attributes['service.name']).toBe('shop');
        expect(record.resource.attributes['host.name']).toBeDefined();
        expect(deliveryCount).toBe(1);
        expect(key).toBe(`${producer}:${seq}`);
        keys.add(key);
      }
    });
    await running.reaches({ acknowledged: 250, held: 0 });
    expect(running.handled).toEqual(numbered(250));
    expect(sizes).toEqual([100, 100, 50]);
    expect(keys.size).toBe(250);
    expect(await pending(redis.client)).toBe(0);
  });

  it('gets what there is when the batch is not full after maxWaitMs', async () => {
    const sizes: number[] = [];
    await using running = consume({ connection, batchSize: 100, maxWaitMs: 300 }, ({ size }) =>
      sizes.push(size),
    );
    await until(async () => (await redis.client.exists(STREAM)) === 1);
    const start = performance.now();
    await write({ connection }, numbered(2));
    await write({ connection }, numbered(3, 2));
    await running.reaches({ acknowledged: 5 });
    expect(sizes).toEqual([5]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(290);
  });

  it('acknowledges by item: with the ids that it returns, or by batch.ack; the others come again', async () => {
    await write({ connection }, numbered(10));
    const counts: number[] = [];
    await using running = consume({ connection }, async (batch) => {
      const [first, second] = batch.entries;
      counts.push(batch.size);
      if (batch.size === 1 || first === undefined || second === undefined) return undefined;
      await batch.ack([first.id]);
      expect(await pending(redis.client)).toBe(9);
      return [second.id];
    });
    await running.reaches({ acknowledged: 10, retried: 8, held: 0 });
    expect(counts).toEqual([10, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await pending(redis.client)).toBe(0);
  });

  it('that throws gets its records again, with a higher delivery count', async () => {
    await write({ connection }, numbered(3));
    const deliveries = new Map<string, number[]>();
    await using running = consume({ connection }, (batch) => {
      for (const { deliveryCount, record } of batch) {
        const body = String(record.body);
        deliveries.set(body, [...(deliveries.get(body) ?? []), deliveryCount]);
      }
      if ((batch.entries[0]?.deliveryCount ?? 0) < 3) throw new Error('the sink is away, password=x');
    });
    await running.reaches({ acknowledged: 3, retried: 6, held: 0 });
    expect([...deliveries.values()]).toEqual(Array(3).fill([1, 2, 3]));
    expect(running.lines.join()).toContain('a handler failed: Error');
    expect(running.lines.join()).not.toContain('password');
  });

  it('runs as often at once as concurrency says, and nothing is read ahead of that', async () => {
    await write({ connection }, numbered(20));
    let running = 0;
    let most = 0;
    const release = deferred();
    await using two = consume({ connection, batchSize: 2, concurrency: 2 }, async () => {
      most = Math.max(most, ++running);
      await release.promise;
      running--;
    });
    await until(() => running === 2);
    await until(async () => (await pending(redis.client)) === 4);
    expect(two.stats).toMatchObject({ received: 4, held: 4 });
    release.resolve();
    await two.reaches({ acknowledged: 20 });
    expect(most).toBe(2);
  });
});

describe('A poison record', () => {
  const isPoison = (body: unknown): boolean => body === 'record 3';

  it('goes to the dead letters once, with its reason, and its neighbours are handled; mended, it is replayed', async () => {
    await write({ connection }, numbered(10));
    const fields = (await redis.client.xrange(STREAM, '-', '+'))[3];
    await using running = consume({ connection, maxDeliveries: 3 }, (batch) => {
      for (const { record } of batch) {
        if (isPoison(record.body)) throw new TypeError('cannot parse redis://u:secret@h\nline two');
      }
    });
    await running.reaches({ deadLettered: 1, acknowledged: 9, held: 0 });
    expect(new Set(running.handled)).toEqual(new Set(numbered(10).filter((body) => !isPoison(body))));
    const [letter, ...others] = await deadLetters(redis.client);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      '@dlq.id': fields?.[0],
      '@dlq.group': 'etl',
      '@dlq.reason': 'max-deliveries',
      '@dlq.error': 'TypeError: cannot parse redis://[Redacted]@h',
      '@dlq.deliveries': '3',
      body: 'record 3',
    });
    expect(await pending(redis.client)).toBe(0);
    await running.consumer.close();
    await using mended = consume({ connection });
    expect(await replayDeadLetters({ connection, stream: STREAM, group: 'etl' })).toEqual({
      replayed: 1,
      failed: 0,
    });
    await mended.reaches({ acknowledged: 1 });
    expect(mended.handled).toEqual(['record 3']);
    const last = (await redis.client.xrevrange(STREAM, '+', '-', 'COUNT', 1))[0];
    expect(last?.[1]).toEqual(fields?.[1]);
    expect(await replayDeadLetters({ connection, stream: STREAM })).toEqual({ replayed: 0, failed: 0 });
  });

  it('on which DeadLetterError is thrown goes there at once, whether it is named or not', async () => {
    for (const isNamed of [true, false]) {
      await redis.client.flushall();
      await write({ connection }, numbered(10));
      await using running = consume({ connection }, (batch) => {
        for (const { id, record } of batch) {
          if (isPoison(record.body))
            throw new DeadLetterError('no such customer', isNamed ? { ids: [id] } : {});
        }
      });
      await running.reaches({ deadLettered: 1, acknowledged: 9, held: 0 });
      const letters = await deadLetters(redis.client);
      expect(letters).toMatchObject([
        { body: 'record 3', '@dlq.reason': 'rejected', '@dlq.error': 'DeadLetterError: no such customer' },
      ]);
      expect(new Set(running.handled).size).toBe(9);
    }
  });

  it('that can be handled elsewhere is given to a function, and stays where that throws', async () => {
    await write({ connection }, ['a', 'b']);
    await using running = consume({ connection, batchSize: 1 }, () => {
      throw new DeadLetterError('later');
    });
    await running.reaches({ deadLettered: 2 });
    const seen: unknown[] = [];
    const handler = ({
      record,
      reason,
      group,
      deliveryCount,
    }: {
      record: { body?: unknown } | undefined;
      reason: string;
      group: string;
      deliveryCount: number;
    }): void => {
      seen.push([record?.body, reason, group, deliveryCount]);
      if (record?.body === 'b') throw new Error('not yet');
    };
    const options = { connection, stream: STREAM };
    expect(await replayDeadLetters({ ...options, group: 'other', handler })).toEqual({
      replayed: 0,
      failed: 0,
    });
    expect(await replayDeadLetters({ ...options, handler })).toEqual({ replayed: 1, failed: 1 });
    expect(seen).toEqual([
      ['a', 'rejected', 'etl', 1],
      ['b', 'rejected', 'etl', 1],
    ]);
    expect(await deadLetters(redis.client)).toMatchObject([{ body: 'b' }]);
  });

  it('that is put back by two at once is put back once', async () => {
    await write({ connection }, numbered(50));
    await using running = consume({ connection }, () => {
      throw new DeadLetterError('all of it');
    });
    await running.reaches({ deadLettered: 50 });
    await running.consumer.close();
    const both = await Promise.all([1, 2].map(() => replayDeadLetters({ connection, stream: STREAM })));
    expect(both.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(50);
    expect(await redis.client.xlen(STREAM)).toBe(100);
    expect(await redis.client.xlen(`{${STREAM}}:dlq`)).toBe(0);
  });

  it('that cannot be decoded goes there byte by byte, and is never just acknowledged', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0a]);
    await write({ connection }, ['before']);
    await redis.client.xadd(STREAM, '*', 'timestamp', 'no time', 'blob', bytes);
    const many = Array.from({ length: 9_000 }, (_, at) => String(at));
    await redis.client.xadd(STREAM, '*', ...many);
    await write({ connection }, ['after']);
    await using running = consume({ connection });
    await running.reaches({ acknowledged: 2, deadLettered: 2, held: 0 });
    expect(running.handled).toEqual(['before', 'after']);
    const letters = await redis.client.xrangeBuffer(`{${STREAM}}:dlq`, '-', '+');
    expect(letters[0]?.[1].slice(12)).toEqual([
      Buffer.from('timestamp'),
      Buffer.from('no time'),
      Buffer.from('blob'),
      bytes,
    ]);
    expect(letters[0]?.[1].slice(6, 8).map(String)).toEqual(['@dlq.reason', 'undecodable']);
    expect(letters[1]?.[1].slice(12, 13).map(String)).toEqual(['@dlq.packed']);
  });

  it('stays pending where the dead letters cannot be written, loudly, and the others go on', async () => {
    await redis.client.set(`{${STREAM}}:dlq`, 'not a stream');
    await write({ connection }, numbered(5));
    await using running = consume({ connection, batchSize: 1, minIdleMs: 200 }, (batch) => {
      if (isPoison(batch.entries[0]?.record.body)) throw new DeadLetterError('bad');
    });
    await running.reaches({ acknowledged: 4, held: 0 });
    await until(() => running.lines.some((line) => line.includes('could not be moved to the dead letters')));
    expect(await pending(redis.client)).toBe(1);
    await redis.client.del(`{${STREAM}}:dlq`);
    await running.reaches({ deadLettered: 1 });
    expect(await pending(redis.client)).toBe(0);
  });
});

describe('A loop over batches', () => {
  it('acknowledges what it says; what it leaves open comes again; leaving it closes the consumer', async () => {
    await write({ connection }, numbered(6));
    const consumer = new LogConsumer({
      connection,
      stream: STREAM,
      group: 'etl',
      maxWaitMs: 5,
      retry: { minDelayMs: 1 },
    });
    const seen: [unknown, number][] = [];
    for await (const batch of consumer) {
      for (const { record, deliveryCount } of batch) seen.push([record.body, deliveryCount]);
      if (batch.size > 1) await batch.ack(batch.entries.slice(0, 4).map(({ id }) => id));
      else await batch.ack();
      if (seen.length === 8) break;
    }
    expect(seen.slice(0, 6)).toEqual(numbered(6).map((body) => [body, 1]));
    expect(seen.slice(6)).toEqual([
      ['record 4', 2],
      ['record 5', 2],
    ]);
    expect(consumer.stats()).toMatchObject({ acknowledged: 6, handedBack: 0 });
    expect(await members(redis.client)).toEqual([]);
  });

  it('that is left in the middle hands back what was not acknowledged', async () => {
    await write({ connection }, numbered(6));
    const consumer = new LogConsumer({
      connection,
      stream: STREAM,
      group: 'etl',
      maxWaitMs: 5,
      batchSize: 2,
    });
    for await (const batch of consumer) {
      expect(batch.size).toBe(2);
      break;
    }
    expect(await pending(redis.client)).toBe(2);
    await using running = consume({ connection, minIdleMs: 30_000 });
    await running.reaches({ acknowledged: 6, reclaimed: 2 });
  });

  it('can be one of several, which share the batches', async () => {
    await write({ connection }, numbered(100));
    const consumer = new LogConsumer({
      connection,
      stream: STREAM,
      group: 'etl',
      maxWaitMs: 5,
      batchSize: 5,
      concurrency: 3,
    });
    const seen = new Set<unknown>();
    const loop = async (): Promise<void> => {
      for await (const batch of consumer) {
        for (const { record } of batch) seen.add(record.body);
        await batch.ack();
      }
    };
    const loops = [loop(), loop(), loop()];
    await until(() => consumer.stats().acknowledged === 100);
    await consumer.close();
    await Promise.all(loops);
    expect(seen.size).toBe(100);
  });
});

describe('A group', () => {
  it('begins with the first record, with the next one, or after an id', async () => {
    await write({ connection }, ['a', 'b', 'c']);
    const second = (await redis.client.xrange(STREAM, '-', '+'))[1]?.[0] ?? '';
    await using start = consume({ connection, group: 'start' });
    await using now = consume({ connection, group: 'now', from: 'now' });
    await using after = consume({ connection, group: 'after', from: second });
    await until(async () => ((await redis.client.xinfo('GROUPS', STREAM)) as unknown[]).length === 3);
    await write({ connection }, ['d']);
    await start.reaches({ acknowledged: 4 });
    await now.reaches({ acknowledged: 1 });
    await after.reaches({ acknowledged: 2 });
    expect(now.handled).toEqual(['d']);
    expect(after.handled).toEqual(['c', 'd']);
    const [info] = (await redis.client.xinfo('GROUPS', STREAM)) as unknown[][];
    expect(info?.slice(-2)).toEqual(['lag', 0]);
  });

  it('shares its records among consumers of one process, each under its own name', async () => {
    await write({ connection }, numbered(500));
    const work = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await using one = consume({ connection, batchSize: 10 }, work);
    await using two = consume({ connection, batchSize: 10 }, work);
    await until(() => one.stats.acknowledged + two.stats.acknowledged === 500);
    expect(new Set([...one.handled, ...two.handled]).size).toBe(500);
    expect(one.stats.acknowledged * two.stats.acknowledged).toBeGreaterThan(0);
    expect(one.consumer.name).not.toBe(two.consumer.name);
  });

  it('can be consumed by a plain XREADGROUP too', async () => {
    await write({ connection }, numbered(4));
    await using running = consume(
      { connection, batchSize: 1 },
      () => new Promise((resolve) => setTimeout(resolve, 5)),
    );
    await running.reaches({ acknowledged: 1 });
    const plain = redis.client;
    const reply = (await plain.xreadgroup(
      'GROUP',
      'etl',
      'redis-cli',
      'COUNT',
      1,
      'STREAMS',
      STREAM,
      '>',
    )) as [string, [string, string[]][]][];
    const [id, fields] = reply[0]?.[1][0] ?? ['', []];
    expect(fields[fields.indexOf('body') + 1]).toMatch(/^record \d$/);
    await plain.xack(STREAM, 'etl', id);
    await running.reaches({ acknowledged: 3 });
    expect(await pending(plain)).toBe(0);
  });
});

describe('De-duplication', () => {
  it('skips a record that the group has acknowledged under another entry id, in whichever process', async () => {
    await write({ connection }, numbered(100));
    const stored = await redis.client.xrange(STREAM, '-', '+');
    await using first = consume({ connection, deduplicate: true, batchSize: 7, concurrency: 3 });
    await first.reaches({ acknowledged: 100 });
    await first.consumer.close();
    for (const [, fields] of stored) await redis.client.xadd(STREAM, '*', ...fields);
    await write({ connection }, ['new']);
    await using second = consume({ connection, deduplicate: true });
    await second.reaches({ acknowledged: 1, duplicates: 100 });
    expect(second.handled).toEqual(['new']);
    expect(await pending(redis.client)).toBe(0);
    const notes = await redis.client.keys(`{${STREAM}}:handled:etl:*`);
    expect(notes).toHaveLength(2);
    expect(await redis.client.mget(notes)).toEqual(expect.arrayContaining(['1-100', '1-1']));
    expect(await redis.client.pttl(notes[0] ?? '')).toBeGreaterThan(6 * 86_400_000);
  });

  it('does not take a record for handled that only a later one has overtaken, or that was a dead letter', async () => {
    await write({ connection }, numbered(5));
    await using running = consume({ connection, deduplicate: true, batchSize: 1 }, (batch) => {
      if (batch.entries[0]?.record.body === 'record 1' && running.stats.deadLettered === 0)
        throw new DeadLetterError('x');
    });
    await running.reaches({ acknowledged: 4, deadLettered: 1 });
    await replayDeadLetters({ connection, stream: STREAM });
    await running.reaches({ acknowledged: 5, duplicates: 0 });
    expect(running.handled.at(-1)).toBe('record 1');
  });
});

describe('A consumer that closes', () => {
  it('lets its handler finish, acknowledges, and takes its name with it', async () => {
    await write({ connection }, numbered(3));
    const release = deferred();
    await using running = consume({ connection }, () => release.promise);
    await running.reaches({ held: 3 });
    const closed = running.consumer.close();
    release.resolve();
    await closed;
    expect(running.stats).toMatchObject({ acknowledged: 3, handedBack: 0, held: 0 });
    expect(await members(redis.client)).toEqual([]);
  });

  it('hands back in time what its handler does not finish, and the next one has it at once', async () => {
    await write({ connection }, numbered(3));
    let aborted = false;
    await using stuck = consume({ connection, minIdleMs: 30_000 }, (batch) => {
      batch.signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    });
    await stuck.reaches({ held: 3 });
    const start = performance.now();
    await stuck.consumer.close({ timeoutMs: 400 });
    expect(performance.now() - start).toBeLessThan(600);
    expect(aborted).toBe(true);
    expect(stuck.stats.handedBack).toBe(3);
    const counts: number[] = [];
    await using next = consume({ connection, minIdleMs: 30_000 }, ({ entries }) => {
      for (const { deliveryCount } of entries) counts.push(deliveryCount);
    });
    await next.reaches({ acknowledged: 3 }, 3_000);
    expect(counts).toEqual([2, 2, 2]);
  });

  it('closes in time when Redis does not answer', async () => {
    await using running = consume({ connection });
    await until(async () => (await members(redis.client)).length === 1);
    await redis.server.pause();
    const start = performance.now();
    await running.consumer.close({ timeoutMs: 300 });
    await redis.server.resume();
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('cannot be run again, and says so', async () => {
    const consumer = new LogConsumer({ connection, group: 'g' });
    await consumer.close();
    await expect(consumer.run(() => undefined)).rejects.toMatchObject({ code: 'REDIS_LOG_MISUSED' });
  });
});
