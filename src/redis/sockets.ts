import type { Client } from './client.js';

/** What we use of a socket; a client that has none yet, or a double in somebody's test, has less. */
export interface Socket {
  readonly destroyed?: boolean;
  ref?(): void;
  unref?(): void;
  destroy?(): void;
}

function socketsOf(client: Client): (Socket | undefined)[] {
  const nodes = 'nodes' in client ? client.nodes('all') : [client];
  return nodes.map((node) => (node as unknown as { stream?: Socket }).stream);
}

/** The process stays alive for a reply, but not for a connection that only waits for the next record. */
export function unref(client: Client, idle: boolean): void {
  for (const socket of socketsOf(client)) {
    if (idle) socket?.unref?.();
    else socket?.ref?.();
  }
}

/** At once: ioredis alone would wait up to two seconds for a hung server's goodbye, and the process with it. */
export function end(client: Client): void {
  const sockets = socketsOf(client);
  client.disconnect();
  for (const socket of sockets) socket?.destroy?.();
}
