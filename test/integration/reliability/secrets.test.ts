import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import {
  resp,
  type ScriptedRespServer,
  startScriptedRespServer,
} from '../../support/scripted-resp-server.js';

const SECRET = 'hunter2';
const APP = fileURLToPath(new URL('secrets-app.ts', import.meta.url));
const TYPESCRIPT = new URL('../../soak/typescript.mjs', import.meta.url).href;

let servers: RedisServer[];
let echo: ScriptedRespServer;

beforeAll(async () => {
  servers = await Promise.all([
    startRedisServer(),
    startRedisServer({ config: ['requirepass another'] }),
    startRedisServer({ config: ['maxmemory 1mb'] }),
    startRedisServer(),
  ]);
  const admin = servers[0]?.client();
  await admin?.call('ACL', 'SETUSER', 'noscripts', 'on', `>${SECRET}`, '~*', '+@all', '-eval', '-evalsha');
  await admin?.call('ACL', 'SETUSER', 'noxadd', 'on', `>${SECRET}`, '~*', '+@all', '-xadd', '-select');
  await admin?.set('a-string', 'x');
  // No id is left above this one.
  await admin?.xadd('at-its-end', '18446744073709551615-18446744073709551615', 'a', 'b');
  await servers[3]?.pause();
  // Some servers, and proxies, repeat what they were sent.
  echo = await startScriptedRespServer(({ name, args }) =>
    name === 'EVAL'
      ? resp.error(`ERR I do not like ${args.at(-1)} ${SECRET} with args beginning with: ${SECRET}`)
      : undefined,
  );
});

afterAll(async () => {
  await servers[3]?.resume();
  await Promise.all([...servers.map((server) => server.stop()), echo.close()]);
});

describe('everything this package says of itself', () => {
  it('holds no password and no record, whatever goes wrong', async () => {
    const [open, locked, full, hung] = servers.map(({ url }) => url);
    const urls = JSON.stringify({ open, locked, full, hung, echo: echo.url });
    const stripTypes = process.features.typescript ? [] : ['--experimental-strip-types'];
    const command = [...stripTypes, '--import', TYPESCRIPT, APP, urls];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { timeout: 60_000 });
    // Every kind of trouble was met and told of.
    expect(stdout.split('\n').filter((line) => !/^(.*: said)?$/.test(line))).toEqual([]);
    expect(stdout.split('\n').length).toBeGreaterThan(20);
    expect(stderr).toContain('The process ends with');
    expect(stderr).toContain('REDIS_LOG_INVALID_OPTIONS');
    const leaks = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(SECRET));
    expect(leaks).toEqual([]);
  }, 90_000);
});
