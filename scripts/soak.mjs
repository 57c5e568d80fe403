// `npm run soak -- --minutes N [--rate 10000] [--seed N] [--json FILE]`: logs through one fault after another and
// accounts for every record. Ends with code 1 when anything that was promised was not kept.
import { parseArgs } from 'node:util';
import { join, resolve } from 'node:path';
import { ensureNode, ensurePackages, ensureRedis, environmentFor } from './bootstrap.mjs';
import { outputOf, root, run } from './processes.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    json: { type: 'string' },
  },
});

const node = ensureNode();
ensurePackages(node);
const server = await ensureRedis({ preferBinary: true });
if (server.kind !== 'binary') throw new Error('The soak stops and kills its server: install redis-server.');

const changed = outputOf('git', ['-C', root, 'status', '--porcelain', '--untracked-files=no']) ?? '';
const commit = outputOf('git', ['-C', root, 'rev-parse', '--short', 'HEAD'])?.trim() ?? 'unknown';
const settings = {
  seconds: number('minutes') * 60,
  rate: number('rate'),
  seed: values.seed === undefined ? undefined : number('seed'),
  json: values.json === undefined ? undefined : resolve(values.json),
  commit: changed === '' ? commit : `${commit} with changes`,
  redis: outputOf(server.path, ['--version'])?.trim().split(' ').slice(0, 3).join(' ') ?? 'unknown',
};
// Node strips types by itself since 22.18.
const strips = outputOf(node, ['-p', 'process.features.typescript'])?.trim() === 'strip';
const program = [
  '--import',
  './test/soak/typescript.mjs',
  join('test', 'soak', 'main.ts'),
  JSON.stringify(settings),
];
process.exitCode = run(node, [...(strips ? [] : ['--experimental-strip-types']), ...program], {
  env: environmentFor(node, { REDIS_LOG_TEST_SERVER: server.path }),
});

function number(name) {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} wants a number above 0, got ${values[name]}.`);
}
