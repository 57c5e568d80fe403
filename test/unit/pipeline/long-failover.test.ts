import { expect, it } from 'vitest';
import { PipelineHarness } from './pipeline-harness.js';

/** Longer than an acknowledged batch is kept while all is well, as a Sentinel's default of 30 s is. */
const FAILOVER_MS = 40_000;

it('sends again what a failover forgot, however long the failover took', async () => {
  const harness = new PipelineHarness();
  await harness.start();
  await harness.serve();
  harness.store.replicate();
  const forgotten = harness.emit();
  await harness.settle();
  await harness.serve();
  expect(harness.stats.delivered).toBe(2);
  await harness.run(
    () => harness.store.cut(),
    () => harness.store.failover(),
    () => harness.runtime.advance(FAILOVER_MS),
  );
  expect(harness.stored).not.toContain(forgotten);
  await harness.run(() => harness.store.reconnect());
  await harness.serve();
  await harness.heal();
  expect(harness.stored).toEqual(['r1', forgotten]);
  expect(harness.stats).toMatchObject({ delivered: 2, dropped: {} });
});

it('keeps nothing for a failover when all was quiet for long before it', async () => {
  const harness = new PipelineHarness();
  await harness.start();
  await harness.serve();
  await harness.run(() => harness.runtime.advance(FAILOVER_MS));
  // Asked once more, Redis said that all was there.
  await harness.serve();
  await harness.run(
    () => harness.store.cut(),
    () => harness.store.failover(),
    () => harness.store.reconnect(),
  );
  await harness.serve();
  await harness.heal();
  expect(harness.stored).toEqual([]);
  expect(harness.stats).toMatchObject({ delivered: 0, dropped: { rolled_back: 1 } });
});

it('keeps what was acknowledged last until Redis has said once more that it is there, however quiet it is', async () => {
  const harness = new PipelineHarness();
  await harness.start();
  await harness.serve();
  // A failover that leaves the connection up, and a primary that has lost everything.
  await harness.run(
    () => harness.store.failover(),
    () => harness.runtime.advance(FAILOVER_MS),
  );
  expect(harness.stored).toEqual([]);
  await harness.serve(3);
  expect(harness.stored).toEqual(['r1']);
  expect(harness.stats).toMatchObject({ delivered: 1, dropped: {}, inFlight: 0 });
});
