import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { seeded } from '../support/oracle.js';
import { requireRedisBinary } from '../support/redis-binary.js';
import { type RedisProcess, startRedisProcess } from '../support/redis-process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { type AppProcess, startApp } from './app-process.js';
import { FAULTS, rewriteAppendOnlyFile, type Surroundings, whole } from './faults.js';
import { type FaultRecord, reportOf, type SoakReport } from './report.js';
import { newest, Verifier } from './verifier.js';

const STREAM = 'logs:soak';
/** Two, so that the order of each is kept between the records of the other. */
const NAMES = ['one', 'two'];
const WARM_UP_MS = 3_000;
/** More than a server can lose when its append-only file is synced every second. */
const LAG_MS = 3_000;
const VERIFY_EVERY_MS = 200;
/** An append-only file is read at every start, so that it must not grow with the run. */
const REWRITE_EVERY_MS = 30_000;
/** After that a run is broken off; what is asserted is much less. */
const RECOVERY_LIMIT_MS = 30_000;

export interface SoakOptions {
  readonly seconds: number;
  /** Records per second. Default 10,000. */
  readonly rate?: number;
  /** Repeats the faults of an earlier run. Default: by chance. */
  readonly seed?: number;
  /** Told what happens, a line at a time. */
  readonly say?: (line: string) => void;
}

/** Logs at a steady rate through one fault after another, and accounts for every record. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seconds, rate = 10_000, seed = Math.floor(Math.random() * 2 ** 31), say = () => {} } = options;
  const binary = requireRedisBinary('The soak');
  const config = ['auto-aof-rewrite-percentage 0'];
  await using server = await startRedisProcess({ binary, appendOnly: true, config });
  await using proxy = await startTcpProxy(server);
  const client = server.client({ maxRetriesPerRequest: null });
  const app = await startApp({ url: proxy.url, stream: STREAM, names: NAMES, rate });
  try {
    const verifier = new Verifier(client, STREAM, NAMES);
    const verifying = startVerifying(verifier, server);
    await delay(WARM_UP_MS);
    const base = await app.ask('measure');
    let takenBack = 0;
    const around: Surroundings = {
      ...{ server, proxy, client, app, stream: STREAM },
      random: seeded(seed),
      takenBack: (records) => {
        takenBack += records;
      },
    };
    const startedAt = performance.now();
    const faults = await faultAfterFault({ around, say, endAt: startedAt + seconds * 1_000 });
    const final = await app.ask('finish');
    await verifying.stop();
    await verifier.advance(0);
    const ranSeconds = (performance.now() - startedAt) / 1_000;
    return reportOf({ seed, rate, seconds: ranSeconds, base, final, faults, takenBack, verifier });
  } finally {
    await app.end();
  }
}

interface Course {
  readonly around: Surroundings;
  readonly say: (line: string) => void;
  readonly endAt: number;
}

/** Every kind once in an order of chance, then every kind again; what cannot wait for its end is cut short. */
async function faultAfterFault({ around, say, endAt }: Course): Promise<FaultRecord[]> {
  const { client, app, random } = around;
  const records: FaultRecord[] = [];
  const longestPauseMs = Math.min(4_000, Math.max(300, (endAt - performance.now()) / 100));
  let rewrittenAt = performance.now();
  let bag: string[] = [];
  while (performance.now() < endAt) {
    await delay(whole(random, 100, longestPauseMs));
    if (bag.length === 0) bag = shuffled(Object.keys(FAULTS), random);
    const name = bag.pop() ?? '';
    const from = performance.now();
    await FAULTS[name]?.(around);
    const lastedMs = performance.now() - from;
    const recoveryMs = await recovery(app, client);
    records.push({ name, lastedMs, recoveryMs });
    say(`${name}: ${Math.round(lastedMs)} ms, a fresh record after ${Math.round(recoveryMs)} ms`);
    if (performance.now() - rewrittenAt > REWRITE_EVERY_MS) {
      await rewriteAppendOnlyFile(client);
      rewrittenAt = performance.now();
    }
  }
  return records;
}

/** How long it takes, from now, until a record that every producer emits from now on is in the stream. */
async function recovery(app: AppProcess, client: Redis): Promise<number> {
  const from = performance.now();
  const { emitted } = await app.ask('sample');
  const arrived = async (): Promise<boolean> => {
    const highest = await newest(client, STREAM);
    return NAMES.every((name) => (highest[name] ?? 0) > (emitted[name] ?? 0));
  };
  await until(arrived, { what: 'a fresh record', timeoutMs: RECOVERY_LIMIT_MS, intervalMs: 100 });
  return performance.now() - from;
}

function startVerifying(verifier: Verifier, server: RedisProcess): { stop(): Promise<void> } {
  let isOver = false;
  const run = async (): Promise<void> => {
    while (!isOver) {
      // A server that is away, or about to load, is part of the run.
      if (server.pid !== undefined) await verifier.advance(LAG_MS).catch(() => {});
      await delay(VERIFY_EVERY_MS);
    }
  };
  const running = run();
  return {
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let at = result.length - 1; at > 0; at--) {
    const other = whole(random, 0, at);
    [result[at], result[other]] = [result[other] as T, result[at] as T];
  }
  return result;
}
