import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface UntilOptions {
  /** What is waited for, as the end of "waiting for ...". Default: the condition's source text. */
  readonly what?: string;
  /** Milliseconds after which it is an error. Default 5,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between two looks. Default 5. */
  readonly intervalMs?: number;
}

/**
 * Resolves with the first truthy value of the condition, which is looked at once at once and then again and
 * again. A condition that throws counts as not yet true, and its last error is the cause of the timeout's.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 5_000, intervalMs = 5 }: UntilOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) break;
    await delay(intervalMs);
  }
  const seen = cause === undefined ? `last seen: ${inspect(last)}` : `last error: ${inspect(cause)}`;
  throw new Error(`No luck in ${timeoutMs} ms, waiting for ${what ?? condition.toString()}; ${seen}`, {
    cause,
  });
}
