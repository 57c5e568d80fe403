import type { LogStats } from '../../src/core.js';
import { FAULTS } from './faults.js';
import type { Found, Sample, Verified } from './protocol.js';
import { reportOfSpool, type SpoolReport, type SpoolResult } from './spool-report.js';

export interface FaultRecord {
  readonly name: string;
  readonly lastedMs: number;
  /** From its end until a record emitted after it was stored. */
  readonly recoveryMs: number;
}

/** A fresh record must be stored so long after a fault (issue: the harness). */
export const RECOVERY_CEILING_MS = 5_000;
/** Both queues full, and what is kept for a failover, and a fifth more (issue: bounded memory). */
export const RSS_GROWTH_CEILING_BYTES = 2 * (32 + 16) * 1024 * 1024 * 1.2;

export interface SoakReport {
  readonly seed: number;
  readonly seconds: number;
  readonly rate: number;
  readonly emitted: number;
  readonly stored: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly unconfirmed: number;
  readonly retried: number;
  readonly duplicatesSuppressed: number;
  readonly possibleDuplicates: number;
  /** Acknowledged records that the server came back without; they were sent again. */
  readonly takenBack: number;
  /** Batches whose outcome nobody could tell at first: no answer, or a broken connection. */
  readonly ambiguous: number;
  readonly found: Readonly<Record<'lost' | 'duplicates' | 'outOfOrder' | 'altered' | 'foreign', number>>;
  readonly account: { readonly looks: number; readonly wrong: number };
  /** Of the app with a spool, in all its lives; the figures above are those of the app without. */
  readonly spool: SpoolReport;
  readonly faults: Readonly<Record<string, { readonly times: number; readonly slowestRecoveryMs: number }>>;
  readonly rss: { readonly baseMiB: number; readonly maxMiB: number; readonly endMiB: number };
  readonly loopDelayMs: Sample['loopDelay'];
  /** The same before the first fault. */
  readonly loopDelayBeforeMs: Sample['loopDelay'];
  readonly tries: Readonly<Record<string, number>>;
  readonly lines: Readonly<Record<string, number>>;
  /** What was promised and not kept; empty in a good run. */
  readonly problems: readonly string[];
}

export interface SoakResult {
  readonly loopDelayCeilingMs: number;
  readonly seed: number;
  readonly rate: number;
  readonly seconds: number;
  readonly base: Sample;
  readonly final: Sample;
  readonly faults: readonly FaultRecord[];
  readonly takenBack: number;
  readonly verified: Verified;
  readonly spooled: SpoolResult;
}

export function reportOf(result: SoakResult): SoakReport {
  const { seed, rate, seconds, base, final, faults, takenBack, verified, spooled } = result;
  const stats = Object.values(final.stats);
  const total = (pick: (stats: LogStats) => number): number => sum(stats.map(pick));
  const facts = {
    seed,
    seconds: Math.round(seconds),
    rate,
    emitted: total((each) => each.emitted),
    stored: sum(Object.keys(final.stats).map((name) => verified.found[name]?.stored ?? 0)),
    delivered: total((each) => each.delivered),
    dropped: droppedOf(stats),
    unconfirmed: total((each) => each.unconfirmed),
    retried: total((each) => each.retried),
    duplicatesSuppressed: total((each) => each.duplicatesSuppressed),
    possibleDuplicates: total((each) => each.possibleDuplicates),
    takenBack,
    ambiguous: sum(Object.entries(final.tries).map(([word, times]) => (isAmbiguous(word) ? times : 0))),
    found: foundOf(result),
    spool: reportOfSpool(spooled, verified),
    account: { looks: final.looks, wrong: final.wrongAccounts },
    faults: byName(faults),
    rss: { baseMiB: mib(base.rssBytes), maxMiB: mib(final.maxRssBytes), endMiB: mib(final.rssBytes) },
    loopDelayMs: final.loopDelay,
    loopDelayBeforeMs: base.loopDelay,
    tries: final.tries,
    lines: final.lines,
  };
  return { ...facts, problems: [...problemsOf(facts, result), ...vacuous(facts)] };
}

type Facts = Omit<SoakReport, 'problems'>;

/** Lost: acknowledged, and neither in the stream nor counted as dropped. */
function foundOf({ final, verified, spooled }: SoakResult): SoakReport['found'] {
  const { stats, emitted } = final;
  const { found, altered, foreign } = verified;
  const all = Object.entries(found);
  const own = all.filter(([name]) => name in stats);
  const lost = own.map(([name, { stored }]) => Math.max(0, (stats[name]?.delivered ?? 0) - stored));
  const invented = own.map(([name, { last }]) => Math.max(0, last - (emitted[name] ?? 0)));
  const known = new Set([...Object.keys(stats), spooled.name, ...spooled.lives.map(({ name }) => name)]);
  const strange = all.filter(([name]) => !known.has(name)).map(([, { stored }]) => stored);
  const of = (pick: (found: Found) => number): number => sum(all.map(([, one]) => pick(one)));
  return {
    lost: sum(lost),
    duplicates: of(({ duplicates }) => duplicates),
    outOfOrder: of(({ outOfOrder }) => outOfOrder),
    altered,
    foreign: foreign + sum(invented) + sum(strange),
  };
}

