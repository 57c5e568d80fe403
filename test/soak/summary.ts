import type { SoakReport } from './report.js';

/** What was run where: goes into the file beside the figures, and above the table. */
export interface About {
  readonly at: string;
  readonly commit: string;
  readonly node: string;
  readonly redis: string;
  readonly machine: string;
}

type Row = readonly [what: string, figure: string];

/** The report as lines for people: a table of figures, one of faults, and what was promised and not kept. */
export function summary(report: SoakReport, about: About): string[] {
  const { problems, faults } = report;
  const faultRows = Object.entries(faults).map(([name, { times, slowestRecoveryMs }]): Row => {
    return [name, `${number(times)} times, a fresh record within ${number(slowestRecoveryMs)} ms`];
  });
  return [
    '',
    `commit ${about.commit}, node ${about.node}, ${about.redis}, ${about.machine}, ${about.at}`,
    '',
    ...table(figures(report)),
    '',
    ...table(faultRows),
    '',
    problems.length === 0
      ? 'Everything that was promised was kept.'
      : `NOT KEPT:\n  ${problems.join('\n  ')}`,
  ];
}

function figures(report: SoakReport): Row[] {
  const { found, account, rss, spool, loopDelayMs: loop } = report;
  const dropped = Object.entries(report.dropped).map(([reason, count]) => `${number(count)} ${reason}`);
  const ms = (value: number): string => value.toFixed(1);
  return [
    ['ran', `${number(report.seconds)} s at ${number(report.rate)} records/s, seed ${report.seed}`],
    ['without a spool', ''],
    ['  emitted', number(report.emitted)],
    ['  stored', `${number(report.stored)}, of ${number(report.delivered)} delivered`],
    ['  dropped', dropped.join(', ') || 'none'],
    ['  sent without an answer', `${number(report.ambiguous)} batches`],
    ['  sent again', `${number(report.retried)} records`],
    ['  duplicates suppressed', `${number(report.duplicatesSuppressed)} records`],
    ['  acknowledged, lost by a power cut, stored again', `${number(report.takenBack)} records`],
    ['with a spool', `killed ${number(spool.kills)} times`],
    ['  emitted, at most', number(spool.emitted)],
    ['  safe on disk or in Redis', number(spool.safe)],
    ['  stored', number(spool.stored)],
    ['  replayed after a kill', `${number(spool.replayed)} records`],
    ['  safe and lost', number(spool.lost)],
    ['acknowledged and lost', number(found.lost)],
    ['duplicates', number(found.duplicates)],
    ['out of order', number(found.outOfOrder)],
    ['altered', number(found.altered)],
    ['stored and never issued', number(found.foreign + spool.foreign)],
    ['account wrong', `${number(account.wrong)} of ${number(account.looks)} looks`],
    ['memory', `${rss.baseMiB} MiB before, ${rss.maxMiB} at most, ${rss.endMiB} at the end`],
    ['event loop late by', `${ms(loop.p50)} ms (p50), ${ms(loop.p99)} ms (p99), ${ms(loop.max)} ms (most)`],
  ];
}

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, figure]) => `${what.padEnd(width)}  ${figure}`.trimEnd());
}

function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
