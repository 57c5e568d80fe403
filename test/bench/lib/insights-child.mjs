// Reads a stream to its end, with an InsightsCounter or with a consumer that does nothing; see figures/insights.mjs.
import { LogConsumer } from 'nestjs-redis-log/consumer';
import { InsightsCounter } from 'nestjs-redis-log/reader';

const BATCH = 500;

export async function open({ name, url, stream, records }) {
  const read = name === 'ours' ? count : consume;
  return {
    /** Microseconds of CPU time a record. */
    async round({ group }) {
      const before = process.cpuUsage();
      await read({ connection: url, stream, group, records });
      const { user, system } = process.cpuUsage(before);
      return (user + system) / records;
    },
  };
}

async function count({ connection, stream, records }) {
  const counter = new InsightsCounter({ connection, stream });
  const running = counter.run();
  while (counter.stats().counted < records) await new Promise((resolve) => setTimeout(resolve, 20));
  await counter.close();
  await running;
}

async function consume({ connection, stream, group, records }) {
  const consumer = new LogConsumer({ connection, stream, group, batchSize: BATCH });
  let seen = 0;
  await consumer.run(({ size }) => {
    seen += size;
    if (seen === records) void consumer.close();
  });
}
