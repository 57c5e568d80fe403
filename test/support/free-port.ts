import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports are taken below the range that systems give to outgoing connections (from 32768 on Linux, 49152
 * elsewhere). A client that keeps dialling a port of that range while its server is down can be given the very
 * same port as its own end, and so connect to itself (TCP's simultaneous open) and keep the server from it.
 */
const FIRST_PORT = 10_000;
/** So that port + 10,000, the bus of a Cluster node by default, is below 32768 as well. */
const LAST_PORT = 22_000;

/** A port of 127.0.0.1 on which nobody listens now. Somebody may be faster: be ready to ask for another one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
