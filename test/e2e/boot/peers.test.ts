import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Build, ChildApp } from './child-app.js';

let build: Build;
beforeAll(() => {
  build = new Build();
});
afterAll(() => build.remove());

/** The packages that are loaded with an entry of ours, whether by `import` or by `require`. */
async function packagesOf(entry: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        urls.push(resolved.url);
        return resolved;
      },
    });
    await import(${JSON.stringify(build.path(entry))});
    process.stdout.write('urls ' + JSON.stringify(urls) + '\\n');`;
  const child = new ChildApp(['--input-type=module', '--eval', script]);
  const urls = JSON.parse(await child.line('urls')) as string[];
  expect(await child.ended, child.stderr).toMatchObject({ code: 0 });
  expect(urls.length).toBeGreaterThan(10);
  const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/.][^/]*)/.exec(url)?.[1] ?? '');
  return [...new Set(names)].filter((name) => name !== '').toSorted();
}

describe('What an entry of the package loads', () => {
  it('is neither Nest nor OpenTelemetry for /core', async () => {
    expect(await packagesOf('src/core')).toEqual(['valibot']);
  });

  it('is the API of OpenTelemetry, but neither Nest nor an SDK, for /otel', async () => {
    expect(await packagesOf('src/otel/index')).toEqual(['@opentelemetry/api', 'valibot']);
  });

  it('is Nest and the API of OpenTelemetry, but no SDK and no ioredis yet, for the root', async () => {
    const packages = await packagesOf('src/index');
    expect(packages.filter((name) => /^(@opentelemetry|ioredis|valibot)/.test(name))).toEqual([
      '@opentelemetry/api',
      'valibot',
    ]);
    expect(packages).toContain('@nestjs/common');
    expect(packages).not.toContain('@nestjs/testing');
  });

  it('is not @nestjs/testing even for /testing, which only needs its types', async () => {
    const packages = await packagesOf('src/testing/index');
    expect(packages).not.toContain('@nestjs/testing');
    expect(packages.filter((name) => name.startsWith('@opentelemetry/'))).toEqual(['@opentelemetry/api']);
  });
});
