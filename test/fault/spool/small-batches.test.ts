import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { IMPATIENT, OracleWriter } from '../../support/oracle.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const redis = useRedisServer();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'redis-log-small-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

/** How often Redis was called by that command. */
async function calls(command: string): Promise<number> {
  const stats = await redis.client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('An outage in which records come one by one', () => {
  it('heals in few requests while more go on coming, in order', async () => {
    const outage = 10_000;
    await using proxy = await startTcpProxy(redis.server);
    await using oracle = new OracleWriter({ connection: proxy.url, spool: { directory } }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    await proxy.set({ refuse: true });
    proxy.cut();
    while (oracle.emitted < outage) {
      oracle.emit(1);
      await new Promise(setImmediate);
    }
    await until(() => oracle.stats.spooled > outage - 1_000);
    await redis.client.config('RESETSTAT');
    await proxy.heal();
    while (oracle.stats.delivered < outage) {
      oracle.emit(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // Alone they would be ten thousand.
    expect((await calls('evalsha')) + (await calls('eval'))).toBeLessThan(outage / 4);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(readdirSync(directory)).toEqual([]);
  });
});
