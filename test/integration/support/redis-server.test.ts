import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killWithThisProcess } from '../../support/child-guard.js';
import { requireRedisBinary } from '../../support/redis-binary.js';
import { type RedisProcess, startRedisProcess } from '../../support/redis-process.js';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const binary = requireRedisBinary('This test');

describe('a Redis server for tests', () => {
  let server: RedisProcess;

  beforeEach(async () => {
    server = await startRedisProcess({ binary, appendOnly: true, config: ['appendfsync always'] });
  });

  afterEach(async () => {
    await server.stop();
  });

  it('answers on its port and on its Unix socket', async () => {
    await server.client().set('key', 'value');

    expect(await server.client({ path: server.socketPath }).get('key')).toBe('value');
  });

  it('takes further configuration', async () => {
    expect(await server.client().config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  });

  it('keeps its port and its append-only file over SIGKILL and restart', async () => {
    await server.client().set('key', 'value');
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.restart();

    expect(await server.client().get('key')).toBe('value');
  });

  it('answers nothing while it is paused, and everything afterwards', async () => {
    const client = server.client();
    await client.ping();
    await server.pause();
    let hasAnswered = false;
    const answer = client.ping().then(() => {
      hasAnswered = true;
    });
    await expect(server.client({ commandTimeout: 100, retryStrategy: null }).ping()).rejects.toThrow(
      /timed out|closed/i,
    );
    expect(hasAnswered).toBe(false);
    await server.resume();

    await answer;
    expect(hasAnswered).toBe(true);
  });

  it('can be stopped while it is paused', async () => {
    await server.pause();
    await server.stop();

    expect(server.pid).toBeUndefined();
  });

  it('leaves neither files nor a process behind', async () => {
    const { pid, directory } = server;
    await server.stop();

    expect(existsSync(directory)).toBe(false);
    expect(isRunning(pid)).toBe(false);
  });

  it('shows what the server printed when it does not start', async () => {
    await expect(startRedisProcess({ binary, config: ['no-such-setting 1'] })).rejects.toThrow(
      /no-such-setting/,
    );
  });

  it('says so when the program is not there', async () => {
    await expect(startRedisProcess({ binary: '/nowhere/redis-server' })).rejects.toThrow(/did not start/);
  });

  it('is one of its own for every test that asks', async () => {
    await using other = await startRedisServer();

    expect(other.port).not.toBe(server.port);
    expect(await other.client().dbsize()).toBe(0);
  });
});

describe('the guard of a child process', () => {
  it('ends without harm when it is released', async () => {
    const child = spawn('sleep', ['60']);
    const release = killWithThisProcess(child);
    release();
    child.kill('SIGTERM');

    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('kills the child of a process that was itself killed', async () => {
    const module = new URL('../../support/child-guard.ts', import.meta.url).href;
    const program = `
      import { spawn } from 'node:child_process';
      import { killWithThisProcess } from ${JSON.stringify(module)};
      const child = spawn('sleep', ['60']);
      killWithThisProcess(child);
      console.log(child.pid);`;
    const flags = [
      '--disable-warning=ExperimentalWarning',
      '--experimental-strip-types',
      '--input-type=module',
    ];
    const parent = spawn(process.execPath, [...flags, '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');

    await until(() => !isRunning(pid), { what: 'the child to be killed' });
  });
});

function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
