// The reading side of figures/latency.mjs: XREAD that blocks, as a tail does.
import { Redis } from 'ioredis';

export async function open({ redis, stream }) {
  const client = new Redis(redis);
  let latencies = [];
  let isRunning = false;
  let loop = Promise.resolve();
  let last = '$';
  const read = async () => {
    const reply = await client.xread('COUNT', 500, 'BLOCK', 200, 'STREAMS', stream, last);
    const now = Number(process.hrtime.bigint());
    for (const [id, fields] of entriesOf(reply)) {
      // The attribute is the last field of its entry.
      latencies.push((now - Number(fields.at(-1))) / 1e6);
      last = id;
    }
  };
  return {
    async begin() {
      latencies = [];
      last = (await client.xrevrange(stream, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
      isRunning = true;
      loop = (async () => {
        while (isRunning) await read();
      })();
    },
    async finish({ records }) {
      const deadline = performance.now() + 10_000;
      while (latencies.length < records) {
        if (performance.now() > deadline) throw new Error(`read ${latencies.length} of ${records} records`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      isRunning = false;
      await loop;
      return latencies;
    },
  };
}

/** ioredis answers with a list of streams in its version 5 and, by protocol 3, with a map in its version 6. */
function entriesOf(reply) {
  if (reply === null) return [];
  if (Array.isArray(reply)) return Array.isArray(reply[0]) ? reply[0][1] : reply[1];
  return Object.values(reply)[0];
}
