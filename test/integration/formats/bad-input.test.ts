import { isRedisLogError, RedisLogWriter, type StreamEncoder } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { accountGap, openWriter, type Written, write } from './writing.js';

const service = { name: 'shop' };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

function problemOf(options: object): string {
  try {
    return `accepted: ${typeof new RedisLogWriter(options)}`;
  } catch (error) {
    return isRedisLogError(error) ? `${error.code} ${error.message}` : String(error);
  }
}

describe('An option that cannot work is refused at the start, with what to write instead', () => {
  it.each([
    ['an unknown format', { format: 'xml' }, /format.*"xml".*fields, json, list, plumelog/s],
    ['an encoder without a target', { format: { encode: () => '' } }, /format.*target: "stream" or "list"/s],
    ['an encoder without encode', { format: { target: 'list' } }, /format.*encode\(record\)/s],
    ['an unknown layout', { attributes: 'columns' }, /attributes.*"columns".*fields, json, or an array/s],
    ['a stream that is no name', { stream: 7 }, /stream.*a stream name/s],
    ['a stream whose helper keys would be in another slot', { stream: 'logs}:x' }, /stream.*hash tag/s],
  ])('%s', (_what, options, expected) => {
    expect(problemOf(options)).toMatch(/^REDIS_LOG_INVALID_OPTIONS/);
    expect(problemOf(options)).toMatch(expected);
  });

  it('also when it comes from the environment', () => {
    process.env['REDIS_LOG_FORMAT'] = 'xml';
    try {
      expect(problemOf({})).toMatch(/REDIS_LOG_FORMAT.*"xml".*plumelog/s);
    } finally {
      delete process.env['REDIS_LOG_FORMAT'];
    }
  });
});

/** Bodies 'good' are encoded; everything else is what the encoder under test makes of it. */
async function writeWith(target: 'stream' | 'list', bad: (body: string) => unknown): Promise<Written> {
  const good = (body: string): string | string[] => (target === 'list' ? body : ['msg', body]);
  const encode = (record: { body?: unknown }): string | string[] => {
    const body = String(record.body);
    return (body === 'good' ? good(body) : bad(body)) as string | string[];
  };
  const bodies = ['good', 'bad', 'good', 'worse', 'good'];
  const format: StreamEncoder = { target, encode };
  return write(
    redis,
    { format, stream: 'own' },
    bodies.map((body) => ({ body })),
  );
}

const BAD_ENCODERS: [string, 'stream' | 'list', (body: string) => unknown, RegExp][] = [
  [
    'throws',
    'stream',
    () => {
      throw new RangeError('secret');
    },
    /encode\(\) threw RangeError/,
  ],
  ['returns nothing', 'stream', () => undefined, /must return an array of strings/],
  ['returns an odd number of strings', 'stream', () => ['name'], /name\/value pairs/],
  ['returns no field at all', 'stream', () => [], /name\/value pairs, at least one/],
  ['returns a value that is no string', 'stream', () => ['n', 7], /must return an array of strings/],
  ['returns a promise', 'stream', () => Promise.resolve(['a', 'b']), /must return an array of strings/],
  ['returns too many fields', 'stream', () => Array(2_002).fill('x'), /more than 1,000 fields/],
  ['returns no string for a list', 'list', () => ({}), /must return a string/],
  ['returns two items for a list', 'list', () => ['a', 'b'], /one string for a list/],
];

