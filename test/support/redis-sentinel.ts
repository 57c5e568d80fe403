import type { Redis, RedisOptions } from 'ioredis';
import { OpenClients } from './open-clients.js';
import { requireRedisBinary } from './redis-binary.js';
import { type RedisProcess, startRedisProcess } from './redis-process.js';
import { until } from './until.js';

const SENTINELS = 3;
const QUORUM = 2;
const MASTER_NAME = 'logs';

export interface RedisSentinelsOptions {
  /** Further lines of redis.conf for the master and its replica. */
  readonly config?: readonly string[];
  /** Milliseconds until a silent master counts as down. Default 500. */
  readonly downAfterMs?: number;
}

export interface RedisSentinels extends AsyncDisposable {
  /** The name under which the Sentinels know the master. */
  readonly name: string;
  /** The master at the start; a failover exchanges the two. */
  readonly master: RedisProcess;
  readonly replica: RedisProcess;
  readonly sentinels: readonly RedisProcess[];
  /** What ioredis takes as `sentinels`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The port of the master as the first Sentinel that answers sees it. */
  masterPort(): Promise<number>;
  /** A client for assertions that follows the master. It is closed with the servers. */
  client(options?: RedisOptions): Redis;
  stop(): Promise<void>;
}

/** Starts a master, a replica and three Sentinels, and waits until all of them know of each other. */
export async function startRedisSentinels(options: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
  const binary = requireRedisBinary('Sentinel');
  const { config = [], downAfterMs = 500 } = options;
  const started: RedisProcess[] = [];
  const start = async (lines: readonly string[], sentinel = false): Promise<RedisProcess> => {
    const server = await startRedisProcess({ binary, sentinel, config: lines });
    started.push(server);
    return server;
  };
  try {
    const master = await start(config);
    const replica = await start([...config, `replicaof ${master.host} ${master.port}`]);
    const link = replica.client();
    await until(async () => (await link.info('replication')).includes('master_link_status:up'), {
      what: 'the replica to be in step',
      timeoutMs: 20_000,
    });
    const watch = sentinelConfiguration(master, downAfterMs);
    const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => start(watch, true)));
    const group = new LocalSentinels({ master, replica, sentinels });
    await group.ready();
    return group;
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()));
    throw error;
  }
}

function sentinelConfiguration(master: RedisProcess, downAfterMs: number): string[] {
  return [
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    // The pause before a failed attempt is repeated; the default is three minutes.
    `sentinel failover-timeout ${MASTER_NAME} 3000`,
  ];
}

interface Servers {
  readonly master: RedisProcess;
  readonly replica: RedisProcess;
  readonly sentinels: readonly RedisProcess[];
}

class LocalSentinels implements RedisSentinels {
  readonly name = MASTER_NAME;
  readonly master: RedisProcess;
  readonly replica: RedisProcess;
  readonly sentinels: readonly RedisProcess[];
  readonly #admins: readonly Redis[];
  readonly #clients = new OpenClients();

  constructor({ master, replica, sentinels }: Servers) {
    this.master = master;
    this.replica = replica;
    this.sentinels = sentinels;
    this.#admins = sentinels.map((each) => each.client({ enableReadyCheck: false, maxRetriesPerRequest: 0 }));
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.sentinels.map(({ host, port }) => ({ host, port }));
  }

  async ready(): Promise<void> {
    const everySentinelKnowsAll = async (): Promise<boolean> => {
      const views = await Promise.all(
        this.#admins.map((admin) => admin.call('SENTINEL', 'MASTER', MASTER_NAME)),
      );
      return views.map(toFields).every((view) => {
        const others = view.get('num-other-sentinels') === String(SENTINELS - 1);
        return others && view.get('num-slaves') === '1' && view.get('flags') === 'master';
      });
    };
    await until(everySentinelKnowsAll, { what: 'the Sentinels to know each other', timeoutMs: 20_000 });
  }

  async masterPort(): Promise<number> {
    const asked = this.#admins.map((admin) => admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME));
    const address = await Promise.any(asked);
    return Number(Array.isArray(address) ? address[1] : Number.NaN);
  }

  client(options: RedisOptions = {}): Redis {
    return this.#clients.open({ sentinels: [...this.addresses], name: MASTER_NAME, ...options });
  }

  async stop(): Promise<void> {
    this.#clients.close();
    await Promise.all([this.master, this.replica, ...this.sentinels].map((server) => server.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Pairs as a flat array (RESP2, and ioredis 6 as it maps replies by default). */
function toFields(reply: unknown): Map<string, string> {
  const flat = Array.isArray(reply) ? reply.map(String) : [];
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(flat[index] ?? '', flat[index + 1] ?? '');
  return fields;
}
