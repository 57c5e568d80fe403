import type { Redis, RedisOptions } from 'ioredis';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { freePort } from './free-port.js';
import { OpenClients } from './open-clients.js';
import type { RedisServer, RedisServerOptions } from './redis-options.js';
import { until } from './until.js';

const IMAGE = 'redis:7.4-alpine';
const INNER_PORT = 6379;

/** Starts a server in Docker, for machines that have no server program. It has no Unix socket. */
export async function startRedisContainer(options: RedisServerOptions): Promise<RedisServer> {
  const lines = [
    `appendonly ${options.appendOnly === true ? 'yes' : 'no'}`,
    'save ""',
    ...(options.config ?? []),
  ];
  // A fixed port on the outside, because Docker gives a new one to a container that is started again.
  const port = await freePort();
  const started = await new GenericContainer(IMAGE)
    .withCopyContentToContainer([{ content: `${lines.join('\n')}\n`, target: '/tmp/redis.conf' }])
    .withCommand(['redis-server', '/tmp/redis.conf'])
    .withExposedPorts({ container: INNER_PORT, host: port })
    .start();
  return new RedisContainer(started, port);
}

class RedisContainer implements RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly socketPath = undefined;
  readonly #started: StartedTestContainer;
  readonly #clients = new OpenClients();
  #isStopped = false;

  constructor(started: StartedTestContainer, port: number) {
    this.#started = started;
    this.host = started.getHost();
    this.port = port;
    this.url = `redis://${this.host}:${port}`;
  }

  client(options: RedisOptions = {}): Redis {
    return this.#clients.open({ host: this.host, port: this.port, ...options });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#clients.close();
    await this.#started.stop();
  }

  async kill(): Promise<void> {
    await (await this.#container()).kill({ signal: 'SIGKILL' });
  }

  async pause(): Promise<void> {
    await (await this.#container()).pause();
  }

  async resume(): Promise<void> {
    await (await this.#container()).unpause();
  }

  async restart(): Promise<void> {
    await (await this.#container()).restart();
    const client = this.client();
    await until(() => client.ping(), { what: 'the server to answer after its restart', timeoutMs: 10_000 });
    client.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #container() {
    const runtime = await getContainerRuntimeClient();
    return runtime.container.getById(this.#started.getId());
  }
}
