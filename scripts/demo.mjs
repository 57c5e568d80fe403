// `npm run demo`: installs what is missing, builds the package and the sample app, gives it a Redis, runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { ensureNode, ensurePackages, ensureRedis, environmentFor } from './bootstrap.mjs';
import { root, run, say } from './processes.mjs';

/**
 * One Ctrl-C can arrive twice here: from the terminal, and from npm, which passes signals on; SIGTERM to npm ends
 * npm, and the terminal's SIGHUP follows. What comes within this time of another is taken for the same wish; a
 * later one is the user's second, and is passed on.
 */
const SAME_WISH_MS = 500;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(demoArguments) {
  const node = ensureNode();
  ensurePackages(node);
  const source = await ensureRedis({ useEnvironment: true });
  build(node);
  const redis =
    source.kind === 'url' ? { url: source.url, stop: async () => {} } : await startRedis(node, source);
  try {
    return await runDemo(node, redis.url, demoArguments);
  } finally {
    await redis.stop();
  }
}

function build(node) {
  say('building the package and the sample app');
  const env = environmentFor(node);
  for (const args of [
    ['scripts/build.mjs'],
    ['node_modules/typescript/bin/tsc', '-p', 'sample-app/tsconfig.json'],
  ]) {
    if (run(node, args, { env }) !== 0)
      throw new Error(`${args.join(' ')} failed: its own message is above.`);
  }
}

/** Starts a server of our own; it ends with the pipe to its keeper, see redis-keeper.mjs. */
async function startRedis(node, source) {
  const target = source.kind === 'docker' ? 'docker' : source.path;
  say(`starting ${source.kind === 'docker' ? 'Redis in Docker' : target} for this demo only`);
  const keeper = spawn(node, [join(root, 'scripts/redis-keeper.mjs'), target], {
    cwd: root,
    env: environmentFor(node),
    stdio: ['pipe', 'pipe', 'inherit'],
    // A session of its own: a terminal's Ctrl-C must not end the server before the app has flushed to it.
    detached: true,
  });
  const ended = once(keeper, 'exit');
  const lines = createInterface({ input: keeper.stdout });
  const [url] = await Promise.race([once(lines, 'line'), ended.then(() => [undefined])]);
  if (url === undefined) throw new Error('No Redis could be started: the message above says why.');
  const stop = async () => {
    keeper.stdin.end();
    await ended;
  };
  return { url, stop };
}

/** Runs the app to its end; its exit code (128 + n for a signal) becomes ours. */
async function runDemo(node, url, args) {
  const preload = pathToFileURL(join(root, 'scripts/end-with-parent.mjs')).href;
  // In Node 22 SQLite, where the demo keeps errors, comes with a warning.
  const options = ['--disable-warning=ExperimentalWarning', '--import', preload];
  const app = spawn(node, [...options, join(root, 'sample-app/dist/demo.js'), ...args], {
    cwd: root,
    env: environmentFor(node, { REDIS_LOG_URL: url }),
    stdio: ['pipe', 'inherit', 'inherit'],
    // Out of the terminal's reach, so that forwarding below is the one way by which a signal gets to the app.
    detached: true,
  });
  const stopForwarding = forwardSignals(app);
  const [code, signal] = await once(app, 'exit');
  stopForwarding();
  return code ?? 128 + constants.signals[signal];
}

function forwardSignals(app) {
  let lastSeen = -Infinity;
  const forward = (signal) => {
    const now = performance.now();
    const isEcho = now - lastSeen < SAME_WISH_MS;
    lastSeen = now;
    // A closed terminal (SIGHUP) is a reason to finish in order too.
    if (!isEcho) app.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}
