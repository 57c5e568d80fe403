// Finds, or installs, a Redis server that the tests and the demo may start for themselves.
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, outputOf, run, say } from './processes.mjs';

const SERVERS = ['redis-server', 'valkey-server'];

/** What the package needs of a server. */
const OLDEST_REDIS = [6, 2];

/** How each package manager installs without a question; the first one found is used, and only as root. */
const PACKAGE_MANAGERS = [
  { program: 'apt-get', steps: [['update'], ['install', '-y', 'redis-server']] },
  { program: 'apk', steps: [['add', '--no-cache', 'redis']] },
  { program: 'dnf', steps: [['install', '-y', 'redis']] },
  { program: 'dnf', steps: [['install', '-y', 'valkey']] },
  { program: 'yum', steps: [['install', '-y', 'redis']] },
];

/**
 * How to get a server, in the order of preference:
 * `{ kind: 'url', url }` (only with `useEnvironment`: REDIS_LOG_URL, then REDIS_URL),
 * `{ kind: 'binary', path }`, or `{ kind: 'docker' }`. Throws one sentence that says what to install.
 * With `preferBinary` the package manager comes before Docker: clusters, Sentinels and signals need processes.
 */
export async function ensureRedis({ useEnvironment = false, preferBinary = false } = {}) {
  const url = useEnvironment ? process.env.REDIS_LOG_URL || process.env.REDIS_URL : undefined;
  if (url) return { kind: 'url', url };
  const path = findServer() ?? (preferBinary ? installServer() : undefined);
  if (path !== undefined) return { kind: 'binary', path };
  if (await dockerAnswers()) {
    say('no redis-server on PATH: using Docker');
    return { kind: 'docker' };
  }
  const installed = preferBinary ? undefined : installServer();
  if (installed !== undefined) return { kind: 'binary', path: installed };
  throw new Error(
    'No Redis server was found: install Redis 6.2 or later, or Valkey 7.2 or later, so that redis-server or ' +
      'valkey-server is on PATH (Debian: apt-get install redis-server; macOS: brew install redis), or start Docker' +
      `${useEnvironment ? ', or set REDIS_LOG_URL' : ''}.`,
  );
}

function findServer() {
  return SERVERS.map((name) => findOnPath(name)).find((path) => path !== undefined && isUsable(path));
}

function isUsable(path) {
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(outputOf(path, ['--version']) ?? '') ?? [];
  return (
    Number(major) > OLDEST_REDIS[0] || (Number(major) === OLDEST_REDIS[0] && Number(minor) >= OLDEST_REDIS[1])
  );
}

/** Never sudo, never a question: only for whoever is root already, as in a container or on a build machine. */
function installServer() {
  if (process.getuid?.() !== 0) return undefined;
  for (const { program, steps } of PACKAGE_MANAGERS) {
    const manager = findOnPath(program);
    if (manager === undefined) continue;
    for (const args of steps) {
      say(`no redis-server on PATH: running ${program} ${args.join(' ')}`);
      run(manager, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    }
    const found = findServer();
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a Docker daemon answers, at DOCKER_HOST or where the usual installations put its socket. */
async function dockerAnswers() {
  for (const target of dockerTargets()) {
    if (await answersPing(target)) return true;
  }
  return false;
}

function dockerTargets() {
  const host = process.env.DOCKER_HOST;
  if (host?.startsWith('unix://')) return [{ socketPath: host.slice('unix://'.length) }];
  if (host?.startsWith('tcp://')) {
    const { hostname, port } = new URL(host);
    return [{ host: hostname, port: Number(port || 2375) }];
  }
  if (process.platform === 'win32') return [{ socketPath: '//./pipe/docker_engine' }];
  const folders = ['/var/run', join(homedir(), '.docker/run'), join(homedir(), '.docker/desktop')];
  if (process.env.XDG_RUNTIME_DIR) folders.push(process.env.XDG_RUNTIME_DIR);
  return folders.map((folder) => ({ socketPath: join(folder, 'docker.sock') }));
}

function answersPing(target) {
  return new Promise((resolve) => {
    const ping = request({ ...target, path: '/_ping', timeout: 3_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}
