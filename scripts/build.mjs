// Compiles src/ twice: ESM by `nest build`, CommonJS by tsc. package.json `exports` says who gets which.
// A build that fails leaves the last good one where it is.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './processes.mjs';

const modules = join(root, 'node_modules');
const dist = join(root, 'dist');
const previous = join(root, 'dist.previous');

rmSync(previous, { recursive: true, force: true });
try {
  renameSync(dist, previous);
} catch {
  // The first build.
}
for (const [tool, ...args] of [
  ['@nestjs/cli/bin/nest.js', 'build'],
  ['typescript/bin/tsc', '-p', 'src/tsconfig.cjs.json'],
]) {
  const code = run(process.execPath, [join(modules, tool), ...args]);
  if (code === 0) continue;
  rmSync(dist, { recursive: true, force: true });
  try {
    renameSync(previous, dist);
  } catch {
    // There was none.
  }
  process.exit(code);
}
// Without it Node would read dist/cjs by the package's own "type": "module".
mkdirSync(join(dist, 'cjs'), { recursive: true });
writeFileSync(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
rmSync(previous, { recursive: true, force: true });
