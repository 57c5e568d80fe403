import { CURRENT_TEST, type CurrentTestSlot, JEST_ENVIRONMENT } from './test-slot.js';

/** The part of Jest's environments that is needed, as its documentation has it. */
interface JestEnvironment {
  readonly global: object;
  setup(): Promise<void>;
  handleTestEvent?(event: never, state: never): unknown;
}

interface TestEvent {
  readonly name: string;
  readonly test?: JestTest;
}

interface JestTest {
  readonly name: string;
  readonly errors: readonly unknown[];
}

/**
 * An environment for Jest that prints on stderr what a failed test has logged; for `silenceLogs()`. Plain Jest does not
 * tell its hooks whether a test has failed, only its environments.
 *
 * @example
 * // jest-environment.js, named by `testEnvironment` in the configuration
 * const { TestEnvironment } = require('jest-environment-node');
 * const { printFailedTests } = require('nestjs-redis-log/testing/jest');
 * module.exports = printFailedTests(TestEnvironment);
 *
 * @param Environment the one to extend: that of `jest-environment-node` or another
 */
// A mixin's constructor takes whatever the base class takes, and TypeScript wants `any[]` for that.
// oxlint-disable-next-line typescript/no-explicit-any
export function printFailedTests<T extends new (...args: any[]) => JestEnvironment>(Environment: T): T {
  return class extends Environment {
    override async setup(): Promise<void> {
      await super.setup();
      (this.global as CurrentTestSlot)[JEST_ENVIRONMENT] = true;
    }

    override async handleTestEvent(event: never, state: never): Promise<void> {
      await super.handleTestEvent?.(event, state);
      const { name, test } = event as TestEvent;
      if (name !== 'test_done' || test === undefined) return;
      const text = (this.global as CurrentTestSlot)[CURRENT_TEST]?.end(test.name) ?? '';
      if (test.errors.length > 0) process.stderr.write(text);
    }
  };
}
