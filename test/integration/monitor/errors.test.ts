import { StreamMonitor } from 'nestjs-redis-log/monitor';
import { LogInsights, LogReader } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { entryOf, startCounting, STREAM } from '../insights/support.js';
import { ErrorStory, MINUTE } from './error-story.js';
import { streamOf, TestClock, watching } from './support.js';

const redis = useRedisServer();

describe('The alert ErrorShare', () => {
  it('fires when errors are three times their usual part for 2 minutes, does not repeat, and is resolved', async () => {
    await using story = await ErrorStory.begin(redis, 'ErrorShare');
    await story.usualHour();
    await story.write('Order 2 was paid', { times: 60 });
    await story.write('Payment 17 was refused by "Bank"', { times: 15, severity: 17 });
    await story.write('Out of memory', { times: 5, severity: 21 });
    expect(await story.after(0)).toEqual([]);
    expect(story.errors).toMatchObject({
      count: 20,
      total: 80,
      share: 0.25,
      mostFrequent: { template: 'Payment <n> was refused by <text>', count: 15, level: 'error' },
    });
    expect(story.errors?.usualShare).toBeCloseTo(1 / 20, 10);
    expect(await story.after(1.9)).toEqual([]);
    expect(await story.after(0.1)).toEqual(['ErrorShare firing']);
    expect(await story.after(1)).toEqual([]);
    expect(story.told[0]).toMatchObject({
      severity: 'warn',
      subject: { stream: STREAM },
      text: `Stream ${STREAM} has errors in 25 % of its records (20 of 80), usual is 5 %; most often: Payment <n> was refused by <text> (orders)`,
    });
    await story.write('Order 3 was paid', { times: 80 });
    expect(await story.after(1)).toEqual(['ErrorShare resolved']);
    expect(story.errors).toMatchObject({ count: 20, total: 160 });
  });

  it('does not fire for less than ten errors, for a share that is usual, nor when nothing is logged any more', async () => {
    await using story = await ErrorStory.begin(redis, 'ErrorShare');
    await story.usualHour();
    await story.write('Card of "Bob" was declined', { times: 9, severity: 17 });
    expect([...(await story.after(0)), ...(await story.after(1)), ...(await story.after(2))]).toEqual([]);
    expect(story.errors).toMatchObject({ count: 9, share: 1 });
    await story.write('Order 4 was paid', { times: 191 });
    await story.write('Card of "Eve" was declined', { times: 11, severity: 17 });
    expect([...(await story.after(1)), ...(await story.after(2)), ...(await story.after(2))]).toEqual([]);
    expect(story.errors?.count).toBe(20);
    await story.write('Card of "Bob" was declined', { times: 90, severity: 17 });
    expect([...(await story.after(1)), ...(await story.after(2))]).toEqual(['ErrorShare firing']);
    // Ten minutes later there is nothing in the last ones.
    expect(await story.after(10)).toEqual(['ErrorShare resolved']);
    expect(story.errors).toMatchObject({ count: 0, total: 0, share: undefined, mostFrequent: undefined });
  });

  it('waits until an hour was counted, and does not take what is not known for 0', async () => {
    await using story = await ErrorStory.begin(redis, 'ErrorShare');
    await story.write('Order 1 was paid', { times: 20 });
    await story.after(30);
    await story.write('Card of "Bob" was declined', { times: 50, severity: 17 });
    expect([...(await story.after(1)), ...(await story.after(2))]).toEqual([]);
    expect(story.errors).toMatchObject({ count: 50, share: 1, usualShare: undefined });
    await story.after(33);
    await story.write('Order 1 was paid', { times: 10 });
    await story.after(1);
    expect(story.errors?.usualShare).toBeCloseTo(50 / 70, 10);
  });

  it('stays as it is while the counters are away, and nobody hears of it twice', async () => {
    await using story = await ErrorStory.begin(redis, 'ErrorShare', 'NewError');
    await story.usualHour();
    await story.write('Deadlock on order 5', { times: 50, severity: 17 });
    expect(await story.after(0)).toEqual(['NewError firing']);
    expect(await story.after(2)).toEqual(['ErrorShare firing']);
    await story.stopCounting();
    await story.write('Deadlock on order 6', { severity: 17 });
    expect(await story.sampleAfter(1)).toEqual([]);
    expect(story.errors).toBeUndefined();
    story.startCounting();
    expect(await story.after(1)).toEqual([]);
    expect(story.errors).toMatchObject({ count: 51, newMessages: [{ count: 51 }] });
  });
});

