import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aclRules } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisLogWriterOptions } from '../../../src/options/types.js';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';
import { IMPATIENT, OracleWriter } from '../../support/oracle.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const redis = useRedisServer();
let build: Build;
let directory: string;

beforeAll(() => {
  build = new Build(['test/fault/spool/writer-app.ts']);
});
afterAll(() => build.remove());

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'redis-log-formats-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

const FORMATS: readonly (readonly [string, Partial<RedisLogWriterOptions>])[] = [
  ['fields', {}],
  ['json', { format: 'json' }],
  [
    'an encoder of the user for a stream',
    { format: { target: 'stream', encode: ({ body }) => ['m', String(body)] } },
  ],
  ['list', { format: 'list' }],
  ['an encoder of the user for a list', { format: { target: 'list', encode: ({ body }) => String(body) } }],
  ['plumelog', { format: 'plumelog', stream: 'plume_log_list' }],
];

function targetOf({ format }: Partial<RedisLogWriterOptions>): 'stream' | 'list' {
  if (typeof format === 'object') return format.target;
  return format === 'list' || format === 'plumelog' ? 'list' : 'stream';
}

/** How often Redis was called by that command. */
async function calls(command: string): Promise<number> {
  const stats = await redis.client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('A spool with exactly-once delivery, for a user that may only write,', () => {
  it.each(FORMATS)('delivers at every start: %s', async (_, options) => {
    const { stream = 'logs:oracle' } = options;
    if (typeof stream !== 'string') throw new TypeError('a name is needed');
    const url = new URL(redis.url);
    url.username = 'writer';
    url.password = 'secret';
    const user = ['SETUSER', 'writer', 'reset', 'on', '>secret'] as const;
    await redis.client.call(
      'ACL',
      ...user,
      ...aclRules({ role: 'producer', stream, target: targetOf(options) }),
    );
    await redis.client.config('RESETSTAT');
    for (let start = 1; start <= 3; start++) {
      const connection = url.toString();
      await using oracle = new OracleWriter({ ...options, connection, spool: { directory } }, IMPATIENT);
      oracle.emit(100);
      await oracle.delivered(100);
      expect(oracle.stats).toMatchObject({ possibleDuplicates: 0, dropped: {} });
      expect(await oracle.writer.close()).toMatchObject({ delivered: 100, spooled: 0 });
      const { length } = await stored(stream);
      expect(length).toBe(100 * start);
    }
    expect(await calls('eval')).toBeLessThan(12);
  });

  async function stored(stream: string): Promise<{ readonly length: number }> {
    const isList = (await redis.client.type(stream)) === 'list';
    return { length: isList ? await redis.client.llen(stream) : await redis.client.xlen(stream) };
  }
});

describe('An application that is killed, where entries carry no numbers to look for,', () => {
  it.each(['json', 'list'] as const)('has its records stored once by the next: %s', async (format) => {
    const env = { REDIS_URL_UNDER_TEST: redis.url, SPOOL: directory, FORMAT: format };
    let safe = 0;
    for (let run = 0; run < 3; run++) {
      const app = new ChildApp([build.path('test/fault/spool/writer-app')], { ...env, RUN: String(run) });
      await until(() => /safe \d{3}/.test(app.stdout), { timeoutMs: 20_000 });
      app.kill('SIGKILL');
      await app.ended;
      safe += Number(/safe (\d+)\n(?![^]*safe)/.exec(app.stdout)?.[1] ?? 0);
    }
    const options = { connection: redis.url, format, stream: 'spooled', spool: { directory } };
    await using oracle = new OracleWriter(options, IMPATIENT);
    await until(() => isAlone() && pending(oracle) === 0, { timeoutMs: 20_000 });
    const bodies = await allBodies(format);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(bodies.length).toBeGreaterThanOrEqual(safe);
    expect(oracle.writer.stats().possibleDuplicates).toBe(0);
  });

  /** Nothing is left of any other process. */
  function isAlone(): boolean {
    const owners = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('owner.json'),
    );
    return owners.length === 1 && owners.every((path) => path.startsWith(`${process.pid}-`));
  }

  function pending(oracle: OracleWriter): number {
    const { spooled, inFlight } = oracle.writer.stats();
    return spooled + inFlight;
  }

  /** Every record names its run and its number. */
  async function allBodies(format: 'json' | 'list'): Promise<string[]> {
    const texts =
      format === 'list'
        ? await redis.client.lrange('spooled', 0, -1)
        : (await redis.client.xrange('spooled', '-', '+')).map(([, fields]) => fields.join(' '));
    return texts.map((text) => /\d+:\d+"/.exec(text)?.[0] ?? text);
  }
});
