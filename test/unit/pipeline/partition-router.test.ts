import { describe, expect, it } from 'vitest';
import { partitionStreams } from '../../../src/options/partition-names.js';
import { partitionRouter, type PartitionRouting } from '../../../src/pipeline/partition-router.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { recordOf } from './pipeline-harness.js';

const STREAMS = partitionStreams('logs', 4);

function router(options: Partial<PartitionRouting> = {}): {
  readonly route: (record: LogRecord) => string;
  readonly bad: string[];
} {
  const bad: string[] = [];
  const routing: PartitionRouting = { count: 4, by: 'trace', runLength: 3, random: () => 0, ...options };
  return {
    route: partitionRouter(
      () => 'logs',
      routing,
      (reason) => bad.push(reason),
    ),
    bad,
  };
}

function traced(traceId: string): LogRecord {
  return { ...recordOf('r', 9), spanContext: { traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 } };
}

function traceId(n: number): string {
  return (BigInt(n + 1) * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(16).padStart(32, '0').slice(-32);
}

describe('The partition of a record', () => {
  it('is the stream itself where there is one', () => {
    expect(router({ count: 1 }).route(recordOf('r', 9))).toBe('logs');
  });

  it('is the same for all records of a trace, in every process', () => {
    const { route } = router({ random: () => 0.9 });
    const { route: other } = router({ random: () => 0.1 });
    for (let n = 0; n < 100; n++) {
      expect(route(traced(traceId(n)))).toBe(other(traced(traceId(n))));
      route(recordOf('between', 9));
    }
  });

  it('is as often one as another, for traces', () => {
    const { route } = router();
    const counts = new Map<string, number>();
    for (let n = 0; n < 4_000; n++) {
      const stream = route(traced(traceId(n)));
      counts.set(stream, (counts.get(stream) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(STREAMS.toSorted());
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('goes round in runs for records without a trace', () => {
    const { route } = router();
    const routed = Array.from({ length: 13 }, () => STREAMS.indexOf(route(recordOf('r', 9))));
    expect(routed).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0]);
    expect(STREAMS.indexOf(router({ random: () => 0.99 }).route(recordOf('r', 9)))).toBe(3);
  });

  it('goes by the key that a function gives', () => {
    const { route, bad } = router({ by: ({ body }) => String(body) });
    const [first, second] = [route(recordOf('customer-1', 9)), route(recordOf('customer-7', 9))];
    expect(route(recordOf('customer-1', 9))).toBe(first);
    expect(route(recordOf('customer-7', 9))).toBe(second);
    expect(bad).toEqual([]);
  });

  it('goes round where the function gives no key, and says so without the value', () => {
    const throwing = router({
      by: () => {
        throw new TypeError('secret');
      },
    });
    expect(STREAMS).toContain(throwing.route(recordOf('r', 9)));
    expect(throwing.bad).toEqual(['it threw TypeError']);
    const other = router({ by: (() => 7) as unknown as () => string });
    expect(STREAMS).toContain(other.route(recordOf('r', 9)));
    expect(other.bad).toEqual(['it returned number']);
    const empty = router({ by: () => '' });
    expect(STREAMS).toContain(empty.route(recordOf('r', 9)));
    expect(empty.bad).toEqual([]);
  });

  it('belongs to the stream that a function names', () => {
    const route = partitionRouter(
      ({ body }) => `logs:${String(body)}`,
      { count: 2, by: 'trace', runLength: 1, random: () => 0 },
      () => undefined,
    );
    expect(partitionStreams('logs:a', 2)).toContain(route(recordOf('a', 9)));
    expect(partitionStreams('logs:b', 2)).toContain(route(recordOf('b', 9)));
  });
});
