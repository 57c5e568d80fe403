import type { MonitorConnection } from '../redis/monitor-connection.js';
import { serverState } from '../redis/monitor-replies.js';
import type { ServerSample } from './types.js';

/** Follows the servers behind the connection: one, or the masters of a Cluster. */
export class ServerWatch {
  readonly #connection: MonitorConnection;
  readonly #evicted = new Map<string, number>();

  constructor(connection: MonitorConnection) {
    this.#connection = connection;
  }

  /** Never rejects: a user without INFO sees no servers. */
  async sample(): Promise<ServerSample[]> {
    const infos = await this.#connection.infos().catch(() => []);
    const samples = infos.map(({ address, info }) => this.#sample(address, info));
    if (samples.some(({ role }) => role === 'slave')) this.#connection.demoted();
    return samples;
  }

  #sample(address: string, info: string): ServerSample {
    const state = serverState(info);
    const before = this.#evicted.get(address);
    const now = state.evictedKeys;
    if (now !== undefined) this.#evicted.set(address, now);
    // A lower count than before is a restarted server's.
    const newlyEvictedKeys =
      now === undefined || before === undefined ? undefined : now < before ? now : now - before;
    return { address, ...state, newlyEvictedKeys };
  }
}
