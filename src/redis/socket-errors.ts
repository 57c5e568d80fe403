import type { Cluster, Redis } from 'ioredis';

/** The part of ioredis that makes sockets; the same in versions 5 and 6, though not in their types. */
interface Connector {
  connect(...args: unknown[]): Promise<{ on(event: 'error', listener: () => void): unknown }>;
}

/**
 * Hears every error of the sockets of a client that is not connected yet. ioredis hears the first one of each. A TLS
 * socket that is closed in the middle of its handshake has a second one (seen with Node 24 and Redis 7: an untrusted
 * certificate, then the server's alert), and an error that nobody hears ends the process.
 */
export function hearSocketErrors(client: Redis | Cluster): void {
  if ('nodes' in client) client.on('+node', hearErrorsOf);
  else hearErrorsOf(client);
}

function hearErrorsOf(client: Redis): void {
  const { connector } = client as unknown as { readonly connector: Connector };
  const connect = connector.connect.bind(connector);
  connector.connect = async (...args) => {
    const socket = await connect(...args);
    socket.on('error', () => undefined);
    return socket;
  };
}
