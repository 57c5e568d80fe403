// `node scripts/matrix.mjs [--core] [--only <name>]...`: packs the package, installs it into an empty project for each
// combination of versions, and runs a small program or the user's compiler there. A complete run writes its results
// into docs/compatibility.md. Ends with exit code 1 when a combination fails.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ensureRedis } from './ensure-redis.mjs';
import { COMBINATIONS } from './matrix/combinations.mjs';
import { runCombination } from './matrix/project.mjs';
import { npmProgram, root, run } from './processes.mjs';

const TABLE = join(root, 'docs', 'compatibility.md');
const START = '<!-- matrix: written by scripts/matrix.mjs -->';
const END = '<!-- end of matrix -->';
/** Installing waits for the network more than for the processor. */
const AT_A_TIME = 2;

const { values } = parseArgs({
  options: { core: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const chosen = COMBINATIONS.filter(
  ({ name, core }) => (values.only?.includes(name) ?? true) && (core === true || !values.core),
);
if (chosen.length === 0) {
  throw new Error(`No such combination. There are: ${COMBINATIONS.map(({ name }) => name).join(', ')}.`);
}
const directory = mkdtempSync(join(tmpdir(), 'redis-log-matrix-'));
const redis = await startRedis();
try {
  const tarball = pack(directory);
  const results = await runAll(chosen, { directory, tarball, redisUrl: redis.url });
  if (chosen.length === COMBINATIONS.length) writeTable(results);
  const failed = results.filter(({ error }) => error !== undefined);
  for (const { name, error } of failed) process.stdout.write(`\n== ${name}\n${error}\n`);
  process.stdout.write(`matrix: ${results.length - failed.length} passed, ${failed.length} failed\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  redis.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** The keeper ends its server when this process is gone, however it ends. */
async function startRedis() {
  const found = await ensureRedis({ preferBinary: true });
  const keeper = spawn(
    process.execPath,
    [join(root, 'scripts/redis-keeper.mjs'), found.kind === 'binary' ? found.path : 'docker'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: keeper.stdout });
  const ended = once(keeper, 'exit').then(() => {
    throw new Error('The Redis server did not start: its messages, if any, are above.');
  });
  const [url] = await Promise.race([once(lines, 'line'), ended]);
  ended.catch(() => {});
  return { url, stop: () => keeper.stdin.end() };
}

/** Packs what is built, and builds first where the sources are newer. */
function pack(destination) {
  if (newest(join(root, 'src')) > newest(join(root, 'dist'))) {
    if (run(process.execPath, [join(root, 'scripts/build.mjs')]) !== 0) throw new Error('The build failed.');
  }
  const args = [npmProgram(), 'pack', '--ignore-scripts', '--silent', '--pack-destination', destination];
  if (run(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }) !== 0) {
    throw new Error('npm pack failed: its message is above.');
  }
  const [tarball] = readdirSync(destination).filter((name) => name.endsWith('.tgz'));
  return join(destination, tarball);
}

/** When something in a folder last changed; 0 for a folder that is not there. */
function newest(folder) {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return Math.max(0, ...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
  } catch {
    return 0;
  }
}

async function runAll(combinations, context) {
  const results = new Map();
  const waiting = [...combinations];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await runOne(next, context);
      results.set(next, result);
      const sign = result.error === undefined ? 'passed' : 'FAILED';
      process.stdout.write(`${sign}  ${next.name}  (${next.title}; ${result.seconds} s)\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return combinations.map((combination) => results.get(combination));
}

async function runOne(combination, context) {
  const { name, title } = combination;
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1_000);
  try {
    const { node, versions } = await runCombination(combination, context);
    return { name, title, node, versions, seconds: seconds() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { name, title, node: '', versions: [], seconds: seconds(), error: text };
  } finally {
    rmSync(join(context.directory, name), { recursive: true, force: true });
  }
}

function writeTable(results) {
  const rows = results.map(({ title, node, versions, error }) => {
    const tested = [`Node ${node.replace(/^v/, '')}`, ...versions].join(', ');
    return `| ${title} | ${error === undefined ? tested : ''} | ${error === undefined ? 'works' : '**fails**'} |`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const table = [`Last run: ${date}.`, '', '| combination | tested with | |', '|---|---|---|', ...rows];
  const page = readFileSync(TABLE, 'utf8');
  const [before, rest] = page.split(START);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`${TABLE} has lost its markers.`);
  writeFileSync(TABLE, `${before}${START}\n${table.join('\n')}\n${END}${after}`);
}
