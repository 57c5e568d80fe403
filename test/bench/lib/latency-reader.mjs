// The reading side of figures/latency.mjs: XREAD that blocks, as a tail does. It reads the protocol by itself, because
// a client that makes strings of every field needs 20 us a record, and at 20,000 a second that is what would be measured.
import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { EntryScanner } from './entry-scanner.mjs';

export async function open({ redis, stream }) {
  const { hostname, port } = new URL(redis);
  const client = new Redis(redis);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  let latencies = [];
  let isRunning = false;
  let last = '0-0';
  let stopped = () => {};
  const ask = () => {
    if (!isRunning) return stopped();
    socket.write(inline('XREAD', 'COUNT', '500', 'BLOCK', '200', 'STREAMS', stream, last));
  };
  let received = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    const entries = new EntryScanner(received).reply();
    if (entries === undefined) return;
    received = Buffer.alloc(0);
    const now = Number(process.hrtime.bigint());
    for (const { id, lastValue } of entries) {
      latencies.push((now - lastValue) / 1e6);
      last = id;
    }
    ask();
  });
  return {
    async begin() {
      latencies = [];
      last = (await client.xrevrange(stream, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
      isRunning = true;
      ask();
    },
    async finish({ records }) {
      const deadline = performance.now() + 10_000;
      while (latencies.length < records) {
        if (performance.now() > deadline) throw new Error(`read ${latencies.length} of ${records} records`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const ended = new Promise((resolve) => {
        stopped = resolve;
      });
      isRunning = false;
      await ended;
      return latencies;
    },
  };
}

function inline(...words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
