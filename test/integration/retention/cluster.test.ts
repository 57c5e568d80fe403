import { partitionStreams, RedisLogWriter } from 'nestjs-redis-log/core';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { until } from '../../support/until.js';

const STREAM = 'logs:shop';
const PARTITIONS = 3;

describe('In a Cluster, retention', () => {
  it('asks the node of each stream about its groups and its memory', async () => {
    await using cluster = await startRedisCluster({ config: ['maxmemory 128mb'] });
    const admin = cluster.client();
    const streams = partitionStreams(STREAM, PARTITIONS);
    const [read = '', unread = '', small = ''] = streams;
    for (const stream of streams) await admin.xgroup('CREATE', stream, 'etl', '0', 'MKSTREAM');
    // One node has far less memory than the others.
    for (const master of cluster.masters) {
      const keys = await master.client().keys(small);
      if (keys.length > 0) await master.client().config('SET', 'maxmemory', '16mb');
    }
    const lines: string[] = [];
    const retention = { maxLength: 5_000, maxMemoryShare: 0.01, keepFor: ['etl'], hardMaxLength: 100_000 };
    await using writer = new RedisLogWriter(
      {
        connection: { cluster: cluster.startupNodes },
        stream: STREAM,
        partitions: { count: PARTITIONS, by: ({ body }) => String(body) },
        retention,
      },
      { diagnostics: createDiagnostics({ write: (line) => lines.push(line) }) },
    );
    let written = 0;
    const write = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) writer.emit({ body: `record ${written++}` });
      await writer.flush();
    };
    for (let round = 0; round < 8; round++) await write(3_000);
    const before = await Promise.all(streams.map((stream) => admin.xlen(stream)));
    expect(before.reduce((sum, length) => sum + length)).toBe(written);

    for (const stream of [read, small]) {
      const info = (await admin.xinfo('STREAM', stream)) as unknown[];
      const last = String(info[info.indexOf('last-generated-id') + 1]);
      await admin.xgroup('SETID', stream, 'etl', last);
    }
    const lengthOf = (stream: string): Promise<number> => admin.xlen(stream);
    await until(
      async () => {
        await write(60);
        // A hundredth of 16 MiB is some 1,300 entries by the server's estimate, and of 128 MiB more than `maxLength`.
        return (await lengthOf(read)) < 5_200 && (await lengthOf(small)) < 2_500;
      },
      { what: 'what is acknowledged to go', timeoutMs: 20_000 },
    );
    expect(await lengthOf(read)).toBeGreaterThanOrEqual(5_000);
    expect(await lengthOf(unread)).toBeGreaterThan(before[1] ?? 0);
    expect(writer.stats()).toMatchObject({ delivered: written, trimmedUnacknowledged: 0 });
    expect(lines).toEqual([]);
  }, 60_000);
});
