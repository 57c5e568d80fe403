import { describe, expect, it } from 'vitest';
import { isStreamName } from '../../../src/options/stream-name.js';
import { streamKeys } from '../../../src/redis/keys.js';

/** The slot's text by the rule of the Redis Cluster specification, "Hash tags". */
function tagOf(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

function namesOf(stream: string, prefix?: string): string[] {
  const keys = streamKeys(stream, prefix);
  return [keys.stream, keys.resources, keys.resourcesSeen, keys.levels, keys.guard('p')];
}

/** Those in which messages are counted. */
function insightsOf(stream: string): string[] {
  const keys = streamKeys(stream);
  const bucket = { section: 'error:shop', bucketMs: 60_000, start: 1_790_000_040_000 };
  const ofBucket = [keys.insightsCounts(bucket), keys.insightsErrors(bucket)];
  return [keys.insights, keys.insightsSections, keys.insightsMessages, keys.insightsSeen, ...ofBucket];
}

describe('The keys of a stream', () => {
  it('are named after it, with its whole name as the hash tag', () => {
    expect(namesOf('logs:orders')).toEqual([
      'logs:orders',
      '{logs:orders}:resources',
      '{logs:orders}:resources:seen',
      '{logs:orders}:levels',
      '{logs:orders}:guard:p',
    ]);
  });

  it('keep a hash tag that the name has', () => {
    expect(namesOf('{shop}:logs')).toEqual([
      '{shop}:logs',
      '{shop}:logs:resources',
      '{shop}:logs:resources:seen',
      '{shop}:logs:levels',
      '{shop}:logs:guard:p',
    ]);
  });

  it('begin with the prefix of the connection, which is part of the name then', () => {
    expect(namesOf('logs', 'app:')).toEqual([
      'app:logs',
      '{app:logs}:resources',
      '{app:logs}:resources:seen',
      '{app:logs}:levels',
      '{app:logs}:guard:p',
    ]);
    expect(namesOf('logs', '{app}:')[1]).toBe('{app}:logs:resources');
  });

  it('in which messages are counted all begin alike, for whoever wants to delete them', () => {
    expect(insightsOf('logs')).toEqual([
      '{logs}:insights',
      '{logs}:insights:sections',
      '{logs}:insights:messages',
      '{logs}:insights:seen',
      '{logs}:insights:counts:60000:1790000040000:error:shop',
      '{logs}:insights:errors:60000:1790000040000:error:shop',
    ]);
  });

  it('share one slot of a Cluster, whatever braces a valid name has', () => {
    for (const stream of ['logs', 'a:b', '{t}', 'x{t}y', '{{t}}', 'x{t', '{', 'a{b}c{d}']) {
      expect(isStreamName(stream)).toBe(true);
      const tags = [...namesOf(stream), ...insightsOf(stream)].map(tagOf);
      expect(new Set(tags).size, `${stream}: ${tags.join(' ')}`).toBe(1);
    }
  });
});
