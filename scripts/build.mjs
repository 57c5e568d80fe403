// Compiles src/ twice: ESM by `nest build`, CommonJS by tsc. package.json `exports` says who gets which.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './processes.mjs';

const modules = join(root, 'node_modules');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
for (const [tool, ...args] of [
  ['@nestjs/cli/bin/nest.js', 'build'],
  ['typescript/bin/tsc', '-p', 'src/tsconfig.cjs.json'],
]) {
  const code = run(process.execPath, [join(modules, tool), ...args]);
  if (code !== 0) process.exit(code);
}
// Without it Node would read dist/cjs by the package's own "type": "module".
mkdirSync(join(dist, 'cjs'), { recursive: true });
writeFileSync(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
