// Meets every error that the write path has words for, with a secret in every place where one can be. What it prints,
// the test looks through. Its arguments: URLs of servers that are in the state their name says.
import { inspect } from 'node:util';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisLogWriterOptions, RedisLogWriter } from '../../../src/core.js';
import { DIAGNOSTICS_CHANNEL } from '../../../src/diagnostics.js';

const SECRET = 'hunter2';

const urls: Record<string, string> = JSON.parse(process.argv[2] ?? '{}');

let events: string[] = [];
subscribe(DIAGNOSTICS_CHANNEL, (event) => events.push((event as { message: string }).message));

const body = `body ${SECRET}`;
const attributes = { password: SECRET, [`key-${SECRET}`]: 1 };
const fails = (): never => {
  throw new Error(`${SECRET} in the message of somebody's error`);
};

interface Path {
  readonly options: RedisLogWriterOptions;
  /** What must be said of it. */
  readonly says: RegExp;
  readonly count?: number;
  readonly big?: boolean;
}

const at = (name: string): string => urls[name] ?? '';
const with1 = (name: string, user: string): string => at(name).replace('://', `://${user}@`);
const host = (name: string): { host: string; port: number } => {
  const { hostname, port } = new URL(at(name));
  return { host: hostname, port: Number(port) };
};

const PATHS: Readonly<Record<string, Path>> = {
  'wrong password': { options: { connection: with1('locked', `default:${SECRET}`) }, says: /WRONGPASS/ },
  'no password': { options: { connection: at('locked') }, says: /NOAUTH/ },
  'no scripts': {
    options: { connection: with1('open', `noscripts:${SECRET}`) },
    says: /NOPERM.*at least once/,
  },
  'no xadd': { options: { connection: with1('open', `noxadd:${SECRET}`) }, says: /NOPERM.*Records wait/ },
  'no select': { options: { connection: `${with1('open', `noxadd:${SECRET}`)}/3` }, says: /NOPERM/ },
  'other type': { options: { connection: at('open'), stream: 'a-string' }, says: /WRONGTYPE/ },
  'bad record': { options: { connection: at('open'), stream: 'at-its-end' }, says: /refused a record/ },
  full: { options: { connection: at('full') }, says: /OOM/ },
  echo: { options: { connection: at('echo') }, says: /ReplyError/ },
  'nobody there': { options: { connection: `redis://u:${SECRET}@127.0.0.1:1` }, says: /ECONNREFUSED/ },
  'no such host': {
    options: { connection: `redis://u:${SECRET}@no.invalid/1?password=${SECRET}` },
    says: /not usable/,
  },
  'no Sentinel': {
    options: {
      connection: { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'm', sentinelPassword: SECRET },
    },
    says: /not usable/,
  },
  'no Cluster': {
    options: {
      connection: {
        cluster: [{ host: '127.0.0.1', port: 1 }],
        options: { redisOptions: { password: SECRET } },
      },
    },
    says: /not usable/,
  },
  hung: { options: { connection: at('hung'), sendTimeoutMs: 200 }, says: /ETIMEDOUT/ },
  'TLS key': {
    options: { connection: { ...host('open'), tls: { key: SECRET, cert: SECRET } } },
    says: /not usable/,
  },
  'any certificate': {
    options: { connection: { ...host('open'), password: SECRET, tls: { rejectUnauthorized: false } } },
    says: /rejectUnauthorized/,
  },
  'queue full': {
    options: { connection: at('hung'), queue: { maxRecords: 300 } },
    says: /queue_full/,
    count: 1_000,
  },
  'too large': {
    options: { connection: at('hung'), queue: { maxBytes: 1_048_576 } },
    says: /too_large/,
    big: true,
  },
  'bad encoder': {
    options: { connection: at('open'), format: { target: 'stream', encode: fails } },
    says: /"format" failed/,
  },
  'bad stream': { options: { connection: at('open'), stream: fails }, says: /"stream" gave no name/ },
};

for (const [name, { options, says, count = 3, big = false }] of Object.entries(PATHS)) {
  events = [];
  const writer = new RedisLogWriter({ service: { name: 'secrets' }, ...options });
  const text = big ? `${body}${'x'.repeat(2_000_000)}` : body;
  for (let n = 0; n < count; n++) writer.emit({ severityNumber: 9, body: text, attributes });
  const deadline = performance.now() + 8_000;
  while (!events.some((message) => says.test(message)) && performance.now() < deadline) await delay(10);
  process.stdout.write(`${name}: ${events.some((message) => says.test(message)) ? 'said' : 'NOT SAID'}\n`);
  await writer.close({ timeoutMs: 50 });
}

for (const connection of [
  `redis://:${SECRET}@`,
  { password: SECRET, url: `redis://:${SECRET}@h` },
  `:${SECRET}@h`,
]) {
  try {
    void new RedisLogWriter({ connection } as RedisLogWriterOptions);
  } catch (error) {
    // With its stack and everything that hangs on it, as an application that does not catch it would print it.
    process.stderr.write(`${inspect(error)}\n`);
  }
}

// The last one is left as it is: the process ends with records that wait.
new RedisLogWriter({ connection: at('hung') }).emit({ body, attributes });
