import { Redis, type RedisOptions } from 'ioredis';

/** The clients that a test asked a server for, so that they end with the server. */
export class OpenClients {
  readonly #clients = new Set<{ disconnect(): void }>();

  open(options: RedisOptions): Redis {
    // Said here too, since ioredis 6 chooses the type of its replies by this option.
    return this.add(new Redis({ ...options, replyMapping: 'legacy' }));
  }

  add<Client extends { disconnect(): void; on(event: 'error', listener: () => void): unknown }>(
    client: Client,
  ): Client {
    // Assertions see a lost connection as a rejected command; without a listener ioredis prints it as well.
    client.on('error', () => {});
    this.#clients.add(client);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
    this.#clients.clear();
  }
}
