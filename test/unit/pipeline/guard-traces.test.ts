import { describe, expect, it } from 'vitest';
import { PipelineHarness } from './pipeline-harness.js';

/** One record stored and acknowledged, and a replica that has it too. */
async function withOneDelivered(): Promise<PipelineHarness> {
  const harness = new PipelineHarness();
  await harness.start();
  await harness.serve();
  harness.store.replicate();
  expect(harness.stats.delivered).toBe(1);
  return harness;
}

async function reconnected(harness: PipelineHarness): Promise<void> {
  await harness.run(() => harness.store.reconnect());
  await harness.serve();
}

describe('Exactly-once delivery does not repeat the errors of simpler protocols', () => {
  it('stores a record once when its reply was lost and then the guard, before it is sent again', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    await harness.start();
    await harness.run(
      () => store.execute(),
      () => store.cut(),
      () => store.loseGuards(),
    );
    await harness.heal();
    expect(harness.stored).toEqual(['r1']);
    expect(harness.stats).toMatchObject({ delivered: 1, duplicatesSuppressed: 1, possibleDuplicates: 0 });
  });

  it('stores a record once when a request thought lost arrives after the guard was lost', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    await harness.start();
    await harness.run(() => store.cut());
    await reconnected(harness);
    await harness.serve();
    expect(harness.stored).toEqual(['r1']);
    await harness.run(
      () => store.loseGuards(),
      () => store.executeZombie(0),
    );
    await harness.heal();
    expect(harness.stored).toEqual(['r1']);
  });

  it('sends again what was acknowledged without an entry id, when a failover forgets it', async () => {
    const harness = await withOneDelivered();
    const { store } = harness;
    await harness.run(() => {
      harness.emit();
      harness.emit();
    });
    await harness.run(
      () => store.cut(),
      () => store.executeZombie(0),
    );
    await reconnected(harness);
    expect(harness.stats).toMatchObject({ delivered: 3, duplicatesSuppressed: 2 });
    await harness.run(
      () => store.failover(),
      () => store.cut(),
    );
    await harness.heal();
    expect(harness.stored).toEqual(['r1', 'r2', 'r3']);
    expect(harness.stats.dropped).toEqual({});
  });

  it('goes on after a failover to before everything that was kept, and counts what that lost', async () => {
    const harness = new PipelineHarness();
    const { store, runtime } = harness;
    harness.emit();
    await harness.start();
    await harness.serve();
    expect(harness.stats.delivered).toBe(2);
    await harness.run(() => runtime.advance(10_000));
    // The question whether all is there still: it was.
    await harness.serve();
    await harness.run(
      () => store.failover(),
      () => harness.emit(),
    );
    await harness.heal();
    expect(harness.stored).toEqual(['r3']);
    expect(harness.stats).toMatchObject({ delivered: 1, dropped: { rolled_back: 2 } });
  });

  it('goes on after a record that was set aside, whose number will never be stored', async () => {
    const harness = new PipelineHarness({ maxRecords: 1 });
    harness.emit(9, true);
    await harness.start();
    await harness.heal();
    expect(harness.stored).toEqual(['r2']);
    expect(harness.stats).toMatchObject({ delivered: 1, dropped: { rejected: 1 } });
    expect(harness.store.primary.guards['p1']).toMatchObject({ seq: 2, holes: 1, shed: 0 });
  });

  it('sets only the bad record aside when a late request failed at it before', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    harness.emit();
    harness.emit(9, true);
    harness.emit();
    await harness.start();
    await harness.run(
      () => store.cut(),
      () => store.executeZombie(0),
    );
    expect(harness.stored).toEqual(['r1']);
    await harness.heal();
    expect(harness.stored).toEqual(['r1', 'r3', 'r4']);
    expect(harness.dropped.get('rejected')).toEqual(['bad2']);
  });

  it('counts of a batch that was stored in half only that half as delivered', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    harness.emit();
    harness.emit(9, true);
    await harness.run(() => store.reconnect());
    await harness.serve();
    await harness.run(
      () => store.cut(),
      () => store.executeZombie(0),
    );
    await reconnected(harness);
    expect(harness.stats).toMatchObject({ delivered: 1, inFlight: 1, duplicatesSuppressed: 1 });
    await harness.heal();
    expect(harness.stats).toMatchObject({ delivered: 1, inFlight: 0, dropped: { rejected: 1 } });
  });

  it('tells readers apart records that were shed and numbers that will never come', async () => {
    const harness = new PipelineHarness({ queueRecords: 2 });
    const { store } = harness;
    for (let record = 0; record < 5; record++) harness.emit();
    harness.emit(17, true);
    await harness.run(() => store.reconnect());
    await harness.heal();
    expect(harness.stored).toEqual(['r5']);
    expect(harness.stats.dropped).toEqual({ queue_full: 4, rejected: 1 });
    expect(store.primary.guards['p1']).toMatchObject({ seq: 1, holes: 1, shed: 4 });
  });

  it('does not store late what it has counted as rolled back', async () => {
    const harness = await withOneDelivered();
    const { store, runtime } = harness;
    await harness.run(() => {
      harness.emit();
      harness.emit();
    });
    await harness.run(() => store.cut());
    await reconnected(harness);
    await harness.serve();
    expect(harness.stats.delivered).toBe(3);
    await harness.run(() => runtime.advance(10_000));
    await harness.serve();
    await harness.run(
      () => store.failover(),
      () => store.cut(),
    );
    await reconnected(harness);
    expect(harness.stats).toMatchObject({ delivered: 1, dropped: { rolled_back: 2 } });
    await harness.run(() => store.executeZombie(0));
    await harness.heal();
    expect(harness.stored).toEqual(['r1']);
    expect(store.counts.zombies).toBe(1);
  });

  it('begins under a new id after a restart, so that no number is used twice', async () => {
    const first = await withOneDelivered();
    await first.heal();
    const second = new PipelineHarness({ producers: 'q' });
    second.store.primary = first.store.primary;
    await second.start();
    await second.heal();
    const numbers = second.store.primary.entries.map((entry) => `${entry.producer}:${entry.seq}`);
    expect(numbers).toEqual(['p1:1', 'q1:1']);
  });

  it('stores a record once when a first OPEN thought lost arrives after the guard was lost', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    harness.emit();
    await harness.run(() => store.reconnect());
    await harness.run(() => store.cut());
    await reconnected(harness);
    await harness.serve();
    await harness.run(
      () => store.loseGuards(),
      () => store.executeZombie(0),
    );
    harness.emit();
    await harness.heal();
    expect(harness.stored).toEqual(['r1', 'r2']);
    expect(harness.stats.possibleDuplicates).toBe(0);
  });
});

