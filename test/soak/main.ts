// Run by scripts/soak.mjs: `{ seconds, rate, seed }` as JSON in the first argument, the report as JSON to a file.
import { writeFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import type { SoakReport } from './report.js';
import { runSoak } from './soak.js';

interface Settings {
  readonly seconds: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly json?: string;
  readonly commit: string;
  readonly redis: string;
}

const { json, commit, redis, ...options }: Settings = JSON.parse(process.argv[2] ?? '{}');
const write = (line: string): void => void process.stdout.write(`${line}\n`);

const at = new Date().toISOString();
const report = await runSoak({ ...options, say: (line) => write(`  ${line}`) });
const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${platform()} ${arch()}`;
if (json !== undefined) {
  const about = { at, commit, node: process.version, redis, machine };
  await writeFile(json, `${JSON.stringify({ ...about, ...report }, undefined, 2)}\n`);
}
for (const line of summary(report)) write(line);
process.exitCode = report.problems.length === 0 ? 0 : 1;

function summary({ faults, found, rss, loopDelayMs, problems, ...facts }: SoakReport): string[] {
  const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
  const { emitted, stored, delivered, retried, duplicatesSuppressed, ambiguous, account } = facts;
  const dropped = Object.entries(facts.dropped).map(([reason, count]) => `${number(count)} ${reason}`);
  const names = Object.entries(faults).map(([name, { times, slowestRecoveryMs }]) => {
    return `  ${name}: ${times}, a fresh record within ${slowestRecoveryMs} ms`;
  });
  const counts = Object.entries(found).map(([what, count]) => `${count} ${what}`);
  return [
    '',
    `${number(emitted)} records in ${number(facts.seconds)} s at ${number(facts.rate)}/s, seed ${facts.seed}, commit ${commit}`,
    `${number(stored)} stored, ${number(delivered)} delivered, dropped: ${dropped.join(', ') || 'none'}`,
    `found: ${counts.join(', ')}; the account was wrong in ${account.wrong} of ${number(account.looks)} looks`,
    `${number(ambiguous)} batches without an answer, ${number(retried)} records sent again, ${number(duplicatesSuppressed)} found stored, ${number(facts.takenBack)} acknowledged ones lost by power cuts and stored again`,
    `memory ${rss.baseMiB} MiB before, ${rss.maxMiB} at most, ${rss.endMiB} at the end; event loop late by ${loopDelayMs.p50.toFixed(1)} ms (half), ${loopDelayMs.p99.toFixed(1)} (99 of 100), ${loopDelayMs.max.toFixed(1)} (most)`,
    'faults:',
    ...names,
    problems.length === 0
      ? 'Everything that was promised was kept.'
      : `NOT KEPT:\n  ${problems.join('\n  ')}`,
  ];
}
