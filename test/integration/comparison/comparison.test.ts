import 'reflect-metadata';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { open, type Platform, PLATFORMS } from '../nest-http/support.js';
import { type Contestant, CONTESTANTS } from './contestants.js';
import { generatedPart, table, type TableSection, type Verdict } from './document.js';
import type { Kept } from './lines.js';
import { brokenOff } from './shop.js';
import { CALLS, LIFE, REQUESTS, type Row } from './rows.js';

const redis = useRedisServer();
const SECTIONS: readonly { readonly title: string; readonly rows: readonly Row[] }[] = [
  { title: 'Calls', rows: CALLS },
  { title: 'Requests', rows: REQUESTS },
  { title: 'The life of the application', rows: LIFE },
];
const PAGES = ['README.md', 'docs/comparison.md'];

/** By name and platform. */
const kept = new Map<string, readonly Kept[]>();
const key = ({ name }: Contestant, platform: Platform): string => `${name} on ${platform}`;

beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => {
  context.disable();
  Logger.overrideLogger(new ConsoleLogger());
});

describe('The same calls and requests', () => {
  for (const contestant of CONTESTANTS) {
    it.each(PLATFORMS)(`are logged by ${contestant.name} on %s`, async (platform) => {
      const started = await contestant.start(platform, redis);
      await started.app.listen(0, '127.0.0.1');
      const { port } = started.app.getHttpServer().address() as AddressInfo;
      await makeRequests(`http://127.0.0.1:${port}`);
      for (const { act } of CALLS) act?.(started);
      await started.app.close();
      const records = await started.records();
      expect(records.length).toBeGreaterThan(10);
      kept.set(key(contestant, platform), records);
    });
  }

  it('are all kept by nestjs-redis-log', () => {
    const lost = sections().flatMap(({ rows }) => rows.filter(({ verdicts }) => verdicts[0] !== 'yes'));
    expect(lost.map(({ title }) => title)).toEqual([]);
  });

  it.each(PAGES)('are what the table in %s says of every logger', (page) => {
    const columns = CONTESTANTS.map(({ name }) => name);
    const part = generatedPart(page);
    const now = table(columns, sections());
    if (process.env['UPDATE_DOCS'] === '1') part.replace(now);
    else expect(part.text, 'UPDATE_DOCS=1 writes the table anew').toBe(now);
  });
});

async function makeRequests(url: string): Promise<void> {
  const headers = { authorization: 'Bearer hunter2-header', cookie: 'session=hunter2-header' };
  for (const path of ['/orders/7', '/fail', '/health']) await (await fetch(url + path, { headers })).text();
  const { request, response } = await open(`${url}/slow`);
  const seen = once(brokenOff, 'seen');
  await once(response, 'data');
  response.on('error', () => undefined);
  request.destroy();
  await seen;
  // Whoever else waits for the end of the response has heard of it too, and the level may be changed.
  await nextTurn();
}

function sections(): TableSection[] {
  return SECTIONS.map(({ title, rows }) => ({
    title,
    rows: rows.map((row) => ({ title: row.title, verdicts: CONTESTANTS.map((each) => verdict(row, each)) })),
  }));
}

function verdict({ isKept }: Row, contestant: Contestant): Verdict {
  const [express, fastify] = PLATFORMS.map((platform) => {
    const records = kept.get(key(contestant, platform));
    if (records === undefined) throw new Error(`${key(contestant, platform)} has not run.`);
    return isKept(records);
  });
  if (express === fastify) return express === true ? 'yes' : 'no';
  return express === true ? 'Express only' : 'Fastify only';
}