function problemsOf(facts: Facts, result: SoakResult): string[] {
  const { found, emitted, stored, delivered, dropped, unconfirmed, account, rss, loopDelayMs } = facts;
  const slowest = Math.max(
    0,
    ...Object.values(facts.faults).map(({ slowestRecoveryMs }) => slowestRecoveryMs),
  );
  const growth = (rss.maxMiB - rss.baseMiB) * 1024 * 1024;
  const isClosed = Object.values(result.final.closed ?? {}).every(
    ({ timedOut, pending }) => !timedOut && pending === 0,
  );
  const promises: readonly (readonly [string, boolean])[] = [
    [`${found.lost} records acknowledged and not stored`, found.lost === 0],
    [`${found.foreign} entries stored and never issued`, found.foreign === 0],
    [`${found.altered} records altered`, found.altered === 0],
    [`${found.duplicates} duplicates`, found.duplicates === 0],
    [`${found.outOfOrder} records out of order`, found.outOfOrder === 0],
    [`${stored} stored, ${delivered} delivered`, stored === delivered],
    [
      `${emitted - stored} not stored, ${sum(Object.values(dropped))} dropped`,
      emitted - stored === sum(Object.values(dropped)),
    ],
    [`${dropped['rolled_back'] ?? 0} rolled back`, (dropped['rolled_back'] ?? 0) === 0],
    [`${unconfirmed} unconfirmed after an orderly end`, unconfirmed === 0 && isClosed],
    [`the account was wrong ${account.wrong} of ${account.looks} times`, account.wrong === 0],
    ...spoolPromises(facts.spool),
    [`a fresh record took ${Math.round(slowest)} ms`, slowest <= RECOVERY_CEILING_MS],
    [`memory grew by ${Math.round(growth / 1024 / 1024)} MiB`, growth <= RSS_GROWTH_CEILING_BYTES],
    [
      `the event loop was ${loopDelayMs.p99.toFixed(1)} ms late`,
      loopDelayMs.p99 <= result.loopDelayCeilingMs,
    ],
  ];
  return promises.filter(([, isKept]) => !isKept).map(([what]) => what);
}

function spoolPromises(spool: SpoolReport): readonly (readonly [string, boolean])[] {
  return [
    [`${spool.lost} records lost that were safe in the spool or in Redis`, spool.lost === 0],
    [`${spool.gaps} records missing before later ones of the same life`, spool.gaps === 0],
    [`${spool.foreign} entries stored and never issued by the app with the spool`, spool.foreign === 0],
    [`${spool.dropped} records dropped by the app with the spool`, spool.dropped === 0],
    [`${spool.left} records left without an outcome by the app with the spool`, spool.left === 0],
    [
      `the account of the app with the spool was wrong ${spool.wrongAccounts} times`,
      spool.wrongAccounts === 0,
    ],
  ];
}

/** A run in which nothing went wrong proves nothing. */
function vacuous(facts: Facts): string[] {
  const seen = {
    'a record sent again': facts.retried,
    'an ambiguous outcome': facts.ambiguous,
    'a suppressed duplicate': facts.duplicatesSuppressed,
    'an acknowledged record taken back': facts.takenBack,
    'a record replayed from a spool': facts.spool.replayed,
    ...Object.fromEntries(Object.keys(FAULTS).map((name) => [name, facts.faults[name]?.times ?? 0])),
  };
  return Object.entries(seen).flatMap(([what, times]) => (times === 0 ? [`vacuous: never ${what}`] : []));
}

/** The words of sockets and of ioredis; words of the server say for certain that nothing was written. */
function isAmbiguous(word: string): boolean {
  return /^E[A-Z]+$|Error$/.test(word) && word !== 'ERR';
}

function droppedOf(stats: readonly LogStats[]): Record<string, number> {
  const dropped: Record<string, number> = {};
  for (const each of stats) {
    for (const [reason, count] of Object.entries(each.dropped))
      dropped[reason] = (dropped[reason] ?? 0) + count;
  }
  return dropped;
}

function byName(faults: readonly FaultRecord[]): SoakReport['faults'] {
  const result: Record<string, { times: number; slowestRecoveryMs: number }> = {};
  for (const { name, recoveryMs } of faults) {
    const { times, slowestRecoveryMs } = (result[name] ??= { times: 0, slowestRecoveryMs: 0 });
    result[name] = {
      times: times + 1,
      slowestRecoveryMs: Math.round(Math.max(slowestRecoveryMs, recoveryMs)),
    };
  }
  return result;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
