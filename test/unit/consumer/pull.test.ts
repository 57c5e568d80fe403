import { describe, expect, it } from 'vitest';
import { LogBatch } from '../../../src/consumer/batch.js';
import { BatchExchange, BatchIterator } from '../../../src/consumer/pull.js';

function batchOf(...ids: string[]): LogBatch {
  const entries = ids.map((id) => ({
    id,
    record: {} as never,
    deliveryCount: 1,
    producer: undefined,
    seq: undefined,
    key: id,
  }));
  const { signal } = new AbortController();
  return new LogBatch({
    entries,
    stream: 's',
    group: 'g',
    signal,
    acknowledge: () => Promise.resolve(),
    misnamed: () => undefined,
  });
}

describe('A loop over batches', () => {
  it('ends the last batch when it asks for the next, and leaves open what it did not acknowledge', async () => {
    const exchange = new BatchExchange();
    const loop = new BatchIterator(exchange, () => Promise.resolve());
    const [first, second] = [batchOf('1-0', '1-1'), batchOf('2-0')];
    const handled = exchange.offer(first);
    void exchange.offer(second);
    expect(await loop.next()).toEqual({ done: false, value: first });
    await first.ack('1-0');
    expect(await loop.next()).toEqual({ done: false, value: second });
    await handled;
    expect(first.isByItem).toBe(true);
    expect(first.open.map(({ id }) => id)).toEqual(['1-1']);
  });

  it('is over with a batch that is acknowledged when the exchange ends, and only then', async () => {
    const exchange = new BatchExchange();
    const loops = [0, 1].map(() => new BatchIterator(exchange, () => Promise.resolve()));
    const [done, open] = [batchOf('1-0'), batchOf('2-0')];
    const settled: string[] = [];
    void exchange.offer(done).then(() => settled.push('done'));
    void exchange.offer(open).then(() => settled.push('open'));
    await Promise.all(loops.map((loop) => loop.next()));
    await done.ack();
    exchange.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual(['done']);
    await Promise.all(loops.map((loop) => loop.next()));
    expect(settled).toEqual(['done', 'open']);
  });

  it('gives a batch back at once that comes when nobody will ask any more', async () => {
    const exchange = new BatchExchange();
    exchange.end();
    const late = batchOf('1-0');
    await exchange.offer(late);
    expect(late.open).toHaveLength(1);
    expect(await exchange.take()).toBeUndefined();
  });
});
