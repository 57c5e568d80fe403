// Logs records whose payload follows from their number, and says on stdout which of them are out of memory: on disk, or
// in Redis. Killed at any moment, it must have lost none of those.
import { writeSync } from 'node:fs';
import { RedisLogWriter } from '../../../src/core.js';

const { REDIS_URL_UNDER_TEST = '', SPOOL = '', RUN = '0', RATE = '20', FORMAT = 'fields' } = process.env;
const writer = new RedisLogWriter({
  connection: REDIS_URL_UNDER_TEST,
  service: { name: 'spool-test' },
  stream: 'spooled',
  format: FORMAT === 'json' || FORMAT === 'list' ? FORMAT : 'fields',
  spool: { directory: SPOOL },
  queue: { maxRecords: 1_000_000, maxBytes: 512 * 1024 * 1024 },
  batch: { maxRecords: 64 },
  shutdownTimeoutMs: 1_000,
});
let emitted = 0;
const timer = setInterval(() => {
  // Whatever is not queued any more is on disk, or further.
  if (emitted > 0 && writer.stats().queued === 0) writeSync(1, `safe ${emitted}\n`);
  for (let i = 0; i < Number(RATE); i++) {
    emitted++;
    writer.emit({ body: `${RUN}:${emitted}`, attributes: { run: Number(RUN), n: emitted } });
  }
}, 4);
process.once('SIGTERM', () => {
  clearInterval(timer);
  void writer.close().then((result) => {
    writeSync(1, `closed ${JSON.stringify({ ...result, emitted, stats: writer.stats() })}\n`);
    process.exit(0);
  });
});
