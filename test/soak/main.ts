// Run by scripts/soak.mjs: settings as JSON in the first argument, the report as a table, and as JSON to a file.
import { writeFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import { runSoak } from './soak.js';
import { type About, summary } from './summary.js';

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
const about: About = { at, commit, node: process.version, redis, machine };
if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...about, ...report }, undefined, 2)}\n`);
for (const line of summary(report, about)) write(line);
process.exitCode = report.problems.length === 0 ? 0 : 1;
