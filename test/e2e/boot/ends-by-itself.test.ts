import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { Build, ChildApp } from './child-app.js';

const redis = useRedisServer();

let build: Build;
beforeAll(() => {
  build = new Build();
});
afterAll(() => build.remove());

/** Logs once, does `then`, and leaves it to Node when to end. */
function logOnce(connection: unknown, then = ''): ChildApp {
  const script = `
    import { RedisLogWriter } from ${JSON.stringify(build.path('src/core'))};
    const connection = ${JSON.stringify(connection)};
    const writer = new RedisLogWriter({ connection, stream: 'logs', shutdownTimeoutMs: 200 });
    writer.emit({ body: 'the only one', severityNumber: 17 });
    let since = performance.now();
    ${then}
    process.on('exit', () => process.stdout.write('ms ' + Math.round(performance.now() - since) + '\\n'));`;
  return new ChildApp(['--input-type=module', '--eval', script]);
}

describe('A process that has nothing more to do ends by itself', () => {
  it('once its records are stored', async () => {
    const child = logOnce(redis.url);
    expect(await child.ended, child.stderr).toMatchObject({ code: 0 });
    expect(await redis.client.xlen('logs')).toBe(1);
  });

  it.each(['single', 'cluster'])('though Redis is away (%s), and says what was not stored', async (kind) => {
    const port = await freePort();
    const nowhere = { host: '127.0.0.1', port };
    const child = logOnce(kind === 'single' ? `redis://127.0.0.1:${port}` : { cluster: [nowhere] });
    expect(await child.ended, child.stderr).toMatchObject({ code: 0 });
    expect(child.stderr).toContain('not stored (closed)');
    expect(child.stderr).toContain('the only one');
  });

  it('at once after close(), though Redis is away', async () => {
    const child = logOnce(
      `redis://127.0.0.1:${await freePort()}`,
      'await writer.close(); since = performance.now();',
    );
    expect(Number(await child.line('ms'))).toBeLessThan(1_000);
    expect(await child.ended, child.stderr).toMatchObject({ code: 0 });
  });
});