describe('The alert NewError', () => {
  it('fires once for each message that was never seen before, and is resolved by itself', async () => {
    await using story = await ErrorStory.begin(redis, 'NewError');
    await story.usualHour();
    await story.write('Card of "Bob" was declined', { severity: 17 });
    await story.write('Stock of 7 is low', { severity: 13 });
    expect(await story.after(0)).toEqual([]);
    await story.write('Deadlock on order 5 of "Ann \u001B[2J secret"', { times: 2, severity: 17 });
    await story.write('Segmentation fault', { severity: 21, service: 'mail' });
    expect(await story.after(1)).toEqual(['NewError firing', 'NewError firing']);
    const [first, second] = story.told;
    const [last] = (await redis.client.xrevrange(STREAM, '+', '-')).filter(([, fields]) =>
      fields.some((field) => field.startsWith('Deadlock')),
    );
    expect(first).toMatchObject({
      severity: 'info',
      subject: { stream: STREAM, message: story.errors?.newMessages[0]?.id },
      text: `Stream ${STREAM} has an error that was never seen before: Deadlock on order <n> of <text> (orders)`,
    });
    expect(first?.whatToDo).toContain(`reader.context('${last?.[0]}')`);
    expect(first?.whatToDo).toContain("insights.common('orders', 'error', '1h')");
    expect(second?.text).toContain('a fatal error that was never seen before: Segmentation fault (mail)');
    expect(JSON.stringify(story.told)).not.toContain('secret');
    expect(story.errors?.newMessages).toMatchObject([
      { template: 'Deadlock on order <n> of <text>', count: 2, firstSeen: story.ms - MINUTE },
      { template: 'Segmentation fault', count: 1, service: 'mail', level: 'fatal' },
    ]);
    await story.write('Deadlock on order 6 of "Bob"', { times: 3, severity: 17 });
    expect(await story.after(1)).toEqual([]);
    expect(story.errors?.newMessages[0]?.count).toBe(5);
    expect(await story.after(8)).toEqual(['NewError resolved', 'NewError resolved']);
    await story.write('Deadlock on order 7 of "Eve"', { times: 3, severity: 17 });
    expect([...(await story.after(1)), ...(await story.after(1))]).toEqual([]);
    expect(story.errors).toMatchObject({ count: 3, newMessages: [] });
  });

  it('calls nothing new while everything is', async () => {
    await using story = await ErrorStory.begin(redis, 'NewError');
    await story.write('Card of "Bob" was declined', { severity: 17 });
    expect([...(await story.after(0)), ...(await story.after(1))]).toEqual([]);
    expect(story.errors).toMatchObject({ count: 1, newMessages: [] });
    await story.after(10);
    await story.write('Card of "Bob" was declined', { severity: 17 });
    await story.write('Deadlock on order 5', { severity: 17 });
    expect([...(await story.after(1)), ...(await story.after(1))]).toEqual(['NewError firing']);
  });

  it('names 20 at a time of a flood of new messages, and each of them once', async () => {
    await using story = await ErrorStory.begin(redis, 'NewError');
    await story.usualHour();
    const word = (n: number): string => String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26));
    for (let n = 0; n < 600; n++) await story.write(`No route to ${word(n)}`, { severity: 17 });
    const told = await story.after(1);
    expect(told).toEqual(Array.from({ length: 20 }, () => 'NewError firing'));
    expect(story.errors).toMatchObject({ count: 600, total: 600 });
    expect(await story.after(1)).toEqual([]);
    expect(await story.after(1)).toEqual([]);
    expect(new Set(story.told.map(({ text }) => text)).size).toBe(story.told.length);
  });
});

/** Calls of each command of the monitor since the last CONFIG RESETSTAT. */
async function calls(): Promise<Record<string, number>> {
  const stats = await redis.client.info('commandstats');
  const found = [...stats.matchAll(/cmdstat_(hmget|zrange|hgetall|xlen):calls=(\d+)/g)];
  return Object.fromEntries(found.map(([, name, count]) => [name, Number(count)]));
}