describe('An encoder that fails takes nothing with it but its own record', () => {
  it.each(BAD_ENCODERS)('when it %s (%s)', async (...[, target, bad, message]) => {
    const { writer, said } = await writeWith(target, bad);
    const client = redis.client();
    expect(target === 'list' ? await client.llen('own') : await client.xlen('own')).toBe(3);
    expect(writer.stats()).toMatchObject({ emitted: 5, delivered: 3, dropped: { rejected: 2 } });
    expect(accountGap(writer)).toBe(0);
    expect(said).toContainEqual(expect.stringMatching(message));
    expect(said.join()).not.toContain('secret');
  });

  it('when it logs, which would never end', async () => {
    const format: StreamEncoder = {
      target: 'list',
      encode: (record) => {
        writer.emit({ body: 'from within' });
        return String(record.body);
      },
    };
    const { writer } = openWriter(redis, { format, stream: 'own' });
    writer.emit({ body: 'outer' });
    await writer.close();
    expect(await redis.client().lrange('own', 0, -1)).toEqual(['outer']);
    expect(writer.stats()).toMatchObject({ emitted: 2, delivered: 1, dropped: { recursive: 1 } });
  });
});

const BAD_STREAMS: [string, () => string, RegExp][] = [
  [
    'throws',
    () => {
      throw new Error('secret');
    },
    /gave no name: it threw Error/,
  ],
  ['returns nothing', () => undefined as never, /it returned undefined/],
  ['returns an empty name', () => '', /it returned ""/],
  ['returns a name without a slot of its own', () => 'a}b', /it returned "a}b"/],
  ['returns a promise', () => Promise.resolve('logs:x') as never, /it returned object/],
];

describe('A stream function that fails sends its records to the default stream', () => {
  it.each(BAD_STREAMS)('when it %s', async (_what, stream, message) => {
    const { writer, said } = await write(redis, { service, stream }, [{ body: 'a' }, { body: 'b' }]);
    expect(await redis.client().xlen('logs:shop')).toBe(2);
    expect(writer.stats()).toMatchObject({ emitted: 2, delivered: 2, dropped: {} });
    expect(said).toEqual([expect.stringMatching(message)]);
    expect(said[0]).toContain('Such records go to logs:shop');
    expect(said.join()).not.toContain('secret');
  });

  it('when it names more than 64 streams, and says so once', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `logs:user:${n}`);
    const { writer, said } = await write(
      redis,
      { service, stream: (record) => String(record.body) },
      [...names, ...names].map((body) => ({ body })),
    );
    const streams = await redis.client().keys('logs:user:*');
    const lengths = await Promise.all([...streams, 'logs:shop'].map((name) => redis.client().xlen(name)));
    expect(streams).toHaveLength(63);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(400);
    expect(writer.stats()).toMatchObject({ emitted: 400, delivered: 400, dropped: {} });
    expect(said).toEqual([expect.stringMatching(/named more than 64 streams.*Further ones go to logs:shop/)]);
  });

  it('while the others go where they should', async () => {
    const stream = (record: { severityNumber?: number | undefined }): string =>
      Number(record.severityNumber) >= 17 ? 'logs:errors' : 'logs:rest';
    const records = Array.from({ length: 90 }, (_, n) => ({ body: n, severityNumber: n % 3 === 0 ? 17 : 9 }));
    const { writer } = await write(redis, { service, stream }, records);
    expect(await redis.client().xlen('logs:errors')).toBe(30);
    expect(await redis.client().xlen('logs:rest')).toBe(60);
    expect(writer.stats().delivered).toBe(90);
  });
});

describe('A key that holds something else is left alone', () => {
  it.each([
    ['a list where a stream is to be', 'fields', 'rpush'],
    ['a stream where a list is to be', 'list', 'xadd'],
  ] as const)('%s', async (_what, format, command) => {
    const client = redis.client();
    await (command === 'rpush' ? client.rpush('taken', 'mine') : client.xadd('taken', '*', 'mine', 'yes'));
    const { writer, said } = openWriter(redis, { format, stream: 'taken', shutdownTimeoutMs: 300 });
    writer.emit({ body: 'x' });
    const result = await writer.close();
    expect(result).toMatchObject({ delivered: 0, timedOut: true });
    expect(said.join('\n')).toMatch(/taken: .*WRONGTYPE.*choose another `stream`/);
    expect(await client.type('taken')).toBe(command === 'rpush' ? 'list' : 'stream');
    expect(accountGap(writer)).toBe(0);
  });
});
