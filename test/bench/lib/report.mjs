// How results are printed, and how they get into docs/.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);
const PACKAGES = [
  '@nestjs/core',
  'ioredis',
  'pino',
  'nestjs-pino',
  'winston',
  '@opentelemetry/sdk-logs',
  '@opentelemetry/exporter-logs-otlp-proto',
];

/** `{ commit, date, node, redis, cpu }`; a commit with changes on top of it ends with a plus sign. */
export function describeMachine(redis) {
  const processors = cpus();
  return {
    commit: commitOf(),
    date: new Date().toISOString(),
    node: process.version,
    redis,
    cpu: `${processors[0]?.model ?? process.arch}, ${processors.length} cores`,
  };
}

function commitOf() {
  const git = (...args) =>
    execFileSync('git', args, {
      cwd: fileURLToPath(ROOT),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    const isChanged = git('status', '--porcelain', '--', 'src', 'test/bench').trim() !== '';
    return `${git('rev-parse', '--short', 'HEAD').trim()}${isChanged ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

export function figureLine(figure) {
  const cells = cellsOf(figure);
  return `${cells.verdict.padEnd(8)} ${figure.name}: ${cells.ours} | ${cells.peer} | ratio ${cells.ratio} | ${cells.bar} ${figure.note ?? ''}`;
}

function cellsOf({ ours, peer, peerName, ratio, bar, better, unit, met }) {
  const verdicts = new Map([
    [true, 'met'],
    [false, 'NOT MET'],
    [null, '-'],
  ]);
  const sign = better === 'lower' ? 'at most' : 'at least';
  const size = bar !== null && (ratio === null ? `${number(bar)} ${unit}` : `${bar} x`);
  return {
    ours: `${number(ours)} ${unit}`,
    peer: peer === null ? '-' : `${number(peer)} (${peerName})`,
    ratio: ratio === null ? '-' : ratio.toFixed(2),
    bar: bar === null ? '-' : `${sign} ${size}`,
    verdict: verdicts.get(met),
  };
}

/** Three digits that mean something, and thousands set apart. */
function number(value) {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** Puts the results between the markers of docs/benchmarks.md and docs/write-path.md. */
export function writeDocuments(result, { profile, choices }) {
  replace('docs/benchmarks.md', 'figures', figuresText(result));
  replace('docs/write-path.md', 'profile', profileText(result, profile));
  replace('docs/write-path.md', 'copying', copyingText(profile.copying));
  replace('docs/write-path.md', 'choices', choicesText(choices));
}

function figuresText(result) {
  const versions = PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ');
  const about = `Measured on ${result.date.slice(0, 10)} at commit ${result.commit}: Node ${result.node}, Redis ${result.redis}, ${result.cpu}; ${versions}.`;
  const rows = result.figures.map((each) => {
    const { ours, peer, ratio, bar, verdict } = cellsOf(each);
    const note = each.note === null ? '' : ` (${each.note})`;
    return `| ${each.name}${note} | ${ours} | ${peer} | ${ratio} | ${bar} | ${verdict} |`;
  });
  const peers = Object.entries(result.peers).map(
    ([name, { cpuUsPerRecord, recordsPerSecond }]) =>
      `| ${name} | ${number(cpuUsPerRecord)} | ${number(recordsPerSecond)} |`,
  );
  return [
    about,
    '',
    '| figure | ours | peer | ratio | bar | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    'Everything in one process, in turn, one call site, 10,000 records a round:',
    '',
    '| logger | CPU us a record | records/s |',
    '| --- | --- | --- |',
    ...peers,
  ].join('\n');
}

function profileText({ date, commit, node, cpu }, { full, requests }) {
  const share = (profile, name) => profile.parts.find((part) => part.name === name);
  const cell = (part) =>
    part === undefined ? '-' : `${part.us.toFixed(2)} (${Math.round(part.share * 100)} %)`;
  const rows = full.parts.map(
    ({ name }) => `| ${name} | ${cell(share(full, name))} | ${cell(share(requests, name))} |`,
  );
  const total = `| all | ${full.cpuUsPerRecord.toFixed(2)} | ${requests.cpuUsPerRecord.toFixed(2)} |`;
  return [
    `Measured on ${date.slice(0, 10)} at commit ${commit}, Node ${node}, ${cpu}.`,
    '',
    '| CPU us a record | full batches | five records a batch |',
    '| --- | --- | --- |',
    ...rows,
    total,
  ].join('\n');
}

function copyingText(copying) {
  return [
    '| bytes | string, loop, ns | string, `Buffer.write`, ns | bytes, eight at a time, ns | bytes, `Buffer.copy`, ns |',
    '| --- | --- | --- | --- | --- |',
    ...copying.map(
      ({ size, loopNs, writeNs, wordsNs, copyNs }) =>
        `| ${[size, ...[loopNs, writeNs, wordsNs, copyNs].map(number)].join(' | ')} |`,
    ),
  ].join('\n');
}

function choicesText(choices) {
  return [
    '| load | option | CPU us a record | records/s | bytes in Redis |',
    '| --- | --- | --- | --- | --- |',
    ...choices.map(
      ({ load, option, cpuUs, perSecond, bytes }) =>
        `| ${load} | \`${option}\` | ${number(cpuUs)} | ${number(perSecond)} | ${bytes === undefined ? '-' : number(bytes)} |`,
    ),
  ].join('\n');
}

function versionOf(name) {
  const require = createRequire(import.meta.url);
  // Not every package lets its package.json be required.
  const folder = require.resolve.paths(name).map((path) => `${path}/${name}/package.json`);
  for (const file of folder) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).version;
    } catch {
      // Not in this folder: Node would look in the next one too.
    }
  }
  return 'of unknown version';
}

function replace(path, marker, text) {
  const file = new URL(path, ROOT);
  const [begin, end] = [`<!-- ${marker}:begin -->`, `<!-- ${marker}:end -->`];
  const before = readFileSync(file, 'utf8');
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${path} has lost its markers ${begin} and ${end}`);
  writeFileSync(file, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`);
}
