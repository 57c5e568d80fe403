import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeLogRecord, RedisLogWriter } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

let build: Build;
let redis: RedisServer;
let directory: string;

beforeAll(async () => {
  build = new Build(['test/fault/exit-spill/app.ts']);
  redis = await startRedisServer();
});
afterAll(async () => {
  build.remove();
  await redis.stop();
});
beforeEach(async () => {
  await redis.client().flushall();
  directory = mkdtempSync(join(tmpdir(), 'redis-log-exit-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

async function start(env: Record<string, string>): Promise<ChildApp> {
  const nowhere = `redis://127.0.0.1:${await freePort()}`;
  const app = build.path('test/fault/exit-spill/app');
  return new ChildApp([app], { REDIS_URL_UNDER_TEST: nowhere, SPOOL: join(directory, 'spool'), ...env });
}

/** Everything that the process had logged is in the stream, once and in order, and the spool is empty. */
async function expectAllReplayed(app: ChildApp): Promise<void> {
  const logged = Number(/logged (\d+)\n(?![^]*logged)/.exec(app.stdout)?.[1]);
  const spool = join(directory, 'spool');
  const writer = new RedisLogWriter({
    connection: redis.url,
    service: { name: 'exit-test' },
    stream: 'spilled',
    spool: { directory: spool },
  });
  const isReplayed = (): boolean => writer.stats().recovered > 0 && writer.stats().spooled === 0;
  await until(isReplayed, { what: 'the records of the process that ended', timeoutMs: 15_000 });
  await writer.close();
  expect(writer.stats()).toMatchObject({ recovered: logged, delivered: logged, possibleDuplicates: 0 });
  const entries = await redis.client().xrange('spilled', '-', '+');
  const numbers = entries.map(([, fields]) => {
    const decoded = decodeLogRecord(fields);
    return decoded.status === 'ok' ? decoded.record.attributes['n'] : decoded.reason;
  });
  expect(numbers).toEqual(Array.from({ length: logged }, (_, index) => index + 1));
  expect(readdirSync(spool)).toEqual([]);
}

describe('With a spool nothing that was logged is lost when the process ends', () => {
  it.each([
    ['by process.exit(), before the spool was open', { END: 'exit', WHEN: 'at once' }, 7],
    ['by process.exit(), in the middle of its work', { END: 'exit', WHEN: 'later' }, 7],
    ['by an uncaught exception, before the spool was open', { END: 'throw', WHEN: 'at once' }, 1],
    ['by an uncaught exception, in the middle of its work', { END: 'throw', WHEN: 'later' }, 1],
    ['by an unhandled rejection', { END: 'reject', WHEN: 'later' }, 1],
  ])('%s; exit code and stack are its own', async (_how, env, expected) => {
    const app = await start(env);
    const { code, signal } = await app.ended;
    expect({ code, signal }).toEqual({ code: expected, signal: null });
    if (env.END !== 'exit') expect(app.stderr).toMatch(/RangeError: the reason why\n\s+at /);
    expect(app.stderr).not.toContain('records waiting');
    await expectAllReplayed(app);
  });

  it('by a second SIGINT, while the first one still waits for Redis', async () => {
    const app = await start({ WHEN: 'later' });
    await app.line('logged');
    app.kill('SIGINT');
    await until(() => app.stdout.match(/logged/g)?.length === 2);
    app.kill('SIGINT');
    const { code, signal } = await app.ended;
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    await expectAllReplayed(app);
  });
});
