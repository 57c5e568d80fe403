// Logs records at once, or for a moment, to a Redis that is away, and ends in the way that it is told to.
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisLogWriter } from '../../../src/core.js';

const { REDIS_URL_UNDER_TEST = '', SPOOL = '', END = '', WHEN = '' } = process.env;
const writer = new RedisLogWriter({
  connection: REDIS_URL_UNDER_TEST,
  service: { name: 'exit-test' },
  stream: 'spilled',
  spool: { directory: SPOOL },
  shutdownTimeoutMs: 60_000,
});
let emitted = 0;
function log(count: number): void {
  for (let n = 0; n < count; n++) writer.emit({ body: String(++emitted), attributes: { n: emitted } });
}

function end(): void {
  // Of this tick: neither queued on disk nor on its way there.
  log(500);
  writeSync(1, `logged ${emitted}\n`);
  if (END === 'exit') process.exit(7);
  if (END === 'throw') throw new RangeError('the reason why');
  if (END === 'reject') void Promise.reject(new RangeError('the reason why'));
}

process.once('SIGINT', () => {
  log(500);
  // First this, since it is what listens for the second signal, which comes as soon as the line is read.
  const closing = writer.close();
  writeSync(1, `logged ${emitted}\n`);
  void closing.then(() => process.exit(0));
});
// A long breath, so that only the end that was asked for can end the process.
setTimeout(() => process.exit(99), 60_000);
if (WHEN === 'at once') {
  end();
} else {
  for (let tick = 0; tick < 20; tick++) {
    log(100);
    await delay(5);
  }
  end();
}
