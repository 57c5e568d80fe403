/** Where the code under test and the runner's environment around it meet: Jest has a `globalThis` for each. */
export const CURRENT_TEST = Symbol.for('nestjs-redis-log.current-test');

/** Set by the environment of Jest that tells of tests that ended. */
export const JEST_ENVIRONMENT = Symbol.for('nestjs-redis-log.jest-environment');

export interface CurrentTestSlot {
  [CURRENT_TEST]?: { end(name: string): string };
  [JEST_ENVIRONMENT]?: true;
}
