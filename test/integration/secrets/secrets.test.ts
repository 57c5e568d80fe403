import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Build, ChildApp } from '../../e2e/boot/child-app.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { type Platform, PLATFORMS } from '../nest-http/support.js';
import { SECRET } from './corpus.js';

const redis = useRedisServer();
const NOBODY = `redis://app:${SECRET}-connection@127.0.0.1:1`;
let build: Build;
let directory: string;

beforeAll(() => {
  build = new Build(['test/integration/secrets/*.ts']);
  directory = mkdtempSync(join(tmpdir(), 'redis-log-secrets-'));
});
afterAll(() => {
  build.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the application to its end; what it prints is looked at here, where it is the same for everybody. */
async function run(platform: Platform, target: string, format: 'json' | 'pretty'): Promise<ChildApp> {
  const args = [platform, target, redis.url, directory, format];
  const app = new ChildApp([build.path('test/integration/secrets/app'), ...args]);
  expect(await app.ended, app.stderr).toMatchObject({ code: 0 });
  expect(app.stdout).toContain('done');
  expect(leaksOf(app.stdout)).toEqual([]);
  expect(leaksOf(app.stderr)).toEqual([]);
  return app;
}

/** What is around each secret that is there. */
function leaksOf(text: string): string[] {
  return [...text.matchAll(new RegExp(`.{0,120}${SECRET}.{0,40}`, 'g'))].map(([around]) => around);
}

describe('A secret that is logged, in a request, or in an error', () => {
  it.each([
    ['express', 'json'],
    ['fastify', 'pretty'],
  ] as const)('is neither in Redis nor printed, on %s with console "%s"', async (platform, format) => {
    const { stdout } = await run(platform, redis.url, format);
    expect(stdout).toContain('[Redacted]');
    const entries = await redis.client.xrange('logs', '-', '+');
    expect(entries.length).toBeGreaterThan(250);
    expect(leaksOf(entries.map(([, fields]) => fields.join(' ')).join('\n'))).toEqual([]);
    const others = await redis.client.keys('*');
    const dumps = await Promise.all(others.map((key) => redis.client.dumpBuffer(key)));
    expect(dumps.filter((dump) => dump?.includes(SECRET))).toEqual([]);
  });

  it('is not in the spool either, where Redis is away', async () => {
    await run(PLATFORMS[0] ?? 'express', NOBODY, 'json');
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    const contents = files.map((file) => readFileSync(join(file.parentPath, file.name)));
    expect(Buffer.concat(contents).includes('[Redacted]')).toBe(true);
    expect(leaksOf(contents.map((content) => content.toString('latin1')).join('\n'))).toEqual([]);
  });
});
