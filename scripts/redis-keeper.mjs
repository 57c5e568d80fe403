// Runs one throw-away Redis for scripts/demo.mjs: `node redis-keeper.mjs <server program | docker>`.
// Prints its URL as the first line, and ends it when standard input closes. So no server outlives the demo,
// whatever ends the demo: a killed process closes its pipes too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_DEADLINE_MS = 10_000;
const IMAGE = 'redis:7.4-alpine';

// Ctrl-C in a terminal is for the demo: it ends this process by closing the pipe, when its app has finished.
process.on('SIGINT', () => {});
const [, , program = 'redis-server'] = process.argv;
const server = program === 'docker' ? await startContainer() : await startProcess(program);
process.stdout.write(`${server.url}\n`);
process.stdin.resume();
await Promise.race([once(process.stdin, 'close'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
await server.stop();
process.exit(0);

async function startContainer() {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE).withExposedPorts(6379).start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: () => container.stop(),
  };
}

async function startProcess(path) {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'redis-log-demo-'));
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'no',
    loglevel: 'warning',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: directory });
  // A program that cannot be started is an 'error' event, which ends the loop below like an early exit.
  const ended = once(child, 'exit').catch(() => {});
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await answersPing(port))) {
    if (child.pid === undefined || child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`${path} did not start on port ${port}: its messages, if any, are above.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

function answersPing(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (data) => {
      resolve(data.toString('latin1').startsWith('+PONG'));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
