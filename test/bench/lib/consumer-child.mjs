// Reads a stream to its end as a member of a new group; see figures/consumer.mjs.
import { Redis } from 'ioredis';
import { LogConsumer } from 'nestjs-redis-log/consumer';

const BATCH = 500;

export async function open({ name, url, stream, records }) {
  const read = name === 'ours' ? ours : plain;
  let rounds = 0;
  return {
    async round() {
      const group = `${name}-${rounds++}`;
      const start = performance.now();
      await read({ url, stream, group, records });
      return records / ((performance.now() - start) / 1_000);
    },
  };
}

async function ours({ url, stream, group, records }) {
  const consumer = new LogConsumer({ connection: url, stream, group, batchSize: BATCH });
  let count = 0;
  await consumer.run((batch) => {
    count += batch.entries.length;
    if (count === records) void consumer.close();
  });
  if (consumer.stats().acknowledged !== records) throw new Error(JSON.stringify(consumer.stats()));
}

async function plain({ url, stream, group, records }) {
  const client = new Redis(url);
  await client.xgroup('CREATE', stream, group, '0');
  for (let count = 0; count < records;) {
    const [[, entries]] = await client.xreadgroup(
      'GROUP',
      group,
      'one',
      'COUNT',
      BATCH,
      'STREAMS',
      stream,
      '>',
    );
    count += entries.length;
    await client.xack(stream, group, ...entries.map(([id]) => id));
  }
  client.disconnect();
}
