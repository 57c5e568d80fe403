import { writeFile } from 'node:fs/promises';
import type { INestApplication } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisLogger } from 'nestjs-redis-log';
import { decodeLogRecord } from 'nestjs-redis-log/core';
import { createApp } from '../create-app.js';
import { type DemoAccount, makeAccount } from './account.js';
import type { DemoArguments } from './arguments.js';
import { connectRedis } from './demo-redis.js';
import type { DemoSettings } from './environment.js';
import { pause } from './pause.js';
import { linesOf } from './record-lines.js';
import { accountLines, introduction, say } from './report.js';
import { stopSignal } from './stop-signal.js';
import { Story } from './story.js';
import { type EntryFields, StreamTail } from './stream-tail.js';
import { deleteStream, surveyStream } from './survey.js';
import { REQUESTS_PER_SECOND, type SentRequest, Traffic } from './traffic.js';

const SUMMARY_EVERY_MS = 2_000;

interface Demo {
  readonly args: DemoArguments;
  readonly settings: DemoSettings;
  readonly redis: Redis;
  readonly signal: AbortSignal;
  readonly story: Story;
}

/** Runs the shop with its customers, and returns true when the account of it all adds up. */
export async function runDemo(args: DemoArguments, settings: DemoSettings): Promise<boolean> {
  const signal = stopSignal();
  const redis = await connectRedis(settings.redisUrl);
  const story = new Story(settings, args.seconds);
  try {
    const run = await runShop({ args, settings, redis, signal, story });
    const etl = await story.finish();
    const survey = await surveyStream(redis, settings.stream);
    const account = makeAccount({ ...run, survey, etl, monitor: story.monitor, stream: settings.stream });
    say(...accountLines(account));
    if (args.jsonFile !== undefined) await writeJson(args.jsonFile, account);
    return account.addsUp;
  } finally {
    await story.close();
    say(await leaveStreams(redis, settings));
    redis.disconnect();
  }
}

/** Deletes the streams where they are the demo's to delete, also after a failure, and says what became of them. */
async function leaveStreams(redis: Redis, settings: DemoSettings): Promise<string> {
  const { stream, screenStream, etlLogStream, afterwards } = settings;
  if (afterwards === 'gone') return "The streams go with the demo's own Redis.";
  if (afterwards === 'kept') return `The streams ${stream}, ${screenStream} and ${etlLogStream} were kept.`;
  try {
    for (const each of [stream, screenStream, etlLogStream]) await deleteStream(redis, each);
    return `The stream ${stream} was deleted; with REDIS_LOG_DEMO_KEEP=1 it stays.`;
  } catch {
    return `Redis could not be reached to delete the keys that have ${stream.replace('logs:', '')} in their names.`;
  }
}

/** From the boot of the shop to the end of its shutdown. */
async function runShop(demo: Demo) {
  const { args, settings, redis, story } = demo;
  const printsRecords = args.verbose || process.stdout.isTTY;
  const tail = new StreamTail(redis, settings.stream, (fields) => {
    if (args.verbose || (printsRecords && !story.isTalking)) printEntry(fields);
  });
  try {
    const app = await createApp();
    const logger = app.get(RedisLogger);
    const started = performance.now();
    const requests = await serve(app, demo, () => (printsRecords ? undefined : tail.seen));
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    return { seconds, requests, stats: logger.stats() };
  } finally {
    await tail.stop();
  }
}

/** Lets the customers in until it is time, then closes the shop: them first, so that none stands before a shut door. */
async function serve(
  app: INestApplication,
  demo: Demo,
  seen: () => number | undefined,
): Promise<readonly SentRequest[]> {
  const closing = new AbortController();
  try {
    await app.listen(0, '127.0.0.1');
    const baseUrl = await app.getUrl();
    say(...introduction(baseUrl, demo.args.seconds, demo.settings));
    const traffic = new Traffic({ baseUrl, perSecond: REQUESTS_PER_SECOND });
    const summaries = setInterval(() => summarise(traffic.sent, seen()), SUMMARY_EVERY_MS);
    // A failure of it is heard when all has been stopped.
    const story = Promise.allSettled([demo.story.run(closing.signal)]);
    await Promise.race([pause(demo.args.seconds * 1_000, demo.signal), traffic.ended]);
    clearInterval(summaries);
    say('', 'Stopping: first the requests, then the shop, which sends what it still has to Redis.');
    const requests = await traffic.stop();
    closing.abort();
    const [told] = await story;
    if (told.status === 'rejected') throw told.reason;
    return requests;
  } finally {
    closing.abort();
    await app.close();
  }
}

function summarise(requests: number, entries: number | undefined): void {
  if (entries !== undefined) say(`${requests} requests, ${entries} records in the stream`);
}

function printEntry(fields: EntryFields): void {
  const decoded = decodeLogRecord(fields);
  say(
    ...(decoded.status === 'ok'
      ? linesOf(decoded.record)
      : [`An entry that cannot be read: ${decoded.reason}`]),
  );
}

async function writeJson(file: string, account: DemoAccount): Promise<void> {
  await writeFile(file, `${JSON.stringify(account, null, 2)}\n`);
}
