import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.js';
import { ProxyPipe } from './proxy-pipe.js';

export type Direction = 'up' | 'down';

/** What a proxy does to the bytes that pass. "Up" is from the client to the server. */
export interface ProxyFaults {
  /** Milliseconds by which every byte is late, each way; order and throughput stay. */
  readonly latencyMs: number;
  /**
   * Nothing passes and nobody is told. What was under way arrives when the hole is gone, as TCP would send it
   * again; `cut()` loses it.
   */
  readonly blackHole: boolean | Direction;
  /** RST to both sides once so many bytes have passed that way, counted per connection from when it was set. */
  readonly resetAfterBytes: { readonly [direction in Direction]?: number };
  /** At most so many bytes in one write, each in a turn of the event loop of its own; 0 for no limit. */
  readonly sliceBytes: number;
  /** Nobody listens: a new connection gets ECONNREFUSED. Open ones stay. */
  readonly refuse: boolean;
  /** Milliseconds between a new connection and its first byte to the server. */
  readonly acceptDelayMs: number;
}

/** Totals since the start. Bytes are those that were passed on. */
export interface ProxyCounts {
  readonly connections: number;
  readonly open: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface TcpProxyTarget {
  readonly host?: string;
  readonly port: number;
}

const HEALTHY: ProxyFaults = {
  latencyMs: 0,
  blackHole: false,
  resetAfterBytes: {},
  sliceBytes: 0,
  refuse: false,
  acceptDelayMs: 0,
};

/** Starts a proxy in front of a server; healthy until `set` says otherwise. */
export async function startTcpProxy(target: TcpProxyTarget): Promise<TcpProxy> {
  const proxy = new TcpProxy(target, await freePort());
  await proxy.listen();
  return proxy;
}

/** Stands between a client and a server, and breaks what it is told to break. */
export class TcpProxy implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly url: string;
  readonly #target: TcpProxyTarget;
  readonly #connections = new Set<ProxiedConnection>();
  #server: Server | undefined;
  #faults: ProxyFaults = HEALTHY;
  #accepted = 0;
  #bytes = { up: 0, down: 0 };

  constructor(target: TcpProxyTarget, port: number) {
    this.#target = target;
    this.port = port;
    this.url = `redis://${this.host}:${port}`;
  }

  get counts(): ProxyCounts {
    const { up, down } = this.#bytes;
    return { connections: this.#accepted, open: this.#connections.size, bytesUp: up, bytesDown: down };
  }

  async listen(): Promise<void> {
    // A half-closed connection stays one: either side may end its half and still receive.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen(this.port, this.host);
    await once(server, 'listening');
  }

  /** Sets these faults beside those that are set, for open connections as well as for new ones. */
  async set(faults: Partial<ProxyFaults>): Promise<void> {
    this.#faults = { ...this.#faults, ...faults };
    for (const connection of this.#connections) connection.apply(this.#faults);
    if (this.#faults.refuse) this.#stopListening();
    else if (this.#server === undefined) await this.listen();
  }

  /** No faults from now on. */
  async heal(): Promise<void> {
    await this.set(HEALTHY);
  }

  /** Ends every open connection now, by RST; what was under way is lost. */
  cut(): void {
    for (const connection of this.#connections) connection.reset();
  }

  async close(): Promise<void> {
    this.#stopListening();
    const ended = [...this.#connections].map((connection) => connection.ended);
    this.cut();
    await Promise.all(ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const connection = new ProxiedConnection(client, this.#target, {
      faults: this.#faults,
      onBytes: (direction, count) => {
        this.#bytes[direction] += count;
      },
    });
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
  }
}

interface ConnectionContext {
  readonly faults: ProxyFaults;
  readonly onBytes: (direction: Direction, count: number) => void;
}

class ProxiedConnection {
  readonly ended: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #up: ProxyPipe;
  readonly #down: ProxyPipe;
  readonly #delay: NodeJS.Timeout | undefined;

  constructor(client: Socket, target: TcpProxyTarget, { faults, onBytes }: ConnectionContext) {
    this.#client = client;
    this.#server = createConnection({ host: '127.0.0.1', ...target, allowHalfOpen: true, noDelay: true });
    const onLimit = (): void => this.reset();
    this.#up = new ProxyPipe(client, this.#server, { onBytes: (count) => onBytes('up', count), onLimit });
    this.#down = new ProxyPipe(this.#server, client, { onBytes: (count) => onBytes('down', count), onLimit });
    for (const socket of [client, this.#server]) socket.on('error', onLimit);
    this.ended = new Promise((resolve) => {
      const closed = (): void => {
        if (client.destroyed && this.#server.destroyed) resolve();
      };
      client.once('close', closed);
      this.#server.once('close', closed);
    });
    if (faults.acceptDelayMs > 0) {
      this.#up.hold('accept', true);
      this.#delay = setTimeout(() => this.#up.hold('accept', false), faults.acceptDelayMs);
    }
    this.apply(faults);
  }

  apply({ latencyMs, blackHole, resetAfterBytes, sliceBytes }: ProxyFaults): void {
    for (const [direction, pipe] of [
      ['up', this.#up],
      ['down', this.#down],
    ] as const) {
      pipe.set({ latencyMs, sliceBytes, limitBytes: resetAfterBytes[direction] });
      pipe.hold('black hole', blackHole === true || blackHole === direction);
    }
  }

  reset(): void {
    clearTimeout(this.#delay);
    for (const pipe of [this.#up, this.#down]) pipe.stop();
    for (const socket of [this.#client, this.#server]) {
      if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}
