import type { Diagnostics } from '../../diagnostics.js';
import type { Runtime } from '../../pipeline/runtime.js';
import type { LogHealth } from '../../redis/health.js';

export interface AwayConsoleParts {
  /** How long records must have been waiting, in milliseconds, before they are printed too. */
  readonly afterMs: number;
  readonly health: () => LogHealth;
  /** Turns the printing on and off. */
  readonly print: (isOn: boolean) => void;
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
}

/** Looks so often, at most, whether Redis is away or back. */
const MAX_STEP_MS = 1_000;

/**
 * Has records printed while Redis has been away for longer than a limit. What is printed is queued all the same, and
 * stored once Redis is back, as far as the queue holds it. Returns the function that ends it.
 */
export function printWhileAway({
  afterMs,
  health,
  print,
  runtime,
  diagnostics,
}: AwayConsoleParts): () => void {
  const stepMs = Math.min(MAX_STEP_MS, Math.max(25, afterMs / 4));
  let isPrinting = false;
  let cancel = runtime.after(stepMs, look);

  function look(): void {
    cancel = runtime.after(stepMs, look);
    const { status, reason, degradedMs, queued, spooled } = health();
    const isAway = status !== 'up' && reason !== 'closed' && degradedMs >= afterMs;
    if (isAway === isPrinting) return;
    isPrinting = isAway;
    print(isAway);
    if (isAway) {
      const waiting = `${queued + spooled} wait and are stored when it is back, as far as there is room`;
      diagnostics.warn(
        'console:on',
        `Redis has been away for ${degradedMs} ms: records are printed here too; ${waiting}.`,
      );
    } else {
      diagnostics.info('console:off', 'Redis is back: records are no longer printed here.');
    }
  }

  return () => cancel();
}
