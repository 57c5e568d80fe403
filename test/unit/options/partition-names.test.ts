import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotOf, SLOTS } from '../../../src/options/key-slot.js';
import { MAX_PARTITIONS, partitionStreams, withPartitions } from '../../../src/options/partition-names.js';
import { isStreamName } from '../../../src/options/stream-name.js';
import { streamKeys } from '../../../src/redis/keys.js';

const streamName = fc.string({ minLength: 1 }).filter((name) => isStreamName(name) && !/[{}]/.test(name));

/** How many partitions each of so many masters has, where they share the slots evenly and in order. */
function perMaster(streams: readonly string[], masters: number): number[] {
  const counts = Array.from({ length: masters }, () => 0);
  for (const stream of streams) {
    const slot = slotOf(/\{(.+?)\}/.exec(stream)?.[1] ?? stream);
    const master = Math.floor((slot * masters) / SLOTS);
    counts[master] = (counts[master] ?? 0) + 1;
  }
  return counts;
}

describe('A slot', () => {
  it('is the one that the specification of Redis Cluster gives', () => {
    expect(slotOf('123456789')).toBe(0x31c3 % SLOTS);
    expect(slotOf('logs:shop')).toBe(15_565);
    expect(slotOf('ü')).toBe(9_552);
  });
});

describe('The partitions of a stream', () => {
  it('are the stream itself where there is one', () => {
    expect(partitionStreams('logs:shop', 1)).toEqual(['logs:shop']);
  });

  it('have names that everybody else can be told, and that never change', () => {
    expect(partitionStreams('logs:shop', 3)).toMatchInlineSnapshot(`
      [
        "logs:shop:{0-71}",
        "logs:shop:{1-66}",
        "logs:shop:{2-66}",
      ]
    `);
  });

  it('are shared out evenly among 3, 6 or 12 masters, whatever the stream is called', () => {
    fc.assert(
      fc.property(streamName, fc.constantFrom(3, 6, 12, 24, 48), (stream, count) => {
        const streams = partitionStreams(stream, count);
        for (const masters of [3, 6, 12].filter((each) => each <= count)) {
          expect(perMaster(streams, masters)).toEqual(Array.from({ length: masters }, () => count / masters));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('differ by no more than one between three masters, of any number of them', () => {
    for (let count = 2; count <= MAX_PARTITIONS; count++) {
      const counts = perMaster(partitionStreams('logs:shop', count), 3);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('do not all begin on the same master', () => {
    const first = new Set<number>();
    for (let n = 0; n < 50; n++) {
      first.add(perMaster(partitionStreams(`logs:service-${n}`, 2).slice(0, 1), 3).indexOf(1));
    }
    expect(first.size).toBe(3);
  });

  it('keep their names when more are added, and are all different', () => {
    fc.assert(
      fc.property(streamName, fc.integer({ min: 2, max: MAX_PARTITIONS - 1 }), (stream, count) => {
        const streams = partitionStreams(stream, count);
        expect(partitionStreams(stream, count + 1).slice(0, count)).toEqual(streams);
        expect(new Set(streams).size).toBe(count);
      }),
      { numRuns: 20 },
    );
  });

  it('have their helper keys in their own slots', () => {
    for (const stream of partitionStreams('logs:shop', 6)) {
      const keys = streamKeys(stream, 'prefix:');
      expect(isStreamName(stream)).toBe(true);
      expect(keys.guard('p').startsWith(`prefix:${stream}:`)).toBe(true);
      expect(keys.deadLetters).toBe(`prefix:${stream}:dlq`);
    }
  });

  it('stand for themselves where they are named one by one', () => {
    const all = partitionStreams('logs:shop', 4);
    expect(withPartitions(['logs:shop'], 4)).toEqual(all);
    expect(withPartitions(all, 4)).toEqual(all);
    expect(withPartitions([...all.slice(1, 2), 'logs:cart'], 2)).toEqual([
      all[1],
      ...partitionStreams('logs:cart', 2),
    ]);
  });
});
