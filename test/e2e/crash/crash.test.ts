import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisLogWriter } from '../../../src/core.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { storedRecords } from '../../integration/nest/support.js';
import { Build, ChildApp, type Ended } from '../boot/child-app.js';

let build: Build;
let redis: RedisServer;
beforeAll(async () => {
  build = new Build(['test/e2e/crash/app.ts']);
  redis = await startRedisServer();
});
beforeEach(() => redis.client().flushall());
afterAll(async () => {
  build.remove();
  await redis.stop();
});

interface Crashed extends Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  readonly records: readonly LogRecord[];
}

async function crash(kind: string, env: Record<string, string> = {}, args: string[] = []): Promise<Crashed> {
  const start = performance.now();
  const app = new ChildApp([...args, build.path('test/e2e/crash/app')], {
    CRASH: kind,
    URL: redis.url,
    ...env,
  });
  const ended = await app.ended;
  const ms = performance.now() - start;
  const records = await storedRecords(redis, 'logs');
  return { ...ended, stdout: app.stdout, stderr: app.stderr, ms, records };
}

const bodies = (records: readonly LogRecord[]): unknown[] => records.map(({ body }) => body);

describe('A crash, where it is captured', () => {
  it.each([
    ['throw', 'uncaughtException'],
    ['reject', 'unhandledRejection'],
  ])('is the last record, FATAL, and the process ends as without us: %s', async (kind, origin) => {
    const { code, signal, stdout, stderr, records } = await crash(kind);
    expect([code, signal]).toEqual([1, null]);
    expect(stdout).toContain('exit hook 1');
    expect(bodies(records)).toEqual(['last words', 'card declined']);
    expect(records[1]).toMatchObject({
      severityText: 'fatal',
      severityNumber: 21,
      instrumentationScope: { name: 'Process' },
      attributes: {
        'process.crash.origin': origin,
        'exception.type': 'PaymentError',
        'exception.message': 'card declined',
      },
    });
    expect(String(records[1]?.attributes['exception.stacktrace'])).toContain('crash/app');
    expect(stderr).toContain('PaymentError: card declined');
    expect(stderr).toMatch(/at .*crash\/app\.js/);
    expect(stderr).toContain("code: 'E_DECLINED'");
    expect(stderr).toContain(`Node.js ${process.version}`);
  });

  it('may be no error at all', async () => {
    const { code, stderr, records } = await crash('throw a text');
    expect(code).toBe(1);
    expect(stderr).toContain('only a text');
    expect(records).toHaveLength(2);
    expect(JSON.stringify(records[1])).toContain('only a text');
  });

  it('while another one is on its way out is recorded too, and the first one decides', async () => {
    const { code, stderr, records } = await crash('twice');
    expect(code).toBe(1);
    expect(stderr).toContain('card declined');
    expect(bodies(records)).toEqual(['last words', 'card declined', 'the second one']);
  });

  it.each([
    ['own listener', 3, ['last words', 'card declined']],
    ['own rejection listener', 4, ['last words']],
  ])('leaves the decision to an application that listens itself: %s', async (kind, exitCode, expected) => {
    const { code, stdout, stderr, records } = await crash(kind);
    expect(code).toBe(exitCode);
    expect(stdout).toContain('handled card declined');
    expect(stderr).not.toContain('PaymentError');
    expect(bodies(records)).toEqual(expected);
  });

  it('is on stderr where a listener of the application ends the process before it can be sent', async () => {
    const { code, stderr, records } = await crash('own listener that exits');
    expect(code).toBe(7);
    const stored = bodies(records);
    expect(stored.includes('card declined') || /not stored.*card declined/.test(stderr), stderr).toBe(true);
  });

  it('is no crash where Node only warns of rejections', async () => {
    const app = new ChildApp(['--unhandled-rejections=warn', build.path('test/e2e/crash/app')], {
      CRASH: 'reject',
      URL: redis.url,
    });
    await until(() => app.stderr.includes('UnhandledPromiseRejectionWarning'), { timeoutMs: 15_000 });
    app.kill('SIGKILL');
    await app.ended;
    expect(bodies(await storedRecords(redis, 'logs'))).not.toContain('card declined');
  });

  it('is recorded where Node is strict about rejections', async () => {
    const { code, records } = await crash('reject', {}, ['--unhandled-rejections=strict']);
    expect(code).toBe(1);
    expect(bodies(records)).toContain('card declined');
  });

  it('ends the process within its deadline when Redis is down, and is printed', async () => {
    const { code, stderr, ms } = await crash('throw', { URL: 'redis://127.0.0.1:1', TIMEOUT: '1000' });
    expect(code).toBe(1);
    expect(ms).toBeLessThan(15_000);
    expect(stderr).toMatch(/at .*crash\/app\.js/);
    expect(stderr).toContain('The process ends with 2 log records waiting');
  });

  it('is on disk when Redis is down, and stored by the next process', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'redis-log-crash-'));
    const { code, stderr } = await crash('throw', {
      URL: 'redis://127.0.0.1:1',
      TIMEOUT: '1000',
      SPOOL: directory,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('PaymentError: card declined');
    const next = new RedisLogWriter({ connection: redis.url, stream: 'logs', spool: { directory } });
    await until(() => next.stats().recovered === 2 && next.stats().delivered === 2, { timeoutMs: 15_000 });
    await next.close();
    rmSync(directory, { recursive: true, force: true });
    expect(bodies(await storedRecords(redis, 'logs'))).toEqual(['last words', 'card declined']);
  });

  it('after the application was closed is no business of ours', async () => {
    const { code, stderr, records } = await crash('after close');
    expect(code).toBe(1);
    expect(stderr).toContain('card declined');
    expect(bodies(records)).toEqual(['last words']);
  });
});
