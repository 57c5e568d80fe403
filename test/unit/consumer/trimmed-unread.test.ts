import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrimmedUnread } from '../../../src/consumer/trimmed-unread.js';
import type { GroupProgress } from '../../../src/redis/group-store.js';

/** A stream with one group, as Redis counts, and the truth beside it. */
class Model {
  added = 0;
  /** The newest entry that was trimmed; entries are numbered from 1. */
  trimmed = 0;
  delivered = 0;
  entriesRead = 0;
  lost = 0;

  add(count: number): void {
    this.added += count;
  }

  read(count: number): void {
    for (let i = 0; i < count && Math.max(this.delivered, this.trimmed) < this.added; i++) {
      this.delivered = Math.max(this.delivered, this.trimmed) + 1;
      this.entriesRead += 1;
    }
  }

  trim(count: number): void {
    const upTo = Math.min(this.added, this.trimmed + count);
    this.lost += Math.max(0, upTo - Math.max(this.delivered, this.trimmed));
    this.trimmed = upTo;
  }

  get canTell(): boolean {
    return this.delivered === this.added || this.delivered < this.trimmed;
  }

  get progress(): GroupProgress {
    const id = (number: number): string => (number === 0 ? '0-0' : `${number}-1`);
    return {
      lastDeliveredId: id(this.delivered),
      pending: 0,
      entriesRead: this.entriesRead,
      entriesAdded: this.added,
      length: this.added - this.trimmed,
      firstId: this.trimmed === this.added ? undefined : id(this.trimmed + 1),
      lastGeneratedId: id(this.added),
    };
  }
}

const begun = (): Model => {
  const model = new Model();
  model.add(10);
  model.read(10);
  return model;
};

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('add', 'read', 'trim'), count: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('look'), count: fc.constant(0) }),
  ),
  { maxLength: 60 },
);

function play(model: Model, step: { readonly kind: string; readonly count: number }): void {
  if (step.kind === 'add') model.add(step.count);
  else if (step.kind === 'read') model.read(step.count);
  else if (step.kind === 'trim') model.trim(step.count);
}

describe('Entries that were trimmed unread', () => {
  it('are counted exactly, whenever it can be told', () => {
    const property = fc.property(steps, (all) => {
      const model = begun();
      const watch = new TrimmedUnread();
      let counted = watch.count(model.progress);
      for (const step of all) {
        play(model, step);
        if (step.kind !== 'look') continue;
        counted += watch.count(model.progress);
        expect(counted).toBeLessThanOrEqual(model.lost);
        // Between the two, what was lost is told by the next look that can.
        if (model.canTell) expect(counted).toBe(model.lost);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it('are none after a failover that forgot how far the group had read, however often there is one', () => {
    const property = fc.property(steps, fc.infiniteStream(fc.nat(15)), (all, forgotten) => {
      const model = begun();
      const watch = new TrimmedUnread();
      watch.count(model.progress);
      for (const step of all) {
        // Only what was read is trimmed here, and not the last of it: nothing is ever lost.
        if (step.kind === 'trim')
          model.trim(Math.min(step.count, Math.max(0, model.delivered - 1 - model.trimmed)));
        else play(model, step);
        expect(watch.count(model.progress)).toBe(0);
        if (step.kind !== 'look') continue;
        model.entriesRead = Math.max(0, model.entriesRead - (forgotten.next().value ?? 0));
        watch.reconnected();
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it('are told by the first look of a consumer that starts later, and by no further one', () => {
    const model = begun();
    model.add(20);
    model.trim(25);
    const first = new TrimmedUnread();
    expect(first.count(model.progress)).toBe(15);
    model.read(3);
    expect(first.count(model.progress)).toBe(0);
    expect(new TrimmedUnread().count(model.progress)).toBe(0);
    model.read(20);
    expect(new TrimmedUnread().count(model.progress)).toBe(0);
  });

  it('are none for a group that begins at the start of a stream that was trimmed before', () => {
    const model = new Model();
    model.add(100);
    model.trim(60);
    const watch = new TrimmedUnread();
    expect(watch.count({ ...model.progress, entriesRead: undefined })).toBe(0);
    model.read(40);
    expect(watch.count({ ...model.progress, entriesRead: 100 })).toBe(0);
  });

  it('are those that left the stream since the last look, where the server lost count of the group', () => {
    const model = begun();
    const watch = new TrimmedUnread();
    watch.count(model.progress);
    model.add(20);
    model.trim(25);
    expect(watch.count({ ...model.progress, entriesRead: undefined })).toBe(15);
  });
});
