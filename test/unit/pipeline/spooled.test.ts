import { describe, expect, it } from 'vitest';
import { FakeSpool } from './fake-spool.js';
import { droppedOf, PipelineHarness } from './pipeline-harness.js';

const INFO = 9;
const ERROR = 17;

/** A harness that has begun to send, with its first record stored. */
async function started(spool: FakeSpool, parts: { queueRecords?: number; searchable?: boolean } = {}) {
  const harness = new PipelineHarness({ ...parts, maxRecords: 4, spool: spool.opening });
  await harness.settle();
  harness.emit();
  await harness.settle();
  harness.store.reconnect();
  await harness.settle();
  for (let step = 0; harness.stats.delivered === 0 && step < 20; step++) await harness.serve();
  expect(harness.stats.delivered).toBe(1);
  return harness;
}

describe('With a spool that is full, and Redis away, a pipeline', () => {
  it('keeps within the bounds of its queue, drops the least severe, and counts every record', async () => {
    const spool = new FakeSpool();
    const harness = await started(spool, { queueRecords: 40 });
    harness.store.cut();
    spool.isFull = true;
    for (let tick = 0; tick < 100; tick++) {
      for (let at = 0; at < 10; at++) harness.emit(at === 0 ? ERROR : INFO);
      await harness.settle();
      const { queued, inFlight } = harness.stats;
      expect(queued).toBeLessThanOrEqual(40);
      expect(inFlight).toBe(0);
      // An ERROR is the first of each ten.
      const dropped = harness.dropped.get('queue_full') ?? [];
      if (tick === 20) expect(dropped.filter((body) => body.endsWith('2'))).toEqual([]);
      harness.runtime.advance(10);
    }
    expect(droppedOf(harness.stats)).toBe(1_001 - harness.stats.delivered - harness.stats.queued);
    // The disk is tried now and then, not with every record.
    expect(spool.appends).toBeLessThan(40);
  });

  it('goes on writing ahead as soon as there is room, with nothing else to wake it', async () => {
    const spool = new FakeSpool();
    const harness = await started(spool, { queueRecords: 40 });
    harness.store.cut();
    spool.isFull = true;
    for (let at = 0; at < 12; at++) harness.emit();
    await harness.settle();
    expect(harness.stats).toMatchObject({ queued: 12, spooled: 0 });
    spool.isFull = false;
    harness.runtime.advance(300);
    await harness.settle();
    expect(harness.stats).toMatchObject({ queued: 0, spooled: 12 });
    await harness.heal();
    expect(harness.stored).toHaveLength(13);
    expect(spool.batches.size).toBe(0);
  });

  it('sends what the disk refused from memory, in order', async () => {
    const spool = new FakeSpool();
    const harness = await started(spool, { queueRecords: 400 });
    spool.isFull = true;
    for (let at = 0; at < 50; at++) harness.emit();
    await harness.heal();
    expect(harness.stored).toEqual(Array.from({ length: 51 }, (_, at) => `r${at + 1}`));
  });
});

describe('A disk that was full when the process began', () => {
  it('is asked again, and written to from then on; meanwhile records are sent from memory', async () => {
    const spool = new FakeSpool();
    let isFull = true;
    const { opening } = spool;
    const open = (): ReturnType<typeof opening.open> => (isFull ? Promise.resolve('later') : opening.open());
    const harness = new PipelineHarness({ queueRecords: 40, spool: { ...opening, open } });
    harness.emit();
    await harness.settle();
    harness.store.reconnect();
    await harness.settle();
    for (let step = 0; harness.stats.delivered === 0 && step < 20; step++) await harness.serve();
    expect(harness.stats).toMatchObject({ delivered: 1, spooled: 0 });
    isFull = false;
    harness.runtime.advance(5_000);
    await harness.settle();
    harness.store.cut();
    for (let at = 0; at < 10; at++) harness.emit();
    await harness.settle();
    expect(harness.stats).toMatchObject({ queued: 0, spooled: 10 });
    // With the note of where the producer began, which the disk could not take before.
    expect([...spool.batches.values()].filter(({ count }) => count === 0)).toHaveLength(1);
    await harness.heal();
    expect(harness.stored).toHaveLength(11);
    expect(spool.batches.size).toBe(0);
  });
});

describe('Many small batches on disk', () => {
  it('are sent in few requests when Redis is back, and replayed so by the next process', async () => {
    const spool = new FakeSpool();
    const harness = await started(spool, { queueRecords: 400 });
    harness.store.cut();
    for (let at = 0; at < 100; at++) {
      harness.emit();
      await harness.settle();
    }
    expect(spool.batches.size).toBeGreaterThan(90);
    harness.pipeline.abandon();
    const next = new FakeSpool(spool);
    const heir = new PipelineHarness({ maxRecords: 20, producers: 'q', spool: next.opening });
    heir.store.primary = harness.store.primary;
    await heir.settle();
    expect(heir.stats).toMatchObject({ recovered: 100, spooled: 100 });
    const sent = heir.store.counts.sent;
    await heir.heal();
    expect(heir.stored).toHaveLength(101);
    expect(heir.stats).toMatchObject({ delivered: 100, possibleDuplicates: 0 });
    expect(heir.store.counts.sent - sent).toBeLessThan(15);
    expect(spool.batches.size).toBe(0);
  });

  it('that were written without a guard may be there twice when a guard begins, and that is counted', async () => {
    const spool = new FakeSpool();
    const harness = new PipelineHarness({ delivery: 'at-least-once', spool: spool.opening });
    await harness.settle();
    harness.store.reconnect();
    for (let at = 0; at < 6; at++) {
      harness.emit();
      await harness.settle();
      while (harness.store.unexecuted > 0) harness.store.execute();
    }
    expect(harness.stored.length).toBeGreaterThan(0);
    harness.pipeline.abandon();
    const heir = new PipelineHarness({ producers: 'q', spool: new FakeSpool(spool).opening });
    heir.store.primary = harness.store.primary;
    await heir.settle();
    await heir.heal();
    const duplicates = heir.stored.length - new Set(heir.stored).size;
    expect(duplicates).toBeGreaterThan(0);
    expect(heir.stats.possibleDuplicates).toBeGreaterThanOrEqual(duplicates);
  });

  it('count as recovered and as dropped where damage has taken them', async () => {
    const harness = new PipelineHarness({ spool: new FakeSpool(new FakeSpool(), 7).opening });
    await harness.settle();
    expect(harness.stats).toMatchObject({ recovered: 7, dropped: { spool_unreadable: 7 } });
  });
});

describe('A server that keeps no guard', () => {
  it.each([undefined, new FakeSpool()])('is not asked without a pause, and it is told', async (spool) => {
    const harness = new PipelineHarness({ searchable: false, ...(spool && { spool: spool.opening }) });
    await harness.settle();
    harness.store.reconnect();
    for (let at = 0; at < 4; at++) harness.emit();
    await harness.settle();
    for (let turn = 0; turn < 200; turn++) {
      harness.store.execute();
      harness.store.loseGuards();
      harness.store.reply();
      await harness.settle();
    }
    // 200 answers were on offer.
    expect(harness.store.counts.sent).toBeLessThan(40);
    expect(harness.troubles).toContain('GUARD_LOST');
    await harness.heal();
    expect(new Set(harness.stored).size).toBe(4);
    expect(harness.stored.length - 4).toBeLessThanOrEqual(harness.stats.possibleDuplicates);
  });
});
