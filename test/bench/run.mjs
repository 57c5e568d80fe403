// The benchmark: `npm run bench` measures every figure and writes the tables in docs/; `-- --quick` only checks that
// nothing has become 1.5 x worse. `--json FILE` writes what was measured, `--only a,b` runs some of the figures.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureChoices } from './figures/choices.mjs';
import { measurePeers } from './figures/peers.mjs';
import { measureProfile } from './figures/profile.mjs';
import { judge } from './guards.mjs';
import { openChild } from './lib/child.mjs';
import { startRedis } from './lib/redis.mjs';
import { describeMachine, figureLine, writeDocuments } from './lib/report.mjs';

const FIGURES = [
  'client-cost',
  'call-time',
  'throughput',
  'server-cost',
  'latency',
  'redis-memory',
  'heap',
  'level-off',
  'decode',
  'reader',
  'consumer',
  'insights',
  'start',
  'requests',
  'scaling',
];
/** Latency depends on what else the machine does, by more than any tolerance; the server is not ours to guard. */
const NOT_QUICK = new Set(['latency', 'server-cost', 'requests', 'insights']);
/** A guard fails when it has failed so often, one after the other. */
const LOOKS = 3;

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } },
});

const directory = mkdtempSync(join(tmpdir(), 'redis-log-bench-'));
const redis = await startRedis();
const sink = await openChild(new URL('lib/sink.mjs', import.meta.url), {});
try {
  const where = { redis: redis.url, sink: await sink.call('url'), directory };
  // Rounds are long enough to meet collections of garbage of their own; see lib/load.mjs.
  const size = options.quick ? { rounds: 5, records: 50_000 } : { rounds: 7, records: 60_000 };
  await main({ ...size, quick: options.quick, redis, where });
} finally {
  await sink.close();
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function main(bench) {
  const wanted = options.only?.split(',') ?? FIGURES.filter((name) => !bench.quick || !NOT_QUICK.has(name));
  const figures = [];
  let failed = 0;
  for (const name of wanted) {
    const { measure } = await import(`./figures/${name}.mjs`);
    let measured = await measure(bench);
    if (bench.quick) {
      for (let look = 1; look < LOOKS; look++) measured = await lookAgain(measured, () => measure(bench));
      failed += check(measured);
    } else {
      for (const each of measured) console.log(figureLine(each));
    }
    figures.push(...measured);
  }
  const isWhole = !bench.quick && options.only === undefined;
  const peers = isWhole ? await measurePeers(bench) : {};
  const result = { ...describeMachine(bench.redis.version), quick: bench.quick, figures, peers };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (isWhole) {
    const profile = await measureProfile(bench);
    writeDocuments(result, { profile, choices: await measureChoices(bench) });
  }
  if (failed > 0) process.exitCode = 1;
}

/** What fails is measured again, and the new value counts: a busy neighbour passes, a regression stays. */
async function lookAgain(figures, again) {
  const failing = new Set(judge(figures).flatMap(({ passed, figureIds }) => (passed ? [] : figureIds)));
  if (failing.size === 0) return figures;
  const second = new Map((await again()).map((each) => [each.id, each]));
  return figures.map((each) => (failing.has(each.id) ? second.get(each.id) : each));
}

/** One line for each guard; returns how many failed. */
function check(figures) {
  const verdicts = judge(figures);
  for (const { line } of verdicts) console.log(line);
  return verdicts.filter((verdict) => !verdict.passed).length;
}
