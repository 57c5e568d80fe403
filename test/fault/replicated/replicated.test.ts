import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IS_LONG_RUN, report } from '../../support/long-run.js';
import type { OracleWriter } from '../../support/oracle.js';
import { type RedisSentinels, startRedisSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';
import { type Demotion, type Fault, Pair } from './pair.js';
import {
  close,
  type Closed,
  judge,
  type Kind,
  keepWriting,
  openWriter,
  type Verdict,
} from './short-lived-writer.js';

const FAULTS: readonly Fault[] = ['is stopped', 'is asked to go', 'is killed'];
const ROUNDS = IS_LONG_RUN ? 20 : FAULTS.length;
const TIMEOUT_MS = IS_LONG_RUN ? 1_200_000 : 90_000;
/** The short run does not wait for the seconds that Sentinel takes to demote the old primary. */
const DEMOTION: Demotion = IS_LONG_RUN ? 'by Sentinel' : 'at once';

const WRITTEN: Kind = { acknowledge: 'written', delivery: 'exactly-once' };
const DETECTING: Kind = { ...WRITTEN, failoverDetector: true };
const REPLICATED: Kind = { acknowledge: 'replicated', delivery: 'exactly-once' };
const REPLICATED_PLAIN: Kind = { acknowledge: 'replicated', delivery: 'at-least-once' };

/** Most milliseconds that a writer takes to close: the one gives up before the old primary is demoted. */
const HASTY_MS = 1_500;
const PATIENT_MS = 60_000;
/** Records before, and as many after the primary has lost its place, of which the writer has not heard. */
const HALF = 20;

/** What became of writers that were connected to the old primary, by their kind. */
interface Straddlers {
  readonly fault: Fault;
  readonly written: Closed;
  readonly detecting: Closed;
  readonly hasty: readonly Closed[];
  readonly patient: readonly Closed[];
  /** Hasty, too, and followed by a process that finds its spool. */
  readonly spooled: Closed;
}

async function failOver(group: RedisSentinels, pair: Pair, fault: Fault): Promise<Straddlers> {
  const directory = await mkdtemp(join(tmpdir(), 'rl-spool-'));
  const spooling: Kind = { ...REPLICATED, spool: { directory } };
  const begin = async (kind: Kind): Promise<OracleWriter> => {
    const oracle = openWriter(group, kind);
    oracle.emit(HALF);
    await oracle.delivered(HALF);
    return oracle;
  };
  const detecting = await begin(DETECTING);
  const straddling = [WRITTEN, spooling, REPLICATED, REPLICATED_PLAIN, REPLICATED, REPLICATED_PLAIN];
  const oracles = await Promise.all(straddling.map(begin));
  await pair.switchOver(fault);
  for (const oracle of oracles) oracle.emit(HALF);
  const closing = oracles.map((oracle, at) => close(oracle, at < 4 ? HASTY_MS : PATIENT_MS));
  await until(() => detecting.lines.some((line) => line.includes('is not usable')));
  detecting.emit(HALF);
  const detected = close(detecting, PATIENT_MS);
  await Promise.all([detected, ...closing.slice(0, 4)]);
  await pair.demoteOther(DEMOTION);
  const successor = openWriter(group, spooling);
  await successor.delivered(HALF, PATIENT_MS);
  await close(successor, HASTY_MS);
  const [written, spooled, ...others] = (await Promise.all(closing)) as [Closed, Closed, ...Closed[]];
  await rm(directory, { recursive: true });
  const [hasty, patient] = [others.slice(0, 2), others.slice(2)];
  return { fault, written, detecting: await detected, spooled, hasty, patient };
}

function expectTrue({ oracle }: Closed, verdict: Verdict): void {
  const { lost, unannounced, stored } = verdict;
  expect({ lost, unannounced, corrupt: stored.corrupt }).toEqual({ lost: 0, unannounced: 0, corrupt: [] });
  const { delivery, possibleDuplicates } = oracle.stats;
  expect(stored.duplicates).toBeLessThanOrEqual(delivery === 'exactly-once' ? 0 : possibleDuplicates);
  if (delivery === 'exactly-once') expect(stored.inOrder).toBe(true);
}

function sum(verdicts: readonly Verdict[]): string {
  const figures = ['delivered', 'unconfirmed', 'dropped', 'lost'] as const;
  const totals = figures.map((of) => `${of} ${verdicts.reduce((all, verdict) => all + verdict[of], 0)}`);
  return `${verdicts.length} writers (records ${totals.join(', ')})`;
}

describe('Writers that log and close while Sentinel exchanges the primary', () => {
  let group: RedisSentinels;
  let pair: Pair;
  const straddlers: Straddlers[] = [];
  let lanes: Closed[][] = [];

  const judgeAll = (all: readonly Closed[]): Promise<Verdict[]> =>
    Promise.all(all.map((each) => judge(each, pair.client(pair.primary))));

  beforeAll(async () => {
    group = await startRedisSentinels();
    pair = new Pair(group);
    const end = new AbortController();
    const writing = [WRITTEN, REPLICATED, REPLICATED, REPLICATED_PLAIN].map((kind) =>
      keepWriting(group, kind, end.signal),
    );
    for (let round = 0; round < ROUNDS; round++) {
      straddlers.push(await failOver(group, pair, FAULTS[round % FAULTS.length] ?? 'is killed'));
    }
    end.abort();
    lanes = await Promise.all(writing);
  }, TIMEOUT_MS);

  afterAll(() => group.stop());

  it('with acknowledge: written lose what the old primary takes after the switch: the fault is real', async () => {
    for (const { fault, written } of straddlers) {
      if (fault === 'is killed') continue;
      expect(await judge(written, pair.client(pair.primary))).toMatchObject({
        delivered: 2 * HALF,
        lost: HALF,
      });
    }
    const verdicts = await judgeAll(lanes[0] ?? []);
    if (IS_LONG_RUN) report({ written: sum(verdicts) });
    expect(verdicts.some(({ lost }) => lost > 0)).toBe(true);
  });

  it('and with failoverDetector go to the new one before that, and lose nothing', async () => {
    for (const verdict of await judgeAll(straddlers.map(({ detecting }) => detecting))) {
      expect(verdict).toMatchObject({ delivered: 2 * HALF, lost: 0 });
    }
  });

  it('with acknowledge: replicated lose nothing that close() calls delivered, and store nothing twice', async () => {
    const closed = [
      ...lanes.slice(1).flat(),
      ...straddlers.flatMap(({ hasty, patient }) => [...hasty, ...patient]),
    ];
    const verdicts = await judgeAll(closed);
    if (IS_LONG_RUN) report({ replicated: sum(verdicts) });
    closed.forEach((each, at) => expectTrue(each, verdicts[at] as Verdict));
    expect(verdicts.some(({ unconfirmed }) => unconfirmed > 0)).toBe(true);
  });

  it('and the old primary at first: none of it is called delivered before somebody else has it', async () => {
    for (const { hasty, patient } of straddlers) {
      for (const verdict of await judgeAll(hasty)) expect(verdict).toMatchObject({ delivered: HALF });
      const all = { delivered: 2 * HALF, unconfirmed: 0, dropped: 0 };
      for (const verdict of await judgeAll(patient)) expect(verdict).toMatchObject(all);
    }
  });

  it('and a spool leave what has no outcome to the next process, which stores it once', async () => {
    const all = straddlers.map(({ spooled }) => spooled);
    for (const [at, { stored }] of (await judgeAll(all)).entries()) {
      expect(all[at]?.said).toMatchObject({ delivered: HALF, spooled: HALF });
      expect(stored).toMatchObject({ duplicates: 0, inOrder: true, corrupt: [] });
      expect(stored.unique.size).toBe(2 * HALF);
    }
  });
});
