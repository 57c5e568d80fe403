import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { lines, storedRecords } from '../../integration/nest/support.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { Build, ChildApp, type Ended } from './child-app.js';

let redis: RedisServer;
let build: Build;
beforeAll(async () => {
  build = new Build();
  redis = await startRedisServer();
});
afterAll(async () => {
  build.remove();
  await redis.stop();
});
beforeEach(() => redis.client().flushall());

interface Ran extends Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly records: LogRecord[];
}

async function run(how: string): Promise<Ran> {
  const child = new ChildApp([build.app('boot'), how], { REDIS_LOG_URL: redis.url });
  const ended = await child.ended;
  return {
    ...ended,
    stdout: child.stdout,
    stderr: child.stderr,
    records: await storedRecords(redis, 'logs:boot'),
  };
}

function millis({ hrTime }: LogRecord): number {
  return hrTime[0] * 1_000 + hrTime[1] / 1e6;
}

/** The record that says when it was made, and how late its time is. */
function delayOf(records: readonly LogRecord[]): number {
  const made = records.find(({ body }) => String(body).startsWith('made at'));
  return made === undefined ? Number.NaN : millis(made) - Number(String(made.body).slice('made at '.length));
}

describe('An application that boots', () => {
  it('has its boot records in the stream, in order and with their own times', async () => {
    const { code, stderr, stdout, records } = await run('fine');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^\[nestjs-redis-log\] Logs go to the Redis stream logs:boot.*\n$/);
    expect(lines(records)[0]).toBe('NestFactory: Starting Nest application...');
    expect(delayOf(records)).toBeLessThan(100);
    expect(records.map(millis)).toEqual(records.map(millis).toSorted((a, b) => a - b));
    expect(millis(records.at(-1) as LogRecord) - millis(records[0] as LogRecord)).toBeGreaterThan(100);
  });

  it('with bufferLogs: true has them too, with the time of the flush', async () => {
    const { code, records } = await run('fine:buffered');
    expect(code).toBe(0);
    expect(lines(records)[0]).toBe('NestFactory: Starting Nest application...');
    expect(delayOf(records)).toBeGreaterThan(100);
  });
});

describe('An application that does not boot', () => {
  it('prints all that it logged, the fatal error with its stack and cause, when a provider cannot be made', async () => {
    const { code, stderr, records } = await run('constructor');
    expect(code).toBe(1);
    expect(records).toEqual([]);
    expect(stderr).toMatch(/^\S+Z LOG \[NestFactory\] Starting Nest application\.\.\.$/m);
    expect(stderr).toMatch(/^\S+Z WARN \[Slow\] with parameters \{"orderId":7,"password":"\[Redacted\]"\}$/m);
    expect(stderr).toMatch(
      /^\S+Z ERROR \[ExceptionHandler\] no luck \{"exception\.code":"E_LUCK"\}\nTypeError: no luck\n {4}at new/m,
    );
    expect(stderr).toMatch(/^Caused by: Error: out of stock\n {4}at new Unlucky/m);
  });

  it.each([
    ['its options cannot be had', 'options-factory', /ERROR \[ExceptionHandler\] no configuration/],
    [
      'its options are wrong',
      'bad-options',
      /2 problems:\n- sendTimeoutMs: [^\n]*\n- redact: "a\[" is no path/,
    ],
  ])('prints it when %s', async (_what, how, expected) => {
    const { code, stderr } = await run(how);
    expect(code).toBe(1);
    expect(stderr).toMatch(/LOG \[NestFactory\] Starting Nest application/);
    expect(stderr).toMatch(/\[Slow\] made at|REDIS_LOG|problems|no configuration/);
    expect(stderr).toMatch(expected);
  });

  it('prints it when an init hook fails', async () => {
    const { code, stderr, records } = await run('hook');
    expect(code).toBe(1);
    expect(records).toEqual([]);
    expect(stderr).toContain('RangeError: hook failed');
    expect(stderr).toMatch(/WARN \[Slow\] with parameters/);
  });
});

describe('An application without the module', () => {
  it('that ends prints what the early logger kept', async () => {
    const { code, stderr } = await run('no-module');
    expect(code).toBe(0);
    expect(stderr).toMatch(/LOG \[NestFactory\] Starting Nest application/);
    expect(stderr).toMatch(/LOG \[Slow\] made at \d+/);
  });

  it('that runs on is not silent: Nest prints it, and one line says why', async () => {
    const { code, stdout, stderr } = await run('no-module:http');
    expect(code).toBe(0);
    expect(stderr).toContain('Import RedisLogModule.forRoot() in the root module');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    for (const text of ['Starting Nest application', 'made at', 'successfully started', 'after the boot']) {
      expect(stdout.split(text)).toHaveLength(2);
    }
  });
});
