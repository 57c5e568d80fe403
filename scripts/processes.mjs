// Small helpers over child processes. No dependencies, Node 18 and later: this runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Tells the user, in one line, what is being done on their machine. */
export function say(line) {
  process.stdout.write(`[setup] ${line}\n`);
}

/** The first executable file of that name on PATH, or undefined. */
export function findOnPath(name, path = process.env.PATH ?? '') {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    const found = names.map((each) => join(folder, each)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Runs a command to its end with this terminal; returns its exit code (128 + n for a signal). */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd: root, ...options });
  if (result.error !== undefined) {
    process.stderr.write(`${command}: ${result.error.message}\n`);
    return 127;
  }
  return result.status ?? 128;
}

/** The standard output of a command, or undefined when it cannot be run or fails. */
export function outputOf(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  return result.status === 0 ? result.stdout : undefined;
}

/** npm's own program file, so that npm can be run by a Node other than the one it came with. */
export function npmProgram() {
  const given = process.env.npm_execpath ?? '';
  if (/^npm-cli\.c?js$/.test(basename(given)) && existsSync(given)) return given;
  const beside = dirname(process.execPath);
  const onPath = findOnPath('npm');
  const candidates = [
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    ...(onPath === undefined ? [] : [join(dirname(onPath), '../lib/node_modules/npm/bin/npm-cli.js')]),
  ];
  const found = candidates.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`npm was not found beside ${process.execPath}: install npm.`);
  return found;
}
