import { Cluster, type ClusterOptions, type Redis } from 'ioredis';
import { OpenClients } from './open-clients.js';
import { requireRedisBinary } from './redis-binary.js';
import { type RedisProcess, startRedisProcess } from './redis-process.js';
import { until } from './until.js';

const MASTERS = 3;
/** Fixed by the Redis Cluster specification. */
const SLOTS = 16_384;

export interface RedisClusterOptions {
  /** Replicas of each master. Default 0. */
  readonly replicas?: number;
  /** Further lines of redis.conf for every node. */
  readonly config?: readonly string[];
  /** Milliseconds until a silent node counts as down. Default 1,000. */
  readonly nodeTimeoutMs?: number;
}

export interface RedisCluster extends AsyncDisposable {
  /** All nodes: the masters first, by slots; then the replicas, one of each master at a time. */
  readonly nodes: readonly RedisProcess[];
  readonly masters: readonly RedisProcess[];
  readonly replicas: readonly RedisProcess[];
  /** What ioredis takes as start-up nodes. */
  readonly startupNodes: readonly { readonly host: string; readonly port: number }[];
  /** A Cluster client for assertions. It is closed with the cluster. */
  client(options?: ClusterOptions): Cluster;
  /** Resolves when every running node says `cluster_state:ok`. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts three masters that share the slots evenly, with replicas on request, and waits until all agree. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const binary = requireRedisBinary('A cluster');
  const { replicas = 0, config = [], nodeTimeoutMs = 1_000 } = options;
  const nodeConfig = ['cluster-enabled yes', `cluster-node-timeout ${nodeTimeoutMs}`, ...config];
  const starting = Array.from({ length: MASTERS * (1 + replicas) }, () =>
    startRedisProcess({ binary, config: nodeConfig }),
  );
  const settled = await Promise.allSettled(starting);
  const nodes = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const cluster = new LocalCluster(nodes);
  try {
    const failed = settled.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await cluster.form();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

class LocalCluster implements RedisCluster {
  readonly nodes: readonly RedisProcess[];
  readonly #admin = new Map<RedisProcess, Redis>();
  readonly #clients = new OpenClients();

  constructor(nodes: readonly RedisProcess[]) {
    this.nodes = nodes;
  }

  get masters(): readonly RedisProcess[] {
    return this.nodes.slice(0, MASTERS);
  }

  get replicas(): readonly RedisProcess[] {
    return this.nodes.slice(MASTERS);
  }

  get startupNodes(): readonly { readonly host: string; readonly port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }));
  }

  client(options: ClusterOptions = {}): Cluster {
    const redisOptions = { ...options.redisOptions, replyMapping: 'legacy' } as const;
    return this.#clients.add(new Cluster([...this.startupNodes], { ...options, redisOptions }));
  }

  async form(): Promise<void> {
    const [first] = this.nodes;
    if (first === undefined) throw new Error('A cluster needs nodes.');
    for (const [index, master] of this.masters.entries()) await this.#giveSlots(master, index);
    for (const node of this.nodes.slice(1)) await this.#ask(node, 'MEET', first.host, first.port);
    await until(() => this.#everyNodeSays(`cluster_known_nodes:${this.nodes.length}`), {
      what: 'all nodes to know each other',
      timeoutMs: 20_000,
    });
    for (const [index, replica] of this.replicas.entries()) await this.#follow(replica, index % MASTERS);
    await this.ready();
  }

  async ready(): Promise<void> {
    const what = 'cluster_state:ok on every node';
    await until(() => this.#everyNodeSays('cluster_state:ok'), { what, timeoutMs: 20_000 });
  }

  async stop(): Promise<void> {
    this.#clients.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #giveSlots(master: RedisProcess, index: number): Promise<void> {
    const first = Math.floor((index * SLOTS) / MASTERS);
    const end = Math.floor(((index + 1) * SLOTS) / MASTERS);
    // One by one, because ADDSLOTSRANGE is of Redis 7.
    await this.#ask(
      master,
      'ADDSLOTS',
      ...Array.from({ length: end - first }, (_, offset) => first + offset),
    );
    // Nodes that start with the same epoch would settle the conflict first, which takes them seconds.
    await this.#ask(master, 'SET-CONFIG-EPOCH', index + 1);
  }

  async #follow(replica: RedisProcess, index: number): Promise<void> {
    const master = this.masters[index];
    if (master === undefined) throw new Error(`There is no master ${index}.`);
    const id = String(await this.#ask(master, 'MYID'));
    // It may not have heard of its master yet, or not of the slots; it says so, and is asked again.
    await until(async () => (await this.#ask(replica, 'REPLICATE', id)) === 'OK', {
      what: `node ${replica.port} to become a replica`,
      timeoutMs: 20_000,
    });
    const link = this.#client(replica);
    await until(async () => (await link.info('replication')).includes('master_link_status:up'), {
      what: `node ${replica.port} to be in step with its master`,
      timeoutMs: 20_000,
    });
  }

  async #everyNodeSays(line: string): Promise<boolean> {
    const running = this.nodes.filter((node) => node.pid !== undefined);
    const infos = await Promise.all(running.map((node) => this.#ask(node, 'INFO')));
    return infos.every((info) => String(info).split('\r\n').includes(line));
  }

  #ask(node: RedisProcess, ...args: (string | number)[]): Promise<unknown> {
    return this.#client(node).call('CLUSTER', ...args);
  }

  #client(node: RedisProcess): Redis {
    const client = this.#admin.get(node) ?? node.client();
    this.#admin.set(node, client);
    return client;
  }
}
