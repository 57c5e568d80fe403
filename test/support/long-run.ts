import type { TestContext } from 'vitest';

/** `REDIS_LOG_TEST_LONG=1`: tests of duration run as long as their promise says instead of a few seconds. */
export const IS_LONG_RUN = process.env['REDIS_LOG_TEST_LONG'] === '1';

/** Skips a test that has no short form, and says how it is run. */
export function onlyInLongRuns({ skip }: Pick<TestContext, 'skip'>): void {
  skip(!IS_LONG_RUN, 'only with REDIS_LOG_TEST_LONG=1');
}

/** The figures of a long run, for whoever started it. */
export function report(figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(([what, figure]) => `${what} ${figure}`);
  process.stderr.write(`${text.join(', ')}\n`);
}
