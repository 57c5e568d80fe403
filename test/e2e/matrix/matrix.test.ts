import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The older versions, which this repository does not use itself; all of it: docs/compatibility.md. */
const CORE = [
  'requests-nest-11-fastify',
  'jest-nest-11',
  'otel-0.2xx',
  'core-ioredis-5',
  'typescript-5.9-commonjs',
];

describe('The packed package, installed into an empty project', () => {
  it('works beside Nest 11, Jest 30 on Node 22, the older line of OpenTelemetry, ioredis 5, and TypeScript 5.9', async () => {
    const run = promisify(execFile)(process.execPath, ['scripts/matrix.mjs', '--core'], { cwd: root });
    const { stdout } = await run.catch((error: unknown) => error as { stdout: string });
    const passed = [...stdout.matchAll(/^passed {2}(\S+)/gm)].map(([, name]) => name);
    expect(stdout).not.toContain('FAILED');
    expect(new Set(passed)).toEqual(new Set(CORE));
  }, 900_000);
});
