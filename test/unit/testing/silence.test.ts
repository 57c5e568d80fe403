import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { createTestingLogger, silenceLogs } from 'nestjs-redis-log/testing';
import { printFailedTests } from '../../../src/testing/jest.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CONFIG = 'test/unit/testing/silence/vitest.config.ts';

afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ['current-test', 'jest-environment']) {
    Reflect.deleteProperty(globalThis, Symbol.for(`nestjs-redis-log.${name}`));
  }
});

async function outputOfVitest(): Promise<string> {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', CONFIG, '--reporter', 'dot'];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|FORCE_COLOR)/.test(name)),
  );
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...env, NO_COLOR: '1' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number];
  expect(code, output).toBe(1);
  return output;
}

/** What jest-environment-node is to a subclass. */
class NodeEnvironment {
  readonly global: object = globalThis;
  readonly seen: unknown[] = [];

  async setup(): Promise<void> {
    this.seen.push('setup');
  }

  async handleTestEvent(event: { readonly name: string }, _state: object): Promise<void> {
    this.seen.push(event.name);
  }
}

async function jestEnvironment() {
  const environment = new (printFailedTests(NodeEnvironment))();
  await environment.setup();
  const ended = (name: string, errors: unknown[]) =>
    environment.handleTestEvent({ name: 'test_done', test: { name, errors } } as never, {} as never);
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  return { environment, ended, written };
}

describe('silenceLogs()', () => {
  it('prints what a test of vitest has logged only when it fails', async () => {
    const output = await outputOfVitest();
    expect(output).toContain('3 failed');
    expect(output).toContain('--- Logged by "fails" (3 records)');
    expect(output).toMatch(
      /LOG \[OrdersService\] own line of the failing test \{ orderId: 7, password: '\[Redacted\]' \}/,
    );
    expect(output).toMatch(/ERROR \[Payments\] declined\n {4}Error: no cover\n/);
    expect(output).toContain('caused by Error: quota');
    expect(output).toContain('before all of them');
    expect(output).toContain('own line of the test that fails by passing');
    expect(output).not.toMatch(/passing test|passes by failing|Nest would print|"fails without a line"/);
  });

  it('prints what a test of Jest has logged only when it fails, with the environment', async () => {
    const { environment, ended, written } = await jestEnvironment();
    const hook = silenceLogs();
    // Jest takes a hook with parameters for one that calls back.
    expect(hook).toHaveLength(0);
    const { logger } = createTestingLogger();
    hook();
    logger.log('of the passing test');
    await ended('passes', []);
    hook();
    new Logger('Ctx').warn('of the failing test');
    await ended('fails', [new Error('expected')]);
    hook();
    await ended('fails without a line', [new Error('expected')]);
    expect(written.join('')).toMatch(
      /^--- Logged by "fails" \(1 record\)\n[\d:.]+ WARN \[Ctx\] of the failing test\n---\n$/,
    );
    expect(environment.seen).toEqual(['setup', 'test_done', 'test_done', 'test_done']);
  });

  it('keeps the last 1,000 records of a test', async () => {
    const { ended, written } = await jestEnvironment();
    silenceLogs()();
    for (let n = 0; n < 2_500; n++) new Logger('Ctx').log(`line ${n}`);
    await ended('fails', [new Error('expected')]);
    const text = written.join('');
    expect(text).toContain('(1000 records, the last of 2500)');
    expect(text).not.toContain('line 1499\n');
    expect(text).toContain('line 1500\n');
  });

  it('says what is missing where it cannot know which tests fail', () => {
    const hook = silenceLogs();
    expect(hook).toThrow(/nestjs-redis-log\/testing\/jest/);
  });
});
