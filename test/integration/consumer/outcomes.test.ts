import { DeadLetterError, LogBatch, LogConsumer, type LogHandler } from 'nestjs-redis-log/consumer';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { consume, deadLetters, deferred, numbered, pending, STREAM, write } from './support.js';

const redis = useRedisServer();
let connection: string;
beforeEach(() => {
  connection = redis.url;
});

const idsOf = (batch: LogBatch): string[] => batch.entries.map(({ id }) => id);

describe('What a handler resolves with', () => {
  const onlyFirst = (makeResult: (batch: LogBatch) => unknown): { handler: LogHandler; sizes: number[] } => {
    const sizes: number[] = [];
    const handler: LogHandler = (batch) => {
      sizes.push(batch.size);
      return sizes.length === 1 ? makeResult(batch) : undefined;
    };
    return { handler, sizes };
  };

  it.each([
    ['of Promise.all of nothing in particular', () => [undefined, undefined]],
    ['of numbers', () => [1, 2, 3]],
    ['of keys from the sink', () => ['6f9619ff-8b86-d011-b42d-00c04fc964ff']],
    ['of keys in a Set', () => new Set(['42', '43'])],
    ['of things', () => [{}]],
  ])('is no list of ids where it is a list %s: all is acknowledged', async (_, result) => {
    await write({ connection }, numbered(4));
    const { handler, sizes } = onlyFirst(result);
    await using running = consume({ connection }, handler);
    await running.reaches({ acknowledged: 4, retried: 0, held: 0 });
    expect(sizes).toEqual([4]);
  });

  it.each([
    ['an array', (batch: LogBatch) => idsOf(batch).slice(0, 3)],
    ['a Set', (batch: LogBatch) => new Set(idsOf(batch).slice(0, 3))],
    ['an array with gaps', (batch: LogBatch) => [undefined, ...idsOf(batch).slice(0, 3)]],
  ])('acknowledges by item where it is %s of ids of the batch', async (_, result) => {
    await write({ connection }, numbered(4));
    const { handler, sizes } = onlyFirst(result);
    await using running = consume({ connection }, handler);
    await running.reaches({ acknowledged: 4, retried: 1, held: 0 });
    expect(sizes).toEqual([4, 1]);
  });

  it.each([
    ['an empty array', () => []],
    ['an empty Set', () => new Set()],
    ['ids of another batch', () => ['1-1', '2-2']],
  ])('acknowledges nothing where it is %s, since nothing may be lost', async (_, result) => {
    await write({ connection }, numbered(4));
    const { handler, sizes } = onlyFirst(result);
    await using running = consume({ connection }, handler);
    await running.reaches({ acknowledged: 4, retried: 4, held: 0 });
    expect(sizes).toEqual([4, 1, 1, 1, 1]);
  });

  it('is warned of once where it may be meant otherwise, with what to do', async () => {
    await write({ connection }, numbered(20));
    await using empty = consume({ connection, group: 'empty', batchSize: 2, maxDeliveries: 2 }, () => []);
    await empty.reaches({ deadLettered: 20 });
    expect(empty.lines.filter((line) => line.includes('empty list'))).toHaveLength(1);
    expect(empty.lines.join()).toContain('resolve with nothing');
    await using strange = consume({ connection, group: 'strange', batchSize: 2 }, ({ entries }) =>
      entries.map(({ key }) => key),
    );
    await strange.reaches({ acknowledged: 20 });
    expect(strange.lines.filter((line) => line.includes('no entry ids'))).toHaveLength(1);
  });
});

describe('batch.ack', () => {
  it('takes one id as well as several', async () => {
    await write({ connection }, numbered(3));
    const left: number[] = [];
    await using running = consume({ connection }, async (batch) => {
      if (batch.size === 1) return;
      await batch.ack(batch.entries[1]?.id);
      left.push(await pending(redis.client));
    });
    await running.reaches({ acknowledged: 1, retried: 2 });
    expect(left).toEqual([2]);
  });

  it('of nothing means that nothing is done', async () => {
    await write({ connection }, numbered(3));
    await using running = consume({ connection }, async (batch) => {
      if (batch.size > 1) await batch.ack([]);
    });
    await running.reaches({ acknowledged: 3, retried: 3 });
    expect(running.lines.join()).not.toContain('empty list');
  });

  it('ignores ids that are not of the batch, and warns of them once', async () => {
    await write({ connection }, numbered(6));
    await using running = consume({ connection, batchSize: 2 }, async (batch) => {
      await batch.ack('9-9');
      await batch.ack(batch.entries.map(({ key }) => key));
      await batch.ack();
    });
    await running.reaches({ acknowledged: 6, held: 0 });
    expect(running.lines.filter((line) => line.includes('not of the batch'))).toHaveLength(1);
  });

  it('belongs to a class that is there at run time, as decorators of methods need it', () => {
    expect(typeof LogBatch).toBe('function');
  });
});

