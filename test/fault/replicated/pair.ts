import type { Redis } from 'ioredis';
import type { RedisProcess } from '../../support/redis-process.js';
import type { RedisSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';

/** How the primary is taken from its place. */
export type Fault = 'is asked to go' | 'is stopped' | 'is killed';

/** By whom the old primary is made a replica: Sentinel does so when it has been back for eight seconds. */
export type Demotion = 'at once' | 'by Sentinel';

/** The two servers behind Sentinel, which change places again and again. */
export class Pair {
  readonly #group: RedisSentinels;
  readonly #clients = new Map<RedisProcess, Redis>();
  #primary: RedisProcess;

  constructor(group: RedisSentinels) {
    this.#group = group;
    this.#primary = group.master;
  }

  get primary(): RedisProcess {
    return this.#primary;
  }

  get other(): RedisProcess {
    const { master, replica } = this.#group;
    return this.#primary === master ? replica : master;
  }

  /** One for each server, whatever becomes of it meanwhile. */
  client(server: RedisProcess): Redis {
    let client = this.#clients.get(server);
    if (client === undefined) {
      client = server.client({ enableReadyCheck: false });
      this.#clients.set(server, client);
    }
    return client;
  }

  /** Resolves when the other server is the primary; the old one, unless it was killed, still takes records then. */
  async switchOver(fault: Fault): Promise<void> {
    const { primary: old, other: next } = this;
    if (fault === 'is asked to go') await this.#askToGo();
    else if (fault === 'is stopped') await old.pause();
    else await old.kill();
    await until(async () => (await this.#roleOf(next)) === 'master', {
      what: 'a new primary',
      timeoutMs: 30_000,
    });
    await until(() => this.#everySentinelNames(next), { what: 'its name', timeoutMs: 30_000 });
    if (fault === 'is stopped') await old.resume();
    if (fault !== 'is killed' && (await this.#roleOf(old)) !== 'master')
      throw new Error('Demoted too early.');
    this.#primary = next;
  }

  /** Resolves when the server that was the primary is a replica in step with the new one. */
  async demoteOther(demotion: Demotion): Promise<void> {
    const { primary, other: old } = this;
    const wasKilled = old.pid === undefined;
    if (wasKilled) await old.restart();
    if (wasKilled || demotion === 'at once') {
      // What Sentinel does.
      const transaction = this.client(old).multi().replicaof(primary.host, primary.port);
      await transaction.call('CLIENT', 'KILL', 'TYPE', 'normal').exec();
    }
    await until(async () => (await this.client(old).info('replication')).includes('master_link_status:up'), {
      what: 'the old primary to follow the new one',
      timeoutMs: 60_000,
    });
  }

  async #askToGo(): Promise<void> {
    const [first] = this.#group.sentinels.map((each) => this.client(each));
    // Just after a failover it says that it knows no good replica.
    await until(async () => (await first?.call('SENTINEL', 'FAILOVER', this.#group.name)) === 'OK', {
      what: 'Sentinel to begin',
      timeoutMs: 30_000,
      intervalMs: 50,
    });
  }

  async #everySentinelNames({ port }: RedisProcess): Promise<boolean> {
    const asked = this.#group.sentinels.map((each) =>
      this.client(each).call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#group.name),
    );
    return (await Promise.all(asked)).every((answer) => Number((answer as string[])[1]) === port);
  }

  async #roleOf(server: RedisProcess): Promise<string | undefined> {
    return /role:(\w+)/.exec(await this.client(server).info('replication'))?.[1];
  }
}
