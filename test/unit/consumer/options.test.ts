import { LogConsumer } from 'nestjs-redis-log/consumer';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveConsumerOptions } from '../../../src/consumer/options.js';

afterEach(() => vi.unstubAllEnvs());

describe('The options of a consumer', () => {
  it('have defaults, and stream and connection are those of the writer', () => {
    const environment = { REDIS_LOG_URL: 'redis://h:1', OTEL_SERVICE_NAME: 'shop' };
    expect(resolveConsumerOptions({ group: 'etl', consumer: 'me' }, environment)).toEqual({
      connection: 'redis://h:1',
      stream: 'logs:shop',
      streams: ['logs:shop'],
      group: 'etl',
      consumer: 'me',
      from: 'start',
      batchSize: 100,
      maxWaitMs: 1_000,
      concurrency: 1,
      minIdleMs: 30_000,
      maxDeliveries: 5,
      retry: { minDelayMs: 1_000, maxDelayMs: 30_000 },
      deduplicate: false,
      heartbeatMs: 5_000,
      sendTimeoutMs: 10_000,
      shutdownTimeoutMs: 5_000,
      forgetConsumersAfterMs: 3_600_000,
    });
  });

  it('that are given as undefined count as not given', () => {
    const { batchSize, retry, stream } = resolveConsumerOptions(
      {
        group: 'g',
        batchSize: undefined,
        retry: { minDelayMs: undefined, maxDelayMs: 7 },
        stream: undefined,
      },
      { REDIS_LOG_STREAM: 's' },
    );
    expect([batchSize, retry, stream]).toEqual([100, { minDelayMs: 1_000, maxDelayMs: 7 }, 's']);
  });

  it('that are wrong are all told of at once, with what to do and without a password', () => {
    const wrong = {
      connection: 'http://u:secret@h',
      batchSize: 0,
      from: 'end',
      retry: { minDelayMS: 1 },
      batchsize: 1,
      stream: 'a}b',
    };
    const attempt = (): unknown => new LogConsumer(wrong as never);
    expect(attempt).toThrow(expect.objectContaining({ code: 'REDIS_LOG_INVALID_OPTIONS' }) as Error);
    for (const part of [
      'have 7 problems',
      'group: got "". Give a text that is not empty',
      'batchSize: got 0. Give a whole number from 1 to 5,000',
      'from: got "end". Give start, now, or the id of an entry',
      'retry.minDelayMS: unknown option. Did you mean minDelayMs?',
      'batchsize: unknown option. Did you mean batchSize?',
      'connection: got',
      'stream: got "a}b"',
    ]) {
      expect(attempt).toThrow(part);
    }
    expect(attempt).not.toThrow('secret');
  });

  it.each([
    [['a', 'b'], 'an array of 2'],
    [() => 'logs', 'a function'],
    [5, '5'],
    [{}, 'an object'],
    [null, 'null'],
  ])('do not take the default stream where %j is given as one', (stream, shown) => {
    const attempt = (): unknown => resolveConsumerOptions({ group: 'g', stream }, {});
    expect(attempt).toThrow(`stream: got ${shown}. Give the name of a stream`);
    expect(attempt).toThrow('have 1 problem:');
  });

  it('have no longest wait below the shortest, and take one of the two alone', () => {
    const retryOf = (retry: object): unknown => resolveConsumerOptions({ group: 'g', retry }, {}).retry;
    expect(() => retryOf({ minDelayMs: 500, maxDelayMs: 100 })).toThrow(
      'retry: got minDelayMs 500 above maxDelayMs 100',
    );
    expect(retryOf({ minDelayMs: 100, maxDelayMs: 100 })).toEqual({ minDelayMs: 100, maxDelayMs: 100 });
    expect(retryOf({ maxDelayMs: 100 })).toMatchObject({ maxDelayMs: 100 });
  });

  it('take a function for errors, and nothing else there', () => {
    const onError = (): void => undefined;
    expect(resolveConsumerOptions({ group: 'g', onError }, {}).onError).toBe(onError);
    expect(() => resolveConsumerOptions({ group: 'g', onError: 'log' }, {})).toThrow(
      'onError: got "log". Give a function of an error and a batch',
    );
  });

  it.each([undefined, null, 'etl', []])('%j in their place is a problem, not a crash', (options) => {
    expect(() => new LogConsumer(options as never)).toThrow(/options of nestjs-redis-log have/);
  });

  it('take an entry id as a beginning', () => {
    expect(resolveConsumerOptions({ group: 'g', from: '1700000000000-3' }, {}).from).toBe('1700000000000-3');
  });
});
