// A TCP proxy that makes every answer of the server late, in a process of its own: the round trip of another machine.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';

/** @param input `{ port, delayMs }`: of the server; whole milliseconds, since timers have no finer ones */
export async function open({ port, delayMs }) {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    client.pipe(upstream);
    upstream.on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `redis://127.0.0.1:${server.address().port}`;
  return { describe: async () => ({ url, roundTripMs: await roundTrip(url) }) };
}

/** Mean of a hundred PINGs through the proxy. */
async function roundTrip(url) {
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  await client.ping();
  const start = performance.now();
  for (let i = 0; i < 100; i++) await client.ping();
  const ms = (performance.now() - start) / 100;
  client.disconnect();
  return ms;
}