describe('What a handler throws', () => {
  it('is given to onError as it is, with the batch; a throw of that changes nothing', async () => {
    await write({ connection }, numbered(2));
    const thrown = new TypeError('it was a secret');
    const told: [unknown, number][] = [];
    let calls = 0;
    await using running = consume(
      {
        connection,
        onError: (error, batch) => {
          told.push([error, batch.size]);
          if (told.length === 1) throw new Error('from onError');
          return Promise.reject(new Error('later, from onError'));
        },
      },
      ({ entries }) => {
        calls++;
        if (calls === 1) throw thrown;
        if (calls === 2) throw new DeadLetterError('never', { ids: entries.map(({ id }) => id) });
      },
    );
    await running.reaches({ acknowledged: 1, deadLettered: 1, held: 0 });
    expect(told).toEqual([
      [thrown, 2],
      [expect.any(DeadLetterError), 1],
    ]);
    expect(running.lines.join()).toContain('onError');
    expect(running.lines.join()).not.toContain('secret');
  });
});

describe('What onError logs', () => {
  it('stays out of the stream that the consumer reads, as what its handler logs does', async () => {
    await write({ connection }, numbered(1));
    await using writer = new RedisLogWriter({ connection, stream: STREAM, service: { name: 'shop' } });
    const onError = (): unknown => writer.emit({ body: 'a handler failed' });
    await using running = consume({ connection, maxDeliveries: 3, onError }, () => {
      throw new Error('no');
    });
    await running.reaches({ deadLettered: 1, held: 0 });
    await writer.flush();
    expect(await redis.client.xlen(STREAM)).toBe(1);
    expect(writer.stats().dropped).toEqual({ feedback: 3 });
  });
});

describe('run', () => {
  it.each([undefined, null, {}])('wants a function, and says what to do with %j', async (handler) => {
    const consumer = new LogConsumer({ connection, stream: STREAM, group: 'etl' });
    await expect(consumer.run(handler as never)).rejects.toMatchObject({
      code: 'REDIS_LOG_MISUSED',
      message: expect.stringContaining('for await') as string,
    });
  });
});

