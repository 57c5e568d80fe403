import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';
import { freePort } from '../../support/free-port.js';
import { IMPATIENT, OracleWriter, payload } from '../../support/oracle.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const PRELOAD = fileURLToPath(new URL('full-disk.mjs', import.meta.url));
const redis = useRedisServer();
let build: Build;
let directory: string;

beforeAll(() => {
  build = new Build(['test/fault/spool/writer-app.ts']);
});
afterAll(() => build.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'redis-log-disk-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

/** All files of a spool, with their contents. */
function filesOf(path: string): { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file, bytes: readFileSync(file) }));
}

describe('A disk that is full', () => {
  it('never stops the application: records go through memory, and onto the disk again when there is room', async () => {
    const flag = join(directory, 'full');
    const spool = join(directory, 'spool');
    const env = { REDIS_URL_UNDER_TEST: redis.url, SPOOL: spool, DISK_IS_FULL: flag };
    const app = new ChildApp(['--import', PRELOAD, build.path('test/fault/spool/writer-app')], env);
    await app.line('safe');
    writeFileSync(flag, '');
    await until(() => app.stderr.includes('ENOSPC'), { timeoutMs: 10_000 });
    const before = await redis.client.xlen('spooled');
    await until(async () => (await redis.client.xlen('spooled')) > before + 1_000, { timeoutMs: 10_000 });
    expect(app.stderr.match(/ENOSPC/g)?.length).toBeLessThan(10);
    rmSync(flag);
    await redis.server.pause();
    const written = (): number => filesOf(spool).reduce((sum, { bytes }) => sum + bytes.length, 0);
    await until(() => written() > 100_000, { timeoutMs: 10_000, what: 'records on the disk again' });
    await redis.server.resume();
    app.kill('SIGTERM');
    expect(await app.ended).toEqual({ code: 0, signal: null });
    const { emitted, stats } = JSON.parse(/closed (.*)/.exec(app.stdout)?.[1] ?? '{}') as {
      emitted: number;
      stats: { delivered: number; dropped: object };
    };
    expect(stats).toMatchObject({ delivered: emitted, dropped: {} });
    const entries = await redis.client.xrange('spooled', '-', '+');
    const numbers = entries.map(([, fields]) => Number(fields[fields.indexOf('n') + 1]));
    expect(numbers).toEqual(Array.from({ length: emitted }, (_, at) => at + 1));
    expect(readdirSync(spool)).toEqual([]);
  });
});

describe('A spool that is at its limit', () => {
  it('leaves the rest in memory, says so, and everything is delivered in order', async () => {
    await using proxy = await startTcpProxy(redis.server);
    const spool = { directory, maxBytes: 1024 * 1024 };
    await using oracle = new OracleWriter({ connection: proxy.url, spool }, IMPATIENT);
    oracle.emit(100);
    await oracle.delivered(100);
    await proxy.set({ refuse: true });
    proxy.cut();
    const bytes = (): number => filesOf(directory).reduce((sum, file) => sum + file.bytes.length, 0);
    await until(() => {
      oracle.emit(500);
      return oracle.lines.some((line) => /spool.*(full|limit)/i.test(line));
    });
    await until(() => oracle.stats.queued > 0);
    expect(oracle.stats.spooled).toBeGreaterThan(0);
    expect(bytes()).toBeLessThanOrEqual(spool.maxBytes);
    await proxy.heal();
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('A directory that cannot be used', () => {
  it.each([
    ['a symbolic link', (path: string) => symlinkSync(tmpdir(), path), 'symbolic link'],
    ['a file', (path: string) => writeFileSync(path, ''), 'not a directory'],
  ])('because it is %s is told once, and records are stored without a spool', async (_, make, reason) => {
    const path = join(directory, 'spool');
    make(path);
    const options = { connection: redis.url, spool: { directory: path } };
    await using oracle = new OracleWriter(options, IMPATIENT);
    oracle.emit(300);
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    const told = oracle.lines.filter((line) => line.includes('Records are kept in memory alone'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(reason);
  });

  it('is made where it is missing, with those above it', async () => {
    const spool = { directory: join(directory, 'a', 'b') };
    await using oracle = new OracleWriter({ connection: redis.url, spool }, IMPATIENT);
    oracle.emit(300);
    await expectClosed(oracle);
    expect(oracle.lines).toEqual([]);
    expect(readdirSync(spool.directory)).toEqual([]);
  });
});

describe('A directory that others have written to', () => {
  it('keeps what another version left as it is: that is told, and records are stored all the same', async () => {
    const home = join(directory, '1-0123456789abcdef');
    mkdirSync(home);
    const owner = { version: 99, pid: 0, started: '', boot: '', namespace: '' };
    writeFileSync(join(home, 'owner.json'), JSON.stringify(owner));
    writeFileSync(join(home, '00000001.seg'), 'of another version');
    await using oracle = new OracleWriter({ connection: redis.url, spool: { directory } }, IMPATIENT);
    oracle.emit(300);
    await until(() => oracle.lines.some((line) => line.includes('has format 99')));
    await expectClosed(oracle);
    await expectAllOnce(oracle, redis.client);
    expect(readFileSync(join(home, '00000001.seg'), 'utf8')).toBe('of another version');
    expect(readdirSync(directory)).toEqual(['1-0123456789abcdef']);
  });
});

describe('What lies on the disk', () => {
  it('is redacted as what is sent, and for the eyes of its owner alone', async () => {
    const connection = `redis://127.0.0.1:${await freePort()}`;
    const options = { connection, spool: { directory }, redact: ['password'], shutdownTimeoutMs: 500 };
    const exporter = new RedisLogRecordExporter(options);
    const secret = 'correct-horse-battery-staple';
    const { timestamp, ...rest } = payload('disk', 1);
    const hrTime = timestamp as [number, number];
    const record = {
      ...rest,
      ...{ hrTime, hrTimeObserved: hrTime, droppedAttributesCount: 0 },
      resource: { attributes: {} },
      instrumentationScope: { name: 'disk' },
      attributes: { password: secret, order: 'order-4711' },
    };
    exporter.export([record], () => {});
    const text = (): string =>
      filesOf(directory)
        .map(({ bytes }) => bytes.toString('latin1'))
        .join('\n');
    await until(() => text().includes('order-4711'), { what: 'the record on the disk' });
    expect(text()).not.toContain(secret);
    for (const { path } of filesOf(directory)) expect(statSync(path).mode & 0o777).toBe(0o600);
    await exporter.shutdown();
  });
});
