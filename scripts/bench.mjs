// `npm run bench`: installs what is missing, builds the package, and measures it; see test/bench/run.mjs.
import { join } from 'node:path';
import { ensureNode, ensurePackages, environmentFor } from './bootstrap.mjs';
import { root, run } from './processes.mjs';

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function main(args) {
  const node = ensureNode();
  ensurePackages(node);
  const env = environmentFor(node);
  const built = run(node, [join(root, 'scripts/build.mjs')], { env });
  if (built !== 0) return built;
  return run(node, [join(root, 'test/bench/run.mjs'), ...args], { env });
}
