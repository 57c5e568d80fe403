// `npm test`: installs what is missing, builds, checks, runs every test, and ends with "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureNode, ensurePackages, ensureRedis, environmentFor } from './bootstrap.mjs';
import { npmProgram, root, run } from './processes.mjs';

/** Each is an npm script of package.json and counts as one check, passed or failed. */
const CHECKS = ['build', 'format:check', 'lint', 'typecheck', 'bench:guards'];

const total = { passed: 0, failed: 0 };
try {
  await testAll(process.argv.slice(2));
} catch (error) {
  total.failed += 1;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function testAll(vitestArguments) {
  const node = ensureNode();
  ensurePackages(node);
  const server = await ensureRedis({ preferBinary: true });
  const env = environmentFor(node, server.kind === 'binary' ? { REDIS_LOG_TEST_SERVER: server.path } : {});
  for (const check of CHECKS) {
    process.stdout.write(`\n== ${check}\n`);
    const passed = run(node, [npmProgram(), 'run', '--silent', check], { env }) === 0;
    process.stdout.write(`${check}: ${passed ? 'passed' : 'FAILED'}\n`);
    total[passed ? 'passed' : 'failed'] += 1;
  }
  process.stdout.write('\n== tests\n');
  runVitest(node, env, vitestArguments);
}

function runVitest(node, env, extra) {
  const directory = mkdtempSync(join(tmpdir(), 'redis-log-test-'));
  const file = join(directory, 'counts.json');
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/vitest-counts.mjs')}`];
    const args = [vitest, 'run', '--config', 'test/vitest.config.ts', ...reporters, ...extra];
    const code = run(node, args, { env: { ...env, VITEST_COUNTS_FILE: file } });
    add(readCounts(file), code, extra);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What vitest wrote; a vitest that crashed wrote nothing, and that is no success. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: [] };
  }
}

function add(counts, code, extra) {
  total.passed += counts.passed;
  total.failed += counts.failed;
  reportSkipped(counts.skipped, extra);
  if (counts.failed > 0) return;
  if (code !== 0) {
    total.failed += 1;
    process.stdout.write(`vitest ended with code ${code} although no test failed: see its output above\n`);
  } else if (counts.passed === 0) {
    total.failed += 1;
    process.stdout.write('no test was run\n');
  }
}

function reportSkipped(skipped, extra) {
  if (skipped.length === 0) return;
  // A filter by name (-t) skips most tests by intention: their names would bury what matters.
  if (extra.length > 0) {
    process.stdout.write(`${skipped.length} skipped (a filter was given: ${extra.join(' ')})\n`);
    return;
  }
  process.stdout.write(`${skipped.length} skipped:\n`);
  for (const { name, reason } of skipped) process.stdout.write(`  ${name}: ${reason ?? 'no reason given'}\n`);
}
