import { isRedisLogError, LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { resolveModuleOptions } from '../../../../src/options/resolve.js';
import { resolveCounterOptions } from '../../../../src/reader/insights/options.js';

function problemsOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isRedisLogError(error) && error.code === 'REDIS_LOG_INVALID_OPTIONS') return error.message;
    throw error;
  }
  return '';
}

describe('The options of a counter', () => {
  it('have the defaults that their documentation names', () => {
    expect(resolveCounterOptions({}, { OTEL_SERVICE_NAME: 'shop', REDIS_LOG_URL: 'redis://h:1' })).toEqual({
      connection: 'redis://h:1',
      stream: 'logs:shop',
      partitions: 1,
      minIdleMs: 30_000,
      sendTimeoutMs: 10_000,
      shutdownTimeoutMs: 5_000,
      counting: { bucketMs: 300_000, keptBuckets: 288, maxTemplates: 500, countBy: 'template' },
    });
  });

  it('can be those of Redis in Action, but for what is given beside', () => {
    const options = { compatibility: 'redis-in-action', keptBuckets: 24, bucketMs: 3_600_000 } as const;
    expect(resolveCounterOptions(options, {}).counting).toEqual({
      bucketMs: 3_600_000,
      keptBuckets: 24,
      maxTemplates: 100_000,
      countBy: 'text',
    });
  });

  it('cannot be those of Redis in Action with other spans, or by templates', () => {
    const wrong = { compatibility: 'redis-in-action', bucketMs: 300_000, countBy: 'template' } as const;
    const text = problemsOf(() => resolveCounterOptions(wrong, {}));
    expect(text).toContain(
      'bucketMs: with compatibility "redis-in-action" it is 3600000. Leave out one of the two',
    );
    expect(text).toContain('countBy: with compatibility "redis-in-action" it is text');
    expect(problemsOf(() => resolveModuleOptions({ insights: wrong }, {}))).toContain(
      'insights.bucketMs: with',
    );
  });

  it('that are wrong are all told of at once, without a password', () => {
    const wrong = {
      connection: 'http://u:secret@h',
      stream: 'a}b',
      bucketMs: 1,
      keptBuckets: 1,
      countBy: 'body',
      maxtemplates: 5,
    };
    const text = problemsOf(() => resolveCounterOptions(wrong as never, {}));
    for (const part of [
      'have 6 problems',
      'connection: got',
      'stream: got "a}b"',
      'bucketMs: got 1. Give a whole number from 1,000 to 86,400,000',
      'keptBuckets: got 1',
      'countBy: got "body". Give template or text',
      'maxtemplates: unknown option. Did you mean maxTemplates?',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('secret');
  });
});

describe('What LogInsights is asked', () => {
  it.each<[call: (insights: LogInsights) => Promise<unknown>, problem: string]>([
    [(insights) => insights.common('orders', 'loud', '1h'), 'level: got "loud". Give a level, such as error'],
    [(insights) => insights.common('orders', 'error', 'soon'), 'window: got "soon". Give a length of time'],
    [
      (insights) => insights.common('orders', 'error', { from: '1h', to: '2h' }),
      'window: it ends before it begins',
    ],
    [(insights) => insights.common('orders', 'error', '1h', { limit: 0 }), 'limit: got 0'],
    [
      (insights) => insights.common('orders', 'error', '1h', { limt: 5 } as never),
      'limt: unknown option. Did you mean limit?',
    ],
    [(insights) => insights.recent(5 as never, 'error'), 'service: got 5. Give the name of a service'],
    [(insights) => insights.recent('orders', 25), 'level: got 25'],
    [(insights) => insights.recent('orders', 'error', { maxScanned: 1.5 }), 'maxScanned: got 1.5'],
  ])('must be possible: %s', async (call, problem) => {
    await using insights = new LogInsights({ connection: 'redis://127.0.0.1:1', stream: 's' });
    await expect(call(insights)).rejects.toThrow(problem);
  });
});
