import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis, RedisOptions } from 'ioredis';
import { killWithThisProcess } from './child-guard.js';
import { freePort } from './free-port.js';
import { OpenClients } from './open-clients.js';
import type { RedisServer, RedisServerOptions } from './redis-options.js';
import { until } from './until.js';

/** Redis says so once on a port and once more on a socket, Sentinel says its ID when it listens. */
const READY = /ready to accept connections|Sentinel ID is/i;
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const START_ATTEMPTS = 5;
const LOG_FILE = 'redis.log';

export interface RedisProcessOptions extends RedisServerOptions {
  readonly binary: string;
  readonly sentinel?: boolean;
}

/** Starts a server process; tries another port where somebody else was faster. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = await mkdtemp(join(tmpdir(), 'rl-'));
    const server = new RedisProcess(options, directory, await freePort());
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === START_ATTEMPTS || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

/** One server process with a temporary directory, a port and a Unix socket. */
export class RedisProcess implements RedisServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly url: string;
  readonly socketPath: string;
  readonly directory: string;
  readonly #options: RedisProcessOptions;
  readonly #clients = new OpenClients();
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #isConfigured = false;

  constructor(options: RedisProcessOptions, directory: string, port: number) {
    this.#options = options;
    this.directory = directory;
    this.port = port;
    this.url = `redis://${this.host}:${port}`;
    this.socketPath = join(directory, 'redis.sock');
  }

  /** The process's id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it accepts connections and has loaded its data. */
  async start(): Promise<void> {
    const file = join(this.directory, 'redis.conf');
    // Once only: Sentinels and CONFIG REWRITE keep their state in this file, and a restart must find it.
    if (!this.#isConfigured) await writeFile(file, `${this.#configuration().join('\n')}\n`);
    this.#isConfigured = true;
    const args = this.#options.sentinel === true ? [file, '--sentinel'] : [file];
    const child = spawnServer(this.#options.binary, args, this.directory);
    this.#child = child;
    const release = killWithThisProcess(child);
    this.#exited = new Promise<void>((resolve) => {
      const end = (): void => {
        if (this.#child === child) this.#child = undefined;
        release();
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
    await untilReady(child, this.directory);
    // A running server must not keep a test worker alive.
    child.unref();
  }

  client(options: RedisOptions = {}): Redis {
    return this.#clients.open({ host: this.host, port: this.port, ...options });
  }

  async stop(): Promise<void> {
    this.#clients.close();
    await this.#end('SIGTERM');
    await rm(this.directory, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): Promise<void> {
    this.#child?.kill('SIGSTOP');
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#child?.kill('SIGCONT');
    return Promise.resolve();
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    child.kill(signal);
    // A paused process would take note of SIGTERM only after SIGCONT.
    if (signal === 'SIGTERM') child.kill('SIGCONT');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(force);
  }

  #configuration(): string[] {
    const { config = [], appendOnly = false, sentinel = false } = this.#options;
    const common = [`port ${this.port}`, `bind ${this.host}`, `dir "${this.directory}"`, 'daemonize no'];
    if (sentinel) return [...common, ...config];
    const storage = ['save ""', `appendonly ${appendOnly ? 'yes' : 'no'}`];
    // The default makes a new replica wait for five seconds, in case a second one comes.
    const replication = ['repl-diskless-sync-delay 0'];
    return [...common, ...storage, ...replication, `unixsocket "${this.socketPath}"`, ...config];
  }
}

/** The log is a file and not a pipe: a server whose pipe nobody empties would come to a halt. */
function spawnServer(binary: string, args: string[], directory: string): ChildProcess {
  const log = openSync(join(directory, LOG_FILE), 'w');
  try {
    return spawn(binary, args, { cwd: directory, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

async function untilReady(child: ChildProcess, directory: string): Promise<void> {
  const readLog = (): string => readFileSync(join(directory, LOG_FILE), 'utf8');
  const ended = once(child, 'exit').then(() => true);
  // A program that does not exist is an 'error' event instead of an 'exit'.
  const hasEnded = ended.catch(() => true);
  const isReady = until(() => READY.test(readLog()) || child.exitCode !== null, {
    timeoutMs: START_TIMEOUT_MS,
    what: 'the server to accept connections',
  });
  await Promise.race([isReady, hasEnded]);
  if (child.exitCode === null && child.pid !== undefined) return;
  throw new Error(`The server ${child.spawnfile} did not start. It printed:\n${readLog().slice(-2_000)}`);
}
