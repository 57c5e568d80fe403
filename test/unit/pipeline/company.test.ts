import { expect, it } from 'vitest';
import { PipelineHarness } from './pipeline-harness.js';

/** Turns of the event loop alone: the clock stands still. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
}

async function served(harness: PipelineHarness): Promise<void> {
  harness.store.execute();
  harness.store.reply();
  await turns();
}

async function started(maxRecords: number): Promise<PipelineHarness> {
  const harness = new PipelineHarness({ maxRecords });
  await harness.start();
  await harness.serve();
  expect(harness.stats).toMatchObject({ delivered: 1, queued: 0, inFlight: 0 });
  harness.runtime.advance(1_000);
  return harness;
}

it('a record that comes after a pause leaves on the next tick', async () => {
  const harness = await started(8);
  harness.emit();
  await turns();
  expect(harness.stats).toMatchObject({ queued: 0, inFlight: 1 });
});

it('what comes right after a batch waits for company, a millisecond for each record of that', async () => {
  const harness = await started(8);
  for (let record = 0; record < 3; record++) harness.emit();
  await turns();
  expect(harness.stats.inFlight).toBe(3);
  await served(harness);
  harness.emit();
  await turns();
  harness.runtime.advance(2);
  harness.emit();
  await turns();
  expect(harness.stats).toMatchObject({ delivered: 4, queued: 2, inFlight: 0 });
  harness.runtime.advance(1);
  await turns();
  expect(harness.stats).toMatchObject({ queued: 0, inFlight: 2 });
});

it('a batch that is full, and one that somebody waits for, leave at once', async () => {
  const harness = await started(2);
  for (let record = 0; record < 2; record++) harness.emit();
  await turns();
  await served(harness);
  for (let record = 0; record < 2; record++) harness.emit();
  await turns();
  expect(harness.stats).toMatchObject({ queued: 0, inFlight: 2 });
  await served(harness);
  harness.emit();
  await turns();
  expect(harness.stats.queued).toBe(1);
  void harness.pipeline.flush(1_000);
  await turns();
  expect(harness.stats).toMatchObject({ queued: 0, inFlight: 1 });
});
