import { describe, expect, it } from 'vitest';
import { resolveModuleOptions, resolveWriterOptions } from '../../../src/options/resolve.js';
import type { RedisLogWriterOptions } from '../../../src/options/types.js';

function messageOf(options: object, environment: NodeJS.ProcessEnv = {}): string {
  try {
    resolveWriterOptions(options as RedisLogWriterOptions, environment);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'valid';
}

describe('The option retention', () => {
  it('keeps up to twice its length for groups, unless a hard limit is given', () => {
    const { retention } = resolveWriterOptions(
      { retention: { maxLength: 500, keepFor: ['etl', 'etl'] } },
      {},
    );
    expect(retention.keepFor).toEqual({ groups: ['etl'], hardMaxLength: 1_000 });
    const given = { keepFor: ['etl'], hardMaxLength: 5_000_000, maxMemoryShare: 0.25 };
    expect(resolveWriterOptions({ retention: given }, {}).retention).toEqual({
      maxLength: 1_000_000,
      maxAgeMs: undefined,
      maxMemoryShare: 0.25,
      keepFor: { groups: ['etl'], hardMaxLength: 5_000_000 },
    });
  });

  it.each([
    [{ hardMaxLength: 5 }, 'retention.hardMaxLength: there is no keepFor'],
    [
      { keepFor: ['etl'], hardMaxLength: 5 },
      'retention.hardMaxLength: got 5. Give at least maxLength, 1000000',
    ],
    [{ keepFor: [] }, 'retention.keepFor: got an array of 0. Give an array of one name of a consumer group'],
    [{ keepFor: 'etl' }, 'retention.keepFor: got "etl". Give an array'],
    [{ maxMemoryShare: 0 }, 'retention.maxMemoryShare: got 0. Give a number above 0, to 1'],
    [{ maxMemoryShare: 1.5 }, 'retention.maxMemoryShare: got 1.5. Give a number'],
    [{ keepfor: ['etl'] }, 'retention.keepfor: unknown option. Did you mean keepFor?'],
  ])('%j is refused', (retention, text) => {
    expect(messageOf({ retention })).toContain(text);
  });
});

describe('The option partitions', () => {
  it('is one by default, and may come from the environment', () => {
    expect(resolveWriterOptions({}, {}).partitions).toEqual({ count: 1, by: 'trace' });
    expect(resolveWriterOptions({}, { REDIS_LOG_PARTITIONS: '6' }).partitions.count).toBe(6);
    expect(resolveWriterOptions({ partitions: 4 }, { REDIS_LOG_PARTITIONS: '6' }).partitions.count).toBe(4);
  });

  it('is a number, or says by what', () => {
    const by = (): string => 'key';
    expect(resolveWriterOptions({ partitions: { count: 64, by } }, {}).partitions).toEqual({ count: 64, by });
  });

  it.each([
    [{ partitions: 65 }, 'partitions: got 65. Give a whole number from 1 to 64'],
    [{ partitions: { by: 'trace' } }, 'partitions.count: got undefined. Give a whole number from 1 to 64'],
    [
      { partitions: { count: 2, by: 'user' } },
      'partitions.by: got "user". Give trace, or a function of the record',
    ],
    [{ partitions: 2, format: 'list' }, 'partitions: is not for lists'],
    [{ format: 'plumelog', retention: { keepFor: ['etl'] } }, 'retention.keepFor: is not for lists'],
  ])('%j is refused', (options, text) => {
    expect(messageOf(options)).toContain(text);
  });

  it('is refused by name where the environment is wrong, and goes together with insights', () => {
    expect(messageOf({}, { REDIS_LOG_PARTITIONS: 'six' })).toContain(
      'REDIS_LOG_PARTITIONS (partitions): got "six"',
    );
    expect(() => resolveModuleOptions({ partitions: 2, insights: true }, {}, false)).not.toThrow();
  });
});
