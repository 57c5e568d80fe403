import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { IMPATIENT, OracleWriter } from '../../support/oracle.js';
import { requireRedisBinary } from '../../support/redis-binary.js';
import { startRedisProcess } from '../../support/redis-process.js';
import { startRedisServer } from '../../support/redis-server.js';

const STREAM = 'logs:oracle';

/** A stream and its helper keys, as docs/operations.md says: the value by DUMP, and the time to live. */
async function backUp(client: Redis): Promise<(() => Promise<void>)[]> {
  const keys = [STREAM, ...(await client.keys(`{${STREAM}}:*`))];
  expect(keys.length).toBeGreaterThanOrEqual(4);
  const saved = keys.map(async (key) => {
    const [value, ttl] = [await client.dumpBuffer(key), await client.pttl(key)];
    return async (): Promise<void> => {
      if (value !== null) await client.restore(key, Math.max(0, ttl), value, 'REPLACE');
    };
  });
  return Promise.all(saved);
}

async function restore(client: Redis, keys: readonly (() => Promise<void>)[]): Promise<void> {
  await client.flushall();
  for (const key of keys) await key();
}

describe('a stream that is restored from a backup with its helper keys', () => {
  it('goes on as if nothing had been, and what came after the backup is sent again', async () => {
    await using server = await startRedisServer();
    const client = server.client();
    await using oracle = new OracleWriter({ connection: server.url });
    oracle.emit(500);
    await oracle.delivered(500);
    const backup = await backUp(client);
    oracle.emit(300);
    await oracle.delivered(800);
    await restore(client, backup);
    expect(await client.xlen(STREAM)).toBe(500);
    oracle.emit(200);
    await expectClosed(oracle);
    await expectAllOnce(oracle, client);
    expect(oracle.stats).toMatchObject({ delivered: 1_000, possibleDuplicates: 0 });
    expect(await client.hlen(`{${STREAM}}:resources`)).toBe(1);
  });

  it('serves a process that starts after the restore, too', async () => {
    await using server = await startRedisServer();
    const client = server.client();
    await using before = new OracleWriter({ connection: server.url });
    before.emit(100);
    await expectClosed(before);
    await restore(client, await backUp(client));
    await using after = new OracleWriter({ connection: server.url });
    after.emit(50);
    await expectClosed(after);
    const { numbers, corrupt } = await after.audit(client);
    expect(corrupt).toEqual([]);
    expect(numbers).toEqual([...Array(100).keys(), ...Array(50).keys()].map((n) => n + 1));
  });

  it('is the same when the backup is a copy of the RDB file, brought back under a producer that runs', async () => {
    const binary = requireRedisBinary('A restore from a file');
    await using server = await startRedisProcess({ binary });
    await using oracle = new OracleWriter({ connection: server.url }, IMPATIENT);
    oracle.emit(500);
    await oracle.delivered(500);
    await server.client().save();
    const [file, copy] = [join(server.directory, 'dump.rdb'), join(server.directory, 'copy.rdb')];
    await copyFile(file, copy);
    oracle.emit(300);
    await oracle.delivered(800);
    await server.kill();
    await copyFile(copy, file);
    oracle.emit(200);
    await server.start();
    await expectClosed(oracle);
    expect(oracle.stats).toMatchObject({ delivered: 1_000, possibleDuplicates: 0 });
    await expectAllOnce(oracle, server.client());
  });
});
