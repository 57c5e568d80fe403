import { Redis } from 'ioredis';
import { LogConsumer } from '../../../src/consumer/index.js';
import { GROUP, type ChildSettings, STREAM } from './protocol.js';

// A worker as people write one: it stores what it gets in a sink of its own, and is killed at any moment.
const settings = JSON.parse(process.argv[2] ?? '') as ChildSettings;
const sink = new Redis(settings.sink, { replyMapping: 'legacy' });

const consumer = new LogConsumer({
  connection: settings.connection,
  stream: STREAM,
  group: GROUP,
  batchSize: settings.batchSize,
  maxWaitMs: 20,
  minIdleMs: settings.minIdleMs,
  deduplicate: true,
});

process.once('SIGTERM', () => void consumer.close());

await consumer.run(async (batch) => {
  const work = sink.pipeline();
  for (const { id, key, record } of batch) {
    // How often each entry was handled, and the record itself under a key that the sink takes once.
    work.hincrby('handled', id, 1);
    work.hsetnx('stored', key, String(record.body));
  }
  await work.exec();
});
sink.disconnect();
