import { describe, expect, it } from 'vitest';
import { RedisLogWriter } from '../../../src/core.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { STREAM, streamOf, watching } from './support.js';

const redis = useRedisServer();

describe('Gaps in the numbers of a producer', () => {
  it('are none while records are written, and are what somebody deleted', async () => {
    await redis.client.xadd(STREAM, '*', 'older', 'entry');
    await using monitor = watching(redis.url, { gaps: true });
    await monitor.sample();
    await using writer = new RedisLogWriter({
      connection: redis.url,
      stream: STREAM,
      service: { name: 'shop' },
    });
    const write = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) writer.emit({ severityNumber: 9, body: `record ${index}` });
      await writer.flush();
    };
    await write(700);
    const [whole] = streamOf(await monitor.sample()).producers;
    expect(whole).toMatchObject({
      entries: 700,
      lastSeq: 700,
      missing: 0,
      unexplained: 0,
      shed: 0,
      duplicates: 0,
    });
    await write(10);
    const ids = (await redis.client.xrevrange(STREAM, '+', '-', 'COUNT', 5)).map(([id]) => id);
    await redis.client.xdel(STREAM, ...ids.slice(1, 4));
    const [holed] = streamOf(await monitor.sample()).producers;
    expect(holed).toMatchObject({ lastSeq: 710, missing: 3, givenUp: 0, unexplained: 3 });
  });

  it('that a producer gave up itself are told apart by its guard', async () => {
    const { client } = redis;
    await client.xadd(STREAM, '*', 'producer', 'p', 'seq', 1);
    await using monitor = watching(redis.url, { gaps: true });
    await monitor.sample();
    for (const seq of [2, 3, 7, 12]) await client.xadd(STREAM, '*', 'producer', 'p', 'seq', seq);
    await client.set(`{${STREAM}}:guard:p`, '12 0 4 1');
    await monitor.sample();
    await client.xadd(STREAM, '*', 'producer', 'p', 'seq', 20);
    await client.set(`{${STREAM}}:guard:p`, '20 5 4 1');
    const [producer] = streamOf(await monitor.sample()).producers;
    expect(producer).toEqual({
      producer: 'p',
      lastSeq: 20,
      entries: 5,
      missing: 14,
      givenUp: 5,
      unexplained: 9,
      shed: 4,
      duplicates: 0,
    });
  });

  it('cannot be told apart where the guard was rebuilt or is gone, and numbers may come late or twice', async () => {
    const { client } = redis;
    await client.xadd(STREAM, '*', 'x', 'y');
    await using monitor = watching(redis.url, { gaps: true });
    await monitor.sample();
    for (const seq of [1, 4, 2, 2, 5]) await client.xadd(STREAM, '*', 'producer', 'p', 'seq', seq);
    await client.set(`{${STREAM}}:guard:p`, '5 -1 0 1');
    const [producer] = streamOf(await monitor.sample()).producers;
    expect(producer).toMatchObject({ missing: 1, givenUp: undefined, unexplained: undefined, duplicates: 1 });
  });

  it('that retention tore before they were looked at are no gaps', async () => {
    const { client } = redis;
    await client.xadd(STREAM, '*', 'producer', 'p', 'seq', 1);
    await using monitor = watching(redis.url, { gaps: true });
    await monitor.sample();
    await client.xadd(STREAM, '*', 'producer', 'p', 'seq', 2);
    await monitor.sample();
    for (let seq = 3; seq <= 50; seq++) await client.xadd(STREAM, '*', 'producer', 'p', 'seq', seq);
    await client.xtrim(STREAM, 'MAXLEN', 10);
    const [producer] = streamOf(await monitor.sample()).producers;
    expect(producer).toMatchObject({ lastSeq: 50, missing: 0 });
  });

  it('are found again after retention tore more than the stream holds', async () => {
    const { client } = redis;
    let seq = 0;
    const write = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++)
        await client.xadd(STREAM, '*', 'producer', 'p', 'seq', ++seq);
    };
    await write(1);
    await using monitor = watching(redis.url, { gaps: true });
    const producers = async () => streamOf(await monitor.sample()).producers;
    await producers();
    await write(100);
    await client.xtrim(STREAM, 'MAXLEN', 20);
    expect(await producers()).toMatchObject([{ lastSeq: 101, entries: 20, missing: 0 }]);
    await write(5);
    expect(await producers()).toMatchObject([{ lastSeq: 106, entries: 25, missing: 0 }]);
    expect(await producers()).toMatchObject([{ lastSeq: 106, entries: 25, missing: 0 }]);
    seq += 2;
    await write(5);
    expect(await producers()).toMatchObject([{ lastSeq: 113, entries: 30, missing: 2 }]);
  });

  it('are looked for from the first entry of a stream that comes later than the monitor', async () => {
    const { client } = redis;
    await using monitor = watching(redis.url, { gaps: true });
    const producers = async () => streamOf(await monitor.sample()).producers;
    for (let life = 0; life < 2; life++) {
      expect(await producers()).toEqual([]);
      for (const seq of [1, 2, 5]) await client.xadd(STREAM, '*', 'producer', 'p', 'seq', seq);
      await client.set(`{${STREAM}}:guard:p`, '5 0 0 1');
      expect(await producers()).toMatchObject([{ lastSeq: 5, entries: 3, missing: 2, unexplained: 2 }]);
      await client.del(STREAM);
    }
  });
});
