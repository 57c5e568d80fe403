import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Child, startApp } from '../soak/child.js';
import type { Sample } from '../soak/protocol.js';
import { IS_LONG_RUN, report } from '../support/long-run.js';
import { audit } from '../support/oracle.js';
import { startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const STREAM = 'logs:frozen';
const NAME = 'app';
const RATE = 10_000;
const ROUNDS = 3;
const PHASE_MS = IS_LONG_RUN ? 20_000 : 1_200;
/** How much later the loop may be, in 99 of 100 looks, than it was before. */
const TOLERANCE_MS = 5;
const CLOSE_TIMEOUT_MS = 1_000;

/** How late the application's event loop was in 99 of 100 looks of one phase. */
async function loopDelay(app: Child<Sample>): Promise<number> {
  await app.ask('measure');
  await delay(PHASE_MS);
  return (await app.ask('sample')).loopDelay.p99;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN;
}

it(
  'A server that is stopped leaves the event loop of the application alone, and lets it close by its deadline',
  async () => {
    await using server = await startRedisServer();
    const settings = { url: server.url, stream: STREAM, names: [NAME], rate: RATE };
    await using app = await startApp({ ...settings, closeTimeoutMs: CLOSE_TIMEOUT_MS });
    const before: number[] = [];
    const during: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await until(async () => (await app.ask('sample')).stats[NAME]?.queued === 0, { timeoutMs: 20_000 });
      before.push(await loopDelay(app));
      await server.pause();
      during.push(await loopDelay(app));
      const { stats } = await app.ask('sample');
      expect(stats[NAME]?.queued).toBeGreaterThan(RATE / 2);
      if (round < ROUNDS - 1) await server.resume();
    }
    const { closedInMs, closed, stats, wrongAccounts } = await app.ask('finish');
    if (IS_LONG_RUN) report({ 'p99 before': median(before), 'p99 while stopped': median(during) });
    expect(median(during)).toBeLessThan(median(before) + TOLERANCE_MS);
    expect(closedInMs).toBeLessThan(CLOSE_TIMEOUT_MS + 500);
    expect(closed?.[NAME]).toMatchObject({ timedOut: true, pending: 0 });
    expect(wrongAccounts).toBe(0);
    await server.resume();
    const { delivered = 0, unconfirmed = 0 } = stats[NAME] ?? {};
    expect(unconfirmed).toBeGreaterThan(0);
    const found = await audit(server.client(), STREAM, NAME);
    expect(found).toMatchObject({ corrupt: [], duplicates: 0 });
    expect(found.unique.size).toBeGreaterThanOrEqual(delivered);
    expect(found.unique.size).toBeLessThanOrEqual(delivered + unconfirmed);
  },
  IS_LONG_RUN ? 300_000 : undefined,
);