describe('A consumer that is closed', () => {
  it('by its own handler does not wait for itself: it finishes that batch, and ends', async () => {
    await write({ connection }, numbered(5));
    const consumer = new LogConsumer({ connection, stream: STREAM, group: 'etl', maxWaitMs: 5 });
    const start = performance.now();
    await consumer.run(async () => {
      await consumer.close();
    });
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(consumer.stats()).toMatchObject({ acknowledged: 5, handedBack: 0, held: 0 });
    expect(await pending(redis.client)).toBe(0);
  });

  it('by its own loop, once the batch is acknowledged, does not wait for itself either', async () => {
    await write({ connection }, numbered(5));
    const consumer = new LogConsumer({ connection, stream: STREAM, group: 'etl', maxWaitMs: 5 });
    const start = performance.now();
    let turns = 0;
    for await (const batch of consumer) {
      turns++;
      await batch.ack();
      await consumer.close();
    }
    expect(turns).toBe(1);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(consumer.stats()).toMatchObject({ acknowledged: 5, handedBack: 0, held: 0 });
  });

  it('by what a handler has left behind is waited for as ever', async () => {
    await write({ connection }, numbered(2));
    const release = deferred();
    const second = deferred();
    let later: Promise<void> | undefined;
    const consumer = new LogConsumer({
      connection,
      stream: STREAM,
      group: 'etl',
      maxWaitMs: 5,
      batchSize: 1,
    });
    let calls = 0;
    const running = consumer.run(async () => {
      if (++calls === 1) {
        later = second.promise.then(() => consumer.close());
        return;
      }
      second.resolve();
      await release.promise;
    });
    await second.promise;
    let isClosed = false;
    void later?.then(() => (isClosed = true));
    await until(async () => (await pending(redis.client)) === 1);
    expect(isClosed).toBe(false);
    release.resolve();
    await running;
    await later;
    expect(consumer.stats()).toMatchObject({ acknowledged: 2, held: 0 });
  });

  it('while Redis is away and nothing is held ends at once', async () => {
    const away = `redis://127.0.0.1:${await freePort()}`;
    const running = consume({ connection: away });
    await until(() => running.lines.some((line) => line.includes('is not usable')));
    const start = performance.now();
    await running[Symbol.asyncDispose]();
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('again and again in the middle of its work wears out no record', async () => {
    await write({ connection }, numbered(3));
    for (let stop = 0; stop < 6; stop++) {
      const stuck = consume({ connection, maxDeliveries: 2 }, () => new Promise(() => {}));
      await stuck.reaches({ held: 3 });
      await stuck.consumer.close({ timeoutMs: 400 });
      expect(stuck.stats).toMatchObject({ handedBack: 3, held: 0 });
    }
    const counts: number[] = [];
    await using running = consume({ connection, maxDeliveries: 2 }, ({ entries }) => {
      for (const { deliveryCount } of entries) counts.push(deliveryCount);
    });
    await running.reaches({ acknowledged: 3, deadLettered: 0 });
    expect(counts).toEqual([2, 2, 2]);
    expect(await deadLetters(redis.client)).toEqual([]);
  });

  it('hands back what a handler drops that listens to the stop, as if it had never been given out', async () => {
    await write({ connection }, numbered(3));
    for (let stop = 0; stop < 3; stop++) {
      const stuck = consume({ connection, maxDeliveries: 2, batchSize: 1, concurrency: 3 }, stopped);
      await stuck.reaches({ held: 3 });
      await stuck.consumer.close({ timeoutMs: 400 });
      expect(stuck.stats).toMatchObject({ handedBack: 3, deadLettered: 0, retried: 0 });
    }
    await using running = consume({ connection, maxDeliveries: 2 });
    await running.reaches({ acknowledged: 3, deadLettered: 0 });
    expect(await deadLetters(redis.client)).toEqual([]);
  });

  /** As fetch() with that signal does. */
  function stopped({ signal }: LogBatch): Promise<void> {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }

  it('with one delivery allowed hands back what still gets its one', async () => {
    await write({ connection }, numbered(3));
    const stuck = consume({ connection, maxDeliveries: 1 }, () => new Promise(() => {}));
    await stuck.reaches({ held: 3 });
    await stuck.consumer.close({ timeoutMs: 400 });
    await using running = consume({ connection, maxDeliveries: 1 });
    await running.reaches({ acknowledged: 3 });
    expect(running.stats).toMatchObject({ reclaimed: 3, deadLettered: 0 });
  });

  it('holds nothing any more, whatever a late handler says', async () => {
    await write({ connection }, numbered(3));
    const release = deferred();
    const late = consume({ connection }, () => release.promise);
    await late.reaches({ held: 3 });
    await late.consumer.close({ timeoutMs: 400 });
    release.resolve();
    await until(() => late.handled.length === 3);
    expect(late.stats).toMatchObject({ acknowledged: 0, handedBack: 3, held: 0 });
  });

  it('by leaving its loop says nothing of a time that was up', async () => {
    await write({ connection }, numbered(6));
    const told: string[] = [];
    const diagnostics = {
      info: (_: string, text: string) => told.push(text),
      warn: (_: string, text: string) => told.push(text),
      error: (_: string, text: string) => told.push(text),
    };
    const consumer = new LogConsumer(
      { connection, stream: STREAM, group: 'etl', maxWaitMs: 5, batchSize: 2 },
      { diagnostics },
    );
    for await (const batch of consumer) {
      expect(batch.size).toBe(2);
      break;
    }
    expect(consumer.stats()).toMatchObject({ handedBack: 2, held: 0 });
    expect(told).toEqual([]);
  });
});
