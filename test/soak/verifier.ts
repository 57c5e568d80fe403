// Reads the stream as it grows, holds every entry against what its producer can have written, and trims what it has
// read; so that a run of any length needs the memory of a few seconds.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { decodeLogRecord } from '../../src/codec/decode.js';
import { payload } from '../support/oracle.js';
import type { Found, Question, Verified, VerifierSettings } from './protocol.js';

const PAGE = 1_000;
const EVERY_MS = 200;
/** More than a server can lose when its append-only file is synced every second: what it loses is not read yet. */
const LAG_MS = 4_000;

const { url, stream }: VerifierSettings = JSON.parse(process.argv[2] ?? '{}');

interface Progress extends Found {
  /** Numbers below `last` that have not come. */
  readonly missing: Set<number>;
}

const progress = new Map<string, Progress>();
let altered = 0;
let foreign = 0;
let cursor = '0-0';
let isOver = false;

const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
// A server that is away is part of the run.
client.on('error', () => {});

/** Verifies and trims what is older than `lagMs` by the server's clock. */
async function advance(lagMs: number): Promise<void> {
  const [seconds = 0, micros = 0] = (await client.time()).map(Number);
  const end = lagMs === 0 ? '+' : String(seconds * 1_000 + Math.floor(micros / 1_000) - lagMs);
  for (;;) {
    const page = await client.xrange(stream, `(${cursor}`, end, 'COUNT', PAGE);
    for (const [id, fields] of page) {
      verify(fields);
      cursor = id;
    }
    if (page.length < PAGE) break;
  }
  // All but the last one read: MINID keeps what is not less.
  await client.xtrim(stream, 'MINID', cursor);
}

function verify(fields: string[]): void {
  const decoded = decodeLogRecord(fields);
  const { name, n } = decoded.status === 'ok' ? decoded.record.attributes : {};
  if (decoded.status !== 'ok' || typeof name !== 'string' || typeof n !== 'number') {
    foreign++;
    return;
  }
  const { body, attributes, hrTime, severityNumber } = decoded.record;
  const written = payload(name, n);
  const expected = [written.body, written.attributes, written.timestamp, written.severityNumber];
  if (JSON.stringify(expected) !== JSON.stringify([body, attributes, hrTime, severityNumber])) altered++;
  place(progressOf(name), n);
}

function progressOf(name: string): Progress {
  let found = progress.get(name);
  if (found === undefined) {
    found = { stored: 0, last: 0, duplicates: 0, outOfOrder: 0, missing: new Set() };
    progress.set(name, found);
  }
  return found;
}

function place(found: Progress, n: number): void {
  if (n > found.last) {
    for (let skipped = found.last + 1; skipped < n; skipped++) found.missing.add(skipped);
    found.last = n;
    found.stored++;
  } else if (found.missing.delete(n)) {
    found.outOfOrder++;
    found.stored++;
  } else {
    found.duplicates++;
  }
}

async function readAlong(): Promise<void> {
  while (!isOver) {
    // What fails because the server is away, or reads its data set, is tried again from where it stopped.
    await advance(LAG_MS).catch(() => {});
    await delay(EVERY_MS);
  }
}

async function finish(): Promise<Verified> {
  isOver = true;
  await reading;
  await advance(0);
  const found = [...progress].map(([name, { stored, last, duplicates, outOfOrder }]) => {
    return [name, { stored, last, duplicates, outOfOrder }] as const;
  });
  return { found: Object.fromEntries(found), altered, foreign };
}

const reading = readAlong();
process.on('message', (question: Question) => {
  if (question === 'finish') void finish().then((answer) => process.send?.(answer));
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit());
process.send?.('ready');
