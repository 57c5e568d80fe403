// One process, two threads of it, and a child made by fork(): each logs with a writer of its own and the same options.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import { RedisLogWriter } from '../../../src/core.js';

const { REDIS_URL_UNDER_TEST = '', SPOOL = '', WHO = 'main', RECORDS = '0' } = process.env;
const self = fileURLToPath(import.meta.url);

async function log(who: string): Promise<void> {
  const writer = new RedisLogWriter({
    connection: REDIS_URL_UNDER_TEST,
    service: { name: 'threads' },
    stream: 'logs:threads',
    spool: { directory: SPOOL },
  });
  for (let n = 1; n <= Number(RECORDS); n++) {
    writer.emit({ body: `${who} ${n}`, attributes: { who, n } });
    if (n % 50 === 0) await new Promise(setImmediate);
  }
  await writer.close();
}

if (isMainThread && WHO === 'main') {
  const threads = ['thread 1', 'thread 2'].map((who) => {
    const thread = new Worker(self, { env: { ...process.env, WHO: who } });
    return once(thread, 'exit');
  });
  const child = once(fork(self, { env: { ...process.env, WHO: 'child' } }), 'exit');
  await Promise.all([log(WHO), ...threads, child]);
  process.stdout.write('done all\n');
} else {
  await log(WHO);
}
