import { describe, expect, it } from 'vitest';
import { CountBudget } from '../../../src/monitor/count-budget.js';
import { LagTracker } from '../../../src/monitor/lag.js';
import { streamState, type StreamState } from '../../../src/redis/monitor-replies.js';

/** What Redis 6.2 answers to XINFO STREAM FULL: without entries-added, entries-read, lag and deleted ids. */
function reply(length: number, lastDelivered: string): unknown[] {
  const entries = length === 0 ? [] : [['1-0', ['a', 'b']]];
  const consumer = [
    'name',
    'c1',
    'seen-time',
    1_700_000_000_000,
    'pel-count',
    1,
    'pending',
    [['1-0', 1_700_000_000_000, 1]],
  ];
  const group = ['name', 'etl', 'last-delivered-id', lastDelivered, 'pel-count', 1];
  const pending = ['pending', [['1-0', 'c1', 1_700_000_000_000, 1]], 'consumers', [consumer]];
  return [
    ...['length', length, 'radix-tree-keys', 1, 'radix-tree-nodes', 2, 'last-generated-id', `${length}-0`],
    ...['entries', entries, 'groups', [[...group, ...pending]]],
  ];
}

async function lagOf(state: StreamState, limit: number) {
  const tracker = new LagTracker(async ({ from }, most) => {
    const first = Number.parseInt(from.replace('(', ''), 10) + (from.startsWith('(') ? 1 : 0);
    const entries = Math.min(most, state.length - first + 1);
    return { entries, isComplete: entries < most, lastId: `${first + entries - 1}-0` };
  });
  const [group] = state.groups;
  if (group === undefined) throw new Error('There is no group.');
  return (await tracker.read(state, group, new CountBudget(limit, 1))).lag;
}

describe('On Redis 6.2, which counts nothing', () => {
  it('what it does not tell is unknown', () => {
    const state = streamState(reply(10, '4-0'));
    expect(state).toMatchObject({
      length: 10,
      entriesAdded: undefined,
      maxDeletedId: undefined,
      firstId: '1-0',
    });
    expect(state.groups[0]).toMatchObject({ entriesRead: undefined, lag: undefined, pending: 1 });
    expect(state.groups[0]?.consumers).toEqual([
      { name: 'c1', seenAtMs: 1_700_000_000_000, activeAtMs: undefined, pending: 1 },
    ]);
  });

  it('lags are counted, or known where all or nothing was delivered, or said to be unknown', async () => {
    expect(await lagOf(streamState(reply(10, '7-0')), 100)).toEqual({ kind: 'exact', entries: 3 });
    expect(await lagOf(streamState(reply(10, '10-0')), 0)).toEqual({ kind: 'exact', entries: 0 });
    expect(await lagOf(streamState(reply(10, '0-0')), 0)).toEqual({ kind: 'exact', entries: 10 });
    expect(await lagOf(streamState(reply(0, '0-0')), 0)).toEqual({ kind: 'exact', entries: 0 });
    expect(await lagOf(streamState(reply(1_000, '600-0')), 100)).toEqual({ kind: 'at-least', entries: 50 });
    expect(await lagOf(streamState(reply(1_000, '600-0')), 0)).toMatchObject({ kind: 'unknown' });
  });
});
