import { Logger } from '@nestjs/common';
import { RedisLogError, RedisLogger } from '../index.js';
import { resolveLoggerOptions, resolveWriterOptions } from '../options/resolve.js';
import { DetachedExporter } from '../otel/detached-exporter.js';
import { collected } from './collected-record.js';
import { followTests, noteForTest } from './current-test.js';
import { type CurrentTestSlot, JEST_ENVIRONMENT } from './test-slot.js';

/** The part of vitest's test context that is needed. */
interface VitestContext {
  readonly task: {
    readonly name: string;
    /** That of `it.fails`: then to fail is to pass. */
    readonly fails?: boolean;
    readonly result?: { readonly state: string };
  };
  onTestFinished(listener: () => void): void;
  onTestFailed(listener: () => void): void;
}

/**
 * Keeps tests quiet, and prints on stderr what a test has logged only when it fails: what `provideRedisLogTesting` and
 * `createTestingLogger` collect, and what goes to Nest's own `Logger` where no application has taken that over. Returns a
 * hook for the setup file of vitest or Jest; Jest needs `printFailedTests` in its environment too.
 *
 * @example
 * // in a file of `setupFiles` (vitest) or `setupFilesAfterEnv` (Jest)
 * beforeEach(silenceLogs());
 *
 * @returns The hook; it throws a RedisLogError `REDIS_LOG_MISUSED` where nobody would tell it that a test has failed.
 */
export function silenceLogs(): () => void {
  const test = followTests();
  Logger.overrideLogger(quietLogger());
  // No parameters: Jest takes a hook that has some for one that calls back.
  return function followTest(): void {
    const context = arguments[0] as VitestContext | undefined;
    if (typeof context?.onTestFailed === 'function') {
      const { task } = context;
      let text = '';
      context.onTestFinished(() => {
        text = test.end(task.name);
        if (task.fails === true && task.result?.state === 'pass') process.stderr.write(text);
      });
      context.onTestFailed(() => {
        if (task.fails !== true) process.stderr.write(text);
      });
    } else if ((globalThis as CurrentTestSlot)[JEST_ENVIRONMENT] !== true) {
      throw new RedisLogError(
        'REDIS_LOG_MISUSED',
        'silenceLogs() is not told which tests fail. With vitest, give it to beforeEach() as it is; with Jest, add printFailedTests of nestjs-redis-log/testing/jest to testEnvironment.',
        { subject: 'silenceLogs' },
      );
    }
  };
}

/** Keeps nothing beside the test that runs. */
function quietLogger(): RedisLogger {
  const exporter = new DetachedExporter(resolveWriterOptions({}, {}), (record) =>
    noteForTest(collected(record)),
  );
  return RedisLogger.over(
    exporter,
    resolveLoggerOptions({ level: 'verbose', console: false, enabled: true }, {}),
  );
}
