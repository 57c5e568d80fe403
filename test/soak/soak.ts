import { setTimeout as delay } from 'node:timers/promises';
import type { LogStats } from '../../src/core.js';
import { seeded } from '../support/oracle.js';
import { requireRedisBinary } from '../support/redis-binary.js';
import { startRedisProcess } from '../support/redis-process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { startApp, startVerifier } from './child.js';
import { FAULTS, rewriteAppendOnlyFile, type Surroundings, whole } from './faults.js';
import { type FaultRecord, reportOf, type SoakReport } from './report.js';
import { startSpooledApp } from './spooled-app.js';

const STREAM = 'logs:soak';
/** Two, so that the order of each is kept between the records of the other. */
const NAMES = ['one', 'two'];
/** Of the rate, for the app that has a spool and is killed now and then. */
const SPOOLED_SHARE = 0.2;
/** Memory is steady after 15 s at 10,000 records a second; a short run has less time, and asks for less. */
const WARM_UP_MS = { shortest: 3_000, longest: 20_000 };
/** An append-only file is read at every start, so that it must not grow with the run. */
const REWRITE_EVERY_MS = 30_000;
/** After that a run is broken off; what is asserted is much less. */
const RECOVERY_LIMIT_MS = 30_000;

export interface SoakOptions {
  /** Longer where it takes longer until every kind of fault has come once. */
  readonly seconds: number;
  /** Records per second. Default 10,000. */
  readonly rate?: number;
  /**
   * So late may the app's event loop be in 99 of 100 looks. Default 50 ms: its own work must leave it free. A machine
   * that is busy with other things needs more.
   */
  readonly loopDelayCeilingMs?: number;
  /** Repeats the faults of an earlier run. Default: by chance. */
  readonly seed?: number;
  /** Told what happens, a line at a time. */
  readonly say?: (line: string) => void;
}

/** Logs at a steady rate through one fault after another, and accounts for every record. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seconds, rate = 10_000, seed = Math.floor(Math.random() * 2 ** 31), say = () => {} } = options;
  const { loopDelayCeilingMs = 50 } = options;
  const binary = requireRedisBinary('The soak');
  const config = ['auto-aof-rewrite-percentage 0'];
  await using server = await startRedisProcess({ binary, appendOnly: true, config });
  await using proxy = await startTcpProxy(server);
  const client = server.client({ maxRetriesPerRequest: null });
  const target = { url: proxy.url, stream: STREAM };
  await using app = await startApp({ ...target, names: NAMES, rate: rate * (1 - SPOOLED_SHARE) });
  await using spooled = await startSpooledApp({ ...target, rate: rate * SPOOLED_SHARE });
  await using verifier = await startVerifier({ url: server.url, stream: STREAM });
  await delay(Math.min(WARM_UP_MS.longest, Math.max(WARM_UP_MS.shortest, seconds * 100)));
  const base = await app.ask('measure');
  let takenBack = 0;
  const around: Surroundings = {
    ...{ server, proxy, client, app, spooled, stream: STREAM },
    random: seeded(seed),
    takenBack: (records) => {
      takenBack += records;
    },
  };
  const startedAt = performance.now();
  const faults = await faultAfterFault({ around, say, endAt: startedAt + seconds * 1_000 });
  const [final, spooledFinal] = await Promise.all([app.ask('finish'), spooled.ask('finish')]);
  const verified = await verifier.ask('finish');
  const ranSeconds = (performance.now() - startedAt) / 1_000;
  const course = { seed, rate, seconds: ranSeconds, loopDelayCeilingMs, faults, takenBack };
  const spoolResult = { lives: spooled.lives, name: spooled.name, final: spooledFinal };
  return reportOf({ ...course, base, final, verified, spooled: spoolResult });
}

interface Course {
  readonly around: Surroundings;
  readonly say: (line: string) => void;
  readonly endAt: number;
}

/** Every kind once in an order of chance, then every kind again. */
async function faultAfterFault({ around, say, endAt }: Course): Promise<FaultRecord[]> {
  const { client, random } = around;
  const records: FaultRecord[] = [];
  const longestPauseMs = Math.min(4_000, Math.max(300, (endAt - performance.now()) / 100));
  let rewrittenAt = performance.now();
  let bag: string[] = [];
  while (performance.now() < endAt || records.length < Object.keys(FAULTS).length) {
    await delay(whole(random, 100, longestPauseMs));
    if (bag.length === 0) bag = shuffled(Object.keys(FAULTS), random);
    const name = bag.pop() ?? '';
    const from = performance.now();
    await FAULTS[name]?.(around);
    const lastedMs = performance.now() - from;
    const recoveryMs = await recovery(around);
    records.push({ name, lastedMs, recoveryMs });
    say(`${name}: ${Math.round(lastedMs)} ms, a fresh record after ${Math.round(recoveryMs)} ms`);
    if (performance.now() - rewrittenAt > REWRITE_EVERY_MS) {
      await rewriteAppendOnlyFile(client);
      rewrittenAt = performance.now();
    }
  }
  return records;
}

/** How long it takes, from now, until a record that every producer emits from now on is stored. */
async function recovery({ app, spooled }: Surroundings): Promise<number> {
  const from = performance.now();
  const asked = [app, spooled] as const;
  const before = await Promise.all(asked.map((each) => each.ask('sample')));
  const isStored = async (): Promise<boolean> => {
    const now = await Promise.all(asked.map((each) => each.ask('sample')));
    return now.every(({ stats }, at) =>
      Object.entries(before[at]?.emitted ?? {}).every(
        ([name, emitted]) => ownDelivered(stats[name]) > emitted,
      ),
    );
  };
  await until(isStored, {
    what: 'a fresh record to be stored',
    timeoutMs: RECOVERY_LIMIT_MS,
    intervalMs: 25,
  });
  return performance.now() - from;
}

/** At least so many of its own records are delivered; what earlier lives left comes first. */
function ownDelivered(stats: LogStats | undefined): number {
  return stats === undefined ? 0 : stats.delivered - stats.recovered;
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let at = result.length - 1; at > 0; at--) {
    const other = whole(random, 0, at);
    [result[at], result[other]] = [result[other] as T, result[at] as T];
  }
  return result;
}
