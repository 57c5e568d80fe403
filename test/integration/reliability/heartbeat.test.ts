import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fasterRuntime } from '../../support/faster-runtime.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { OracleWriter } from '../../support/oracle.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { resp, startScriptedRespServer } from '../../support/scripted-resp-server.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

/** Ten seconds of silence take 0.2 s, and the 5 s for an answer 0.1 s. */
const FASTER = 50;

let server: RedisServer;
let proxy: TcpProxy;

beforeEach(async () => {
  server = await startRedisServer();
  proxy = await startTcpProxy(server);
});

afterEach(async () => {
  await proxy.close();
  await server.stop();
});

async function pings(): Promise<number> {
  const stats = await server.client().info('commandstats');
  return Number(/cmdstat_ping:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe('an idle connection', () => {
  it('that nothing comes through any more is replaced before the next record needs it', async () => {
    await using oracle = new OracleWriter({ connection: proxy.url }, fasterRuntime(FASTER));
    oracle.emit(10);
    await oracle.delivered(10);
    const { connections } = proxy.counts;
    await proxy.set({ blackHole: true });
    await until(() => oracle.lines.some((line) => line.includes('is not usable')), { timeoutMs: 10_000 });
    await proxy.heal();
    await until(() => oracle.lines.some((line) => line.includes('answers again')), { timeoutMs: 10_000 });
    expect(proxy.counts.connections).toBeGreaterThan(connections);
    // No try is lost on the dead connection.
    oracle.emit(10);
    await oracle.delivered(20);
    expect(oracle.stats.retried).toBe(0);
    await expectAllOnce(oracle, server.client());
    await expectClosed(oracle);
  });

  it('that works stays as it is', async () => {
    await using oracle = new OracleWriter({ connection: proxy.url }, fasterRuntime(FASTER));
    oracle.emit(1);
    await oracle.delivered(1);
    const before = await pings();
    await until(async () => (await pings()) >= before + 3);
    expect(proxy.counts.connections).toBe(1);
    expect(oracle.lines).toEqual([]);
  });

  it('whose user may not PING counts as alive', async () => {
    await using denying = await startScriptedRespServer(({ name, args }) => {
      if (name === 'PING') return resp.error("NOPERM User x has no permissions to run the 'ping' command");
      if (name === 'EVAL') return resp.value(['GUARD', '0', '0-0', args[10] ?? '']);
      return name === 'EVALSHA' ? resp.value(['OK', '1-1', '']) : undefined;
    });
    await using oracle = new OracleWriter({ connection: denying.url }, fasterRuntime(FASTER));
    oracle.emit(1);
    await until(() => denying.received('PING').length >= 3, { timeoutMs: 10_000 });
    expect(denying.connections).toBe(1);
    expect(oracle.lines.join('\n')).not.toContain('not usable');
  });
});

describe('a busy connection', () => {
  it('is sent no heartbeat', async () => {
    await using oracle = new OracleWriter({ connection: proxy.url }, fasterRuntime(FASTER));
    oracle.emit(1);
    await oracle.delivered(1);
    const before = await pings();
    // Longer than the silence that would be asked about, in steps that are shorter.
    const end = performance.now() + 600;
    for (let count = 1; performance.now() < end; count++) {
      oracle.emit(1);
      await oracle.delivered(1 + count);
    }
    expect(await pings()).toBe(before);
    await expectClosed(oracle);
  });
});
