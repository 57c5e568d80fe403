import { type DeadLetter, DeadLetterError, replayDeadLetters } from 'nestjs-redis-log/consumer';
import { beforeEach, describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { consume, deadLetters, numbered, STREAM, write } from './support.js';

const redis = useRedisServer();
let connection: string;
beforeEach(() => {
  connection = redis.url;
});

describe('A dead letter of an entry with very many fields', () => {
  const huge = Array.from({ length: 4_000 }, (_, at) => [`field ${at}`, `value ${at}`]).flat();

  async function setAside(): Promise<void> {
    await redis.client.xadd(STREAM, '*', 'small', '1');
    await redis.client.xadd(STREAM, '*', ...huge);
    await redis.client.xadd(STREAM, '*', 'small', '2');
    await using running = consume({ connection });
    await running.reaches({ deadLettered: 3 });
  }

  it('is given to a handler with all of its fields', async () => {
    await setAside();
    const letters: DeadLetter[] = [];
    const handler = (letter: DeadLetter): unknown => letters.push(letter);
    expect(await replayDeadLetters({ connection, stream: STREAM, handler })).toEqual({
      replayed: 3,
      failed: 0,
    });
    expect(letters[1]).toMatchObject({ reason: 'undecodable', record: undefined, fields: huge });
    expect(await deadLetters(redis.client)).toEqual([]);
  });

  it('that cannot be put back in one step stays and is counted; those behind it are put back', async () => {
    await setAside();
    expect(await replayDeadLetters({ connection, stream: STREAM })).toEqual({ replayed: 2, failed: 1 });
    expect(await deadLetters(redis.client)).toHaveLength(1);
    const back = await redis.client.xrevrange(STREAM, '+', '-', 'COUNT', 2);
    expect(back.map(([, fields]) => fields)).toEqual([
      ['small', '2'],
      ['small', '1'],
    ]);
  });
});

describe('A handler of dead letters', () => {
  it('gets the whole record, with its resource', async () => {
    await write({ connection }, numbered(1));
    await using running = consume({ connection }, () => {
      throw new DeadLetterError('no');
    });
    await running.reaches({ deadLettered: 1 });
    const letters: DeadLetter[] = [];
    await replayDeadLetters({ connection, stream: STREAM, handler: (letter) => letters.push(letter) });
    const attributes = letters[0]?.record?.resource.attributes;
    expect(attributes?.['service.name']).toBe('shop');
    expect(attributes?.['host.name']).toBeDefined();
  });
});

describe('The options of a replay', () => {
  it('are checked, all at once, before anything is touched', async () => {
    const wrong = {
      connection,
      stream: ['a'],
      group: '',
      limit: 'x',
      ids: 'abc',
      handler: 1,
      batchSize: 5,
      handlr: 1,
    };
    const attempt = replayDeadLetters(wrong as never);
    await expect(attempt).rejects.toMatchObject({ code: 'REDIS_LOG_INVALID_OPTIONS' });
    for (const part of [
      'have 7 problems',
      'stream: got an array of 1. Give the name of a stream',
      'group: got ""',
      'limit: got "x". Give a whole number from 1',
      'ids: got "abc". Give an array of ids of dead letters',
      'handler: got 1. Give a function',
      'batchSize: unknown option. Leave it out; known here are connection',
      'handlr: unknown option. Did you mean handler?',
    ]) {
      await expect(attempt).rejects.toThrow(part);
    }
    await expect(attempt).rejects.not.toThrow('maxDeliveries');
  });

  it.each([{ limit: -1 }, { limit: 0 }, { limit: Number.NaN }, { ids: ['abc'] }, { ids: [1] }, null, 'logs'])(
    '%j is a problem',
    async (given) => {
      const options = typeof given === 'object' && given !== null ? { connection, ...given } : given;
      await expect(replayDeadLetters(options as never)).rejects.toMatchObject({
        code: 'REDIS_LOG_INVALID_OPTIONS',
      });
    },
  );

  it('limit how many, and name which', async () => {
    await write({ connection }, numbered(5));
    await using running = consume({ connection }, () => {
      throw new DeadLetterError('no');
    });
    await running.reaches({ deadLettered: 5 });
    await running.consumer.close();
    const ids = (await redis.client.xrange(`{${STREAM}}:dlq`, '-', '+')).map(([id]) => id);
    const common = { connection, stream: STREAM };
    expect(await replayDeadLetters({ ...common, ids: ids.slice(3) })).toEqual({ replayed: 2, failed: 0 });
    expect(await replayDeadLetters({ ...common, limit: 2 })).toEqual({ replayed: 2, failed: 0 });
    expect(await replayDeadLetters({ ...common, group: 'other' })).toEqual({ replayed: 0, failed: 0 });
    expect(await deadLetters(redis.client)).toHaveLength(1);
  });
});
