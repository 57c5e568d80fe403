import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { startRedisSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';
import { add, countedLag, GROUP, groupOf, read, STREAM, streamOf, watching } from './support.js';

const redis = useRedisServer();

async function expectTrueLag(monitor: ReturnType<typeof watching>): Promise<void> {
  const { lag } = groupOf(await monitor.sample());
  expect(lag).toEqual({ kind: 'exact', entries: await countedLag(redis.client) });
}

describe('The lag of a group equals a count by XRANGE', () => {
  it('of a group made at $, where Redis says nil', async () => {
    await add(redis.client, 5);
    await redis.client.xgroup('CREATE', STREAM, GROUP, '$');
    await using monitor = watching(redis.url);
    await expectTrueLag(monitor);
    await add(redis.client, 3);
    const group = groupOf(await monitor.sample());
    expect(group).toMatchObject({ lag: { kind: 'exact', entries: 3 }, redisLag: undefined });
    await read(redis.client, 2);
    await expectTrueLag(monitor);
  });

  it('when entries were trimmed past the group, where Redis goes on counting them', async () => {
    const { client } = redis;
    await add(client, 10);
    await client.xgroup('CREATE', STREAM, GROUP, '0', 'ENTRIESREAD', '0');
    await read(client, 3);
    await client.xtrim(STREAM, 'MAXLEN', 4);
    await using monitor = watching(redis.url);
    await expectTrueLag(monitor);
    await read(client, 4);
    const group = groupOf(await monitor.sample());
    expect(group).toMatchObject({ lag: { kind: 'exact', entries: 0 }, redisLag: 3 });
    await add(client, 6);
    await read(client, 2);
    await expectTrueLag(monitor);
  });

  it('after XDEL of entries before, at and after the place of the group', async () => {
    const { client } = redis;
    const ids = await add(client, 20);
    await client.xgroup('CREATE', STREAM, GROUP, '0');
    await read(client, 8);
    await using monitor = watching(redis.url);
    for (const index of [12, 10, 3, 7, 8, 19, 0]) {
      await client.xdel(STREAM, ids[index] ?? '');
      await expectTrueLag(monitor);
    }
    await read(client, 100);
    await expectTrueLag(monitor);
    await add(client, 2);
    await expectTrueLag(monitor);
  });

  it('after XSETID and after XGROUP SETID, with and without counts that are not true', async () => {
    const { client } = redis;
    const ids = await add(client, 30);
    await client.xgroup('CREATE', STREAM, GROUP, '0');
    await read(client, 10);
    await using monitor = watching(redis.url);
    await expectTrueLag(monitor);
    await client.xgroup('SETID', STREAM, GROUP, ids[20] ?? '');
    await expectTrueLag(monitor);
    await client.call('xgroup', 'SETID', STREAM, GROUP, ids[4] ?? '', 'ENTRIESREAD', '29');
    await expectTrueLag(monitor);
    await client.call('xsetid', STREAM, '99999999999999-0', 'ENTRIESADDED', '5000', 'MAXDELETEDID', '0-0');
    await expectTrueLag(monitor);
    await read(client, 3);
    await expectTrueLag(monitor);
  });

  it('that is too long to be counted at once, after XGROUP SETID with a count that is not true', async () => {
    const { client } = redis;
    const ids = await add(client, 3_000);
    await client.xgroup('CREATE', STREAM, GROUP, '0');
    await read(client, 100);
    await using monitor = watching(redis.url, { countLimit: 1_000 });
    const exact = async (): Promise<void> => {
      await until(async () => groupOf(await monitor.sample()).lag.kind === 'exact');
    };
    await exact();
    // 100 entries further, and told as 900.
    await client.call('xgroup', 'SETID', STREAM, GROUP, ids[199] ?? '', 'ENTRIESREAD', '1000');
    for (let sample = 0; sample < 20; sample++) {
      const { lag } = groupOf(await monitor.sample());
      if (lag.kind === 'exact') expect(lag.entries).toBe(2_800);
    }
    await expectTrueLag(monitor);
  });

  it('that is long, whatever is read meanwhile, and is counted beside where the counters were taken at their word', async () => {
    const { client } = redis;
    const ids = await add(client, 3_000);
    await client.xgroup('CREATE', STREAM, GROUP, '0');
    await using monitor = watching(redis.url, { countLimit: 400 });
    await monitor.sample();
    // True and false alike are more than 200.
    await client.call('xgroup', 'SETID', STREAM, GROUP, ids[499] ?? '', 'ENTRIESREAD', '900');
    expect(groupOf(await monitor.sample()).lag).toEqual({ kind: 'exact', entries: 2_100 });
    let samples = 0;
    let lag = 0;
    for (; lag !== (await countedLag(client)); samples++) {
      expect(samples).toBeLessThan(40);
      await read(client, 3);
      await add(client, 1);
      const seen = groupOf(await monitor.sample()).lag;
      lag = seen.kind === 'exact' ? seen.entries : 0;
    }
    for (let more = 0; more < 5; more++) {
      await read(client, 3);
      await expectTrueLag(monitor);
    }
  });

  it('after a failover to a replica that had less', async () => {
    await using sentinels = await startRedisSentinels();
    const client = sentinels.client();
    await add(client, 50);
    await client.xgroup('CREATE', STREAM, GROUP, '0');
    await read(client, 20);
    await using monitor = watching({ sentinels: [...sentinels.addresses], name: sentinels.name });
    expect(groupOf(await monitor.sample()).lag).toEqual({ kind: 'exact', entries: 30 });
    const replica = sentinels.replica.client();
    await until(async () => (await replica.xlen(STREAM)) === 50);
    await sentinels.replica.pause();
    const lost = sentinels.master.client();
    await add(lost, 7);
    await read(lost, 15);
    expect(groupOf(await monitor.sample()).lag).toEqual({ kind: 'exact', entries: 22 });
    await sentinels.master.kill();
    await sentinels.replica.resume();
    const seen = await until(
      async () => {
        const sample = await monitor.sample();
        return streamOf(sample).problem === undefined ? sample : undefined;
      },
      { timeoutMs: 20_000, intervalMs: 50 },
    );
    const promoted = await countedLag(replica);
    expect(groupOf(seen).lag).toEqual({ kind: 'exact', entries: promoted });
    expect([22, 30]).toContain(promoted);
  });

  it('whatever is done to the stream, or it is said to be unknown', async () => {
    const { client } = redis;
    const operation = fc.record({
      kind: fc.constantFrom('add', 'read', 'trim', 'delete', 'setid', 'group', 'lie', 'recreate'),
      amount: fc.integer({ min: 1, max: 12 }),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const history = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    });
    const countLimit = fc.constantFrom(0, 4, 40, 10_000);
    let known = 0;
    let unknown = 0;
    await fc.assert(
      fc.asyncProperty(history, countLimit, async (rounds, limit) => {
        await client.flushall();
        await add(client, 5);
        await client.xgroup('CREATE', STREAM, GROUP, '0');
        await using monitor = watching(redis.url, { countLimit: limit });
        for (const round of rounds) {
          // Counters that somebody made up show only where entries can be counted, or where nothing else happened.
          const isTold = ({ kind }: { kind: string }): boolean =>
            limit >= 10_000 || !(kind === 'lie' || (kind === 'setid' && round.length > 1));
          for (const step of round.filter(isTold)) await perform(step);
          const { lag } = groupOf(await monitor.sample());
          const truth = await countedLag(client);
          if (lag.kind === 'exact') expect(lag.entries).toBe(truth);
          if (lag.kind === 'at-least') expect(lag.entries).toBeLessThanOrEqual(truth);
          if (limit === 10_000) expect(lag.kind).toBe('exact');
          if (lag.kind === 'exact') known++;
          else unknown++;
        }
      }),
      { numRuns: 300 },
    );
    expect(known).toBeGreaterThan(300);
    expect(unknown).toBeGreaterThan(0);
  });
});

async function perform({ kind, amount, at }: { kind: string; amount: number; at: number }): Promise<void> {
  const { client } = redis;
  const entries = await client.xrange(STREAM, '-', '+');
  const some = entries[Math.floor(at * entries.length)]?.[0] ?? '0-0';
  const last = await lastGeneratedId();
  switch (kind) {
    case 'add':
      return void (await add(client, amount));
    case 'read':
      return void (await read(client, amount));
    case 'trim':
      return void (await client.xtrim(STREAM, 'MAXLEN', Math.floor(at * entries.length)));
    case 'delete':
      return void (await client.xdel(STREAM, some));
    case 'setid':
      return void (await client.call(
        'xsetid',
        STREAM,
        last,
        'ENTRIESADDED',
        String(entries.length + amount * 100),
      ));
    case 'group':
      return void (await client.xgroup('SETID', STREAM, GROUP, some));
    case 'lie':
      return void (await client.call('xgroup', 'SETID', STREAM, GROUP, some, 'ENTRIESREAD', String(amount)));
    default:
      await client.xgroup('DESTROY', STREAM, GROUP);
      await client.xgroup('CREATE', STREAM, GROUP, at < 0.5 ? '$' : '0');
  }
}

async function lastGeneratedId(): Promise<string> {
  const flat = (await redis.client.xinfo('STREAM', STREAM)) as unknown[];
  return String(flat[flat.indexOf('last-generated-id') + 1]);
}
