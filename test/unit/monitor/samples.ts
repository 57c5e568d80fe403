import type { GroupSample, MonitorSample, StreamSample } from 'nestjs-redis-log/monitor';

/** A group that is fine, but for what is given. */
export function groupSample(given: Partial<GroupSample>): GroupSample {
  return {
    stream: 'logs:shop',
    group: 'etl',
    status: 'OK',
    since: new Date(0),
    advice: 'Nothing to do.',
    lag: { kind: 'exact', entries: 0 },
    redisLag: 0,
    timeBehindMs: 0,
    pending: 0,
    oldestPending: undefined,
    lastDeliveredId: '1-0',
    entriesRead: 1,
    readPerSecond: undefined,
    acknowledgedPerSecond: undefined,
    lost: { kind: 'exact', entries: 0 },
    losingInMs: undefined,
    retentionUsed: undefined,
    consumers: [],
    ...given,
  };
}

/** A sample of one stream with these groups. */
export function sampleWith(groups: readonly GroupSample[], given: Partial<StreamSample> = {}): MonitorSample {
  const stream: StreamSample = {
    stream: 'logs:shop',
    serverMs: 1_700_000_000_000,
    exists: true,
    problem: undefined,
    length: 100,
    entriesAdded: 100,
    addedPerSecond: undefined,
    removedPerSecond: undefined,
    firstEntryId: '1-0',
    lastGeneratedId: '100-0',
    oldestAgeMs: 1_000,
    newestAgeMs: 0,
    memoryBytes: undefined,
    deadLetters: 0,
    errors: undefined,
    groups,
    producers: [],
    ...given,
  };
  return { at: new Date(0), streams: [stream], servers: [] };
}