describe('Exactly-once delivery, where nobody can tell what was stored', () => {
  it('sends again under a new id, and counts every record that may be there twice', async () => {
    const harness = await withOneDelivered();
    const { store } = harness;
    harness.emit();
    await harness.settle();
    await harness.run(
      () => store.execute(),
      () => store.cut(),
      () => store.loseGuards(),
      () => store.trim(2),
    );
    await harness.heal();
    expect(harness.stored).toEqual(['r1', 'r2', 'r1', 'r2']);
    expect(harness.stats).toMatchObject({ delivered: 2, possibleDuplicates: 2, retried: 2 });
    expect(store.primary.entries.map((entry) => entry.producer)).toEqual(['p2', 'p2']);
  });
});

describe('Closing in exactly-once delivery', () => {
  it('asks once more whether everything is there, and sends again what a failover forgot', async () => {
    const harness = await withOneDelivered();
    harness.emit();
    await harness.settle();
    await harness.serve();
    harness.store.failover();
    expect(await harness.heal()).toMatchObject({ delivered: 2, timedOut: false });
    expect(harness.stored).toEqual(['r1', 'r2']);
  });

  it('waits for a lost connection when what it acknowledged last may have been lost with it', async () => {
    const harness = new PipelineHarness();
    const { store } = harness;
    await harness.start();
    await harness.serve();
    await harness.run(
      () => store.flushAll(),
      () => store.cut(),
    );
    expect(await harness.heal()).toMatchObject({ delivered: 1, timedOut: false });
    expect(harness.stored).toEqual(['r1']);
  });

  it('does not wait for a lost connection when everything was acknowledged long ago', async () => {
    const harness = await withOneDelivered();
    await harness.run(
      () => harness.runtime.advance(10_000),
      () => harness.store.cut(),
    );
    expect(await harness.pipeline.close(1_000)).toMatchObject({ delivered: 1, timedOut: false });
  });
});

describe('A failure of the server that says that nothing was stored', () => {
  it('is answered by asking for the truth and sending again', async () => {
    const harness = await withOneDelivered();
    const { store } = harness;
    harness.emit();
    await harness.settle();
    await harness.run(
      () => store.refuse({ kind: 'circuit', token: 'WRONGTYPE', text: '', persisted: 'no' }),
      () => store.reply(),
    );
    expect(store.unexecuted).toBe(0);
    await harness.heal();
    expect(harness.stored).toEqual(['r1', 'r2']);
    expect(harness.stats).toMatchObject({ retried: 1, duplicatesSuppressed: 0 });
  });

  it('makes exactly-once delivery that was asked for wait, where it says that scripts are refused', async () => {
    const harness = new PipelineHarness({ deliveryIsExplicit: true });
    const { store } = harness;
    const scripts = { kind: 'no-scripts', token: 'NOPERM', text: '', persisted: 'no' } as const;
    harness.emit();
    await harness.run(
      () => store.reconnect(),
      () => store.refuse(scripts),
      () => store.reply(),
      () => harness.runtime.advance(60_000),
      () => store.refuse(scripts),
      () => store.reply(),
    );
    expect(harness.stats).toMatchObject({ queued: 1, delivered: 0, delivery: 'exactly-once' });
    await harness.heal();
    expect(harness.stored).toEqual(['r1']);
    expect(harness.weakened).toEqual([]);
  });
});
