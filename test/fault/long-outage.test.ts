import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { startApp } from '../soak/child.js';
import type { AppSettings, Sample } from '../soak/protocol.js';
import { IS_LONG_RUN, report } from '../support/long-run.js';
import { type Audit, audit, droppedOf, ERROR, severityOf } from '../support/oracle.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { useRedisServer } from '../support/use-redis-server.js';

const STREAM = 'logs:outage';
const NAME = 'app';
const RATE = 10_000;
const OUTAGE_SECONDS = IS_LONG_RUN ? 60 : 5;
/** Until the memory of an application that logs so much is steady. */
const WARM_UP_MS = IS_LONG_RUN ? 20_000 : 2_000;
const MIB = 1024 * 1024;
/** In the outage: the queue's bytes, and what is kept for a failover, and a fifth more. */
const QUEUE_MIB = 64;
const GROWTH_CEILING_MIB = (QUEUE_MIB + 16) * 1.2;
/** Smaller than what comes in the outage, and larger than the errors among it. */
const QUEUE_RECORDS = IS_LONG_RUN ? 100_000 : 10_000;

const redis = useRedisServer();
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'redis-log-outage-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

interface Course {
  readonly base: Sample;
  /** At the end of the outage. */
  readonly during: Sample;
  readonly final: Sample;
  readonly found: Audit;
}

/** An application in a process of its own logs, loses Redis, logs on, gets it back, and ends in good order. */
async function throughOutage(spool: AppSettings['spool']): Promise<Course> {
  await using proxy = await startTcpProxy(redis.server);
  const queue = { maxRecords: QUEUE_RECORDS, maxBytes: QUEUE_MIB * MIB };
  const settings = { url: proxy.url, stream: STREAM, names: [NAME], rate: RATE, queue };
  await using app = await startApp({ ...settings, ...(spool === undefined ? {} : { spool }) });
  await delay(WARM_UP_MS);
  const base = await app.ask('measure');
  await proxy.set({ refuse: true });
  proxy.cut();
  const enough = (base.emitted[NAME] ?? 0) + OUTAGE_SECONDS * RATE;
  const isOver = async (): Promise<boolean> => ((await app.ask('sample')).emitted[NAME] ?? 0) >= enough;
  await until(isOver, { what: 'the outage', timeoutMs: 2_000 * OUTAGE_SECONDS, intervalMs: 100 });
  const during = await app.ask('sample');
  await proxy.heal();
  const final = await app.ask('finish');
  return { base, during, final, found: await audit(redis.client, STREAM, NAME) };
}

/** Catching up at full speed makes much garbage, and V8 gives memory back late: that is no record kept too long. */
function expectBoundedMemory({ base, during, final }: Course): void {
  const growth = (sample: Sample): number => (sample.maxRssBytes - base.rssBytes) / MIB;
  expect(growth(during)).toBeLessThan(GROWTH_CEILING_MIB);
  expect(growth(final)).toBeLessThan(2 * GROWTH_CEILING_MIB);
}

function figures({ base, during, final }: Course): Record<string, string> {
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  return {
    RSS: `${mib(base.rssBytes)} before, ${mib(during.maxRssBytes)} in the outage, ${mib(final.maxRssBytes)} at most`,
    account: JSON.stringify(final.stats[NAME]),
  };
}

/** What holds for every outage: each record is in the stream once and in order, or counted. */
function expectExact({ final, found }: Course): readonly number[] {
  const stats = final.stats[NAME];
  if (stats === undefined) throw new Error('The application gave no account.');
  const emitted = final.emitted[NAME] ?? 0;
  expect(found).toMatchObject({ corrupt: [], duplicates: 0, inOrder: true });
  expect(final).toMatchObject({ wrongAccounts: 0, closed: { [NAME]: { pending: 0, unconfirmed: 0 } } });
  expect(stats).toMatchObject({ emitted, delivered: found.unique.size, spooled: 0, possibleDuplicates: 0 });
  const missing = Array.from({ length: emitted }, (_, at) => at + 1).filter((n) => !found.unique.has(n));
  expect(missing).toHaveLength(droppedOf(stats));
  return missing;
}

describe(
  `An outage of ${OUTAGE_SECONDS} s at 10,000 records a second`,
  { timeout: IS_LONG_RUN ? 300_000 : 60_000 },
  () => {
    it('is bridged by a spool: every record is delivered, in order, and memory stays within its bound', async () => {
      const spool = { directory: join(directory, 'spool'), notes: join(directory, 'notes') };
      const course = await throughOutage(spool);
      expect(course.during.stats[NAME]?.spooled).toBeGreaterThan((OUTAGE_SECONDS * RATE) / 2);
      expect(expectExact(course)).toEqual([]);
      expect(course.final.stats[NAME]?.dropped).toEqual({});
      expect(readdirSync(spool.directory)).toEqual([]);
      if (IS_LONG_RUN) report(figures(course));
      expectBoundedMemory(course);
    });

    it('without a spool costs what is counted and no error, and memory stays within its bound', async () => {
      const course = await throughOutage(undefined);
      expect(course.during.stats[NAME]?.queued).toBe(QUEUE_RECORDS);
      const missing = expectExact(course);
      expect(missing.length).toBeGreaterThan(0);
      expect(Object.keys(course.final.stats[NAME]?.dropped ?? {})).toEqual(['queue_full']);
      // Lesser records waited all the time, since the queue holds more than there were errors.
      expect(missing.filter((n) => severityOf(n) === ERROR)).toEqual([]);
      if (IS_LONG_RUN) report(figures(course));
      expectBoundedMemory(course);
    });
  },
);