describe('Looking at the counts of messages', () => {
  it('costs a stream without counts one command a minute', async () => {
    await redis.client.xadd(STREAM, '*', ...entryOf('Ready'));
    const runtime = new TestClock();
    await using monitor = watching(redis.url, { streams: STREAM }, { runtime });
    await redis.client.config('RESETSTAT');
    for (let minute = 0; minute < 5; minute++) {
      for (let sample = 0; sample < 6; sample++) {
        expect(streamOf(await monitor.sample()).errors).toBeUndefined();
        runtime.nowMs += 10_000;
      }
    }
    // XLEN is what a sample asks for every time.
    expect(await calls()).toEqual({ hmget: 5, xlen: 30 });
  });

  it('reads the spans of the hour before once, and those of the last minutes again', async () => {
    const now = Date.now();
    for (let minute = 80; minute >= 0; minute--) {
      await redis.client.xadd(STREAM, `${now - minute * MINUTE}-*`, ...entryOf('Ready'));
    }
    await using counting = startCounting({ connection: redis.url });
    await counting.reaches(81);
    const runtime = new TestClock();
    await using monitor = watching(redis.url, { streams: STREAM }, { runtime });
    const looks: (number | undefined)[] = [];
    for (let look = 0; look < 3; look++) {
      await redis.client.config('RESETSTAT');
      expect(streamOf(await monitor.sample()).errors).toMatchObject({ count: 0, usualShare: 0 });
      looks.push((await calls())['zrange']);
      runtime.nowMs += MINUTE;
    }
    // The list of services and levels, 12 spans of an hour, and the last two.
    expect(looks).toEqual([15, 3, 3]);
  });

  it('is the same under the keyPrefix of the connection', async () => {
    const connection = { host: '127.0.0.1', port: redis.server.port, keyPrefix: 'app:' };
    await redis.client.xadd(`app:${STREAM}`, '*', ...entryOf('Card declined', { severity: 17 }));
    await using counting = startCounting({ connection });
    await counting.reaches(1);
    await using monitor = watching(connection, { streams: STREAM });
    expect(streamOf(await monitor.sample()).errors).toMatchObject({ count: 1, total: 1, share: 1 });
  });

  it('leads to what was logged around an error, and to how often it comes', async () => {
    const connection = redis.url;
    await redis.client.xadd(STREAM, '*', ...entryOf('Order 5 came in'));
    await redis.client.xadd(STREAM, '*', ...entryOf('Deadlock on order 5', { severity: 17 }));
    await using counting = startCounting({ connection });
    await counting.reaches(2);
    await using monitor = new StreamMonitor({ connection, streams: STREAM, metrics: false });
    const error = streamOf(await monitor.sample()).errors?.mostFrequent;
    await using reader = new LogReader({ connection, stream: STREAM });
    const around = await reader.context(error?.entryId ?? '');
    expect(around.map(({ record }) => record.body)).toEqual(['Order 5 came in', 'Deadlock on order 5']);
    await using insights = new LogInsights({ connection, stream: STREAM });
    const { messages } = await insights.common(error?.service, error?.level, '1h');
    expect(messages).toMatchObject([{ template: error?.template, count: 1 }]);
  });

  it('that was begun anew with spans of another length has nothing to do with the one before', async () => {
    await redis.client.xadd(STREAM, '*', ...entryOf('Card declined', { severity: 17 }));
    const runtime = new TestClock();
    await using monitor = watching(redis.url, { streams: STREAM }, { runtime });
    {
      await using counting = startCounting({ connection: redis.url });
      await counting.reaches(1);
      expect(streamOf(await monitor.sample()).errors).toMatchObject({ count: 1, total: 1 });
    }
    await redis.client.xadd(STREAM, '*', ...entryOf('Ready'));
    await using counting = startCounting({ connection: redis.url, bucketMs: MINUTE });
    await counting.reaches(1);
    runtime.nowMs += MINUTE;
    expect(streamOf(await monitor.sample()).errors).toMatchObject({ count: 0, total: 1 });
    await redis.client.del(STREAM);
    await monitor.sample();
    await redis.client.flushall();
    await redis.client.xadd(STREAM, '*', ...entryOf('Ready'));
    expect(streamOf(await monitor.sample()).errors).toBeUndefined();
  });

  it('makes no sense of keys that hold something else, and asks a user who may not only once', async () => {
    await redis.client.xadd(STREAM, '*', ...entryOf('Ready'));
    const key = `{${STREAM}}:insights`;
    const runtime = new TestClock();
    await using monitor = watching(redis.url, { streams: STREAM }, { runtime });
    await redis.client.set(key, 'something else');
    expect(streamOf(await monitor.sample())).toMatchObject({ errors: undefined, problem: undefined });
    await redis.client.del(key);
    await redis.client.hset(key, { bucketMs: '-1', keptBuckets: '3', since: '1', until: '9999999999999' });
    runtime.nowMs += MINUTE;
    expect(streamOf(await monitor.sample()).errors).toBeUndefined();

    const rules = ['resetkeys', '-@all', `~${STREAM}`, `~{${STREAM}}:dlq`, '+@read', '+info', '+time'];
    await redis.client.call('acl', 'SETUSER', 'narrow', 'reset', 'on', '>secret', ...rules, '+ping');
    await redis.client.call('acl', 'LOG', 'RESET');
    const url = `redis://narrow:secret@127.0.0.1:${redis.server.port}`;
    await using narrow = watching(url, { streams: STREAM }, { runtime });
    for (let look = 0; look < 3; look++) {
      expect(streamOf(await narrow.sample())).toMatchObject({ errors: undefined, problem: undefined });
      runtime.nowMs += MINUTE;
    }
    const refused = ((await redis.client.call('acl', 'LOG')) as unknown[][]).filter((row) =>
      row.includes(key),
    );
    expect(refused).toHaveLength(1);
    expect(refused[0]?.slice(0, 2)).toEqual(['count', 1]);
  });
});
