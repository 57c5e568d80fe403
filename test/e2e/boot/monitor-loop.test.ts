import { afterAll, beforeAll, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { Build, ChildApp } from './child-app.js';

const redis = useRedisServer();

let build: Build;
beforeAll(() => {
  build = new Build();
});
afterAll(() => build.remove());

it('A script that waits for samples of a monitor goes on until it leaves the loop, and then ends by itself', async () => {
  const script = `
    import { StreamMonitor } from ${JSON.stringify(build.path('src/monitor/index'))};
    const monitor = new StreamMonitor({ connection: ${JSON.stringify(redis.url)}, streams: 'logs', intervalMs: 100 });
    let samples = 0;
    for await (const sample of monitor) if (++samples === 3) break;
    process.stdout.write('samples ' + samples + '\\n');`;
  const child = new ChildApp(['--input-type=module', '--eval', script]);
  expect(await child.line('samples')).toBe('3');
  expect(await child.ended, child.stderr).toMatchObject({ code: 0 });
});
