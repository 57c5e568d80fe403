import type { LogBatch } from './batch.js';
import { isDeadLetterError } from './dead-letter-error.js';
import type { LogEntry } from './entry.js';

/** What is to become of the records of a batch that a handler is done with, as far as they are still open. */
export interface Outcome {
  readonly acknowledge: readonly LogEntry[];
  readonly reject: readonly LogEntry[];
  readonly retry: readonly LogEntry[];
  /** Tried again at once, and each on its own, to find out which one is meant. */
  readonly isSearch: boolean;
  /** What the handler threw. */
  readonly error: unknown;
}

const NOTHING: readonly LogEntry[] = [];

/** The handler resolved, with ids or with something else. */
export function resolvedOutcome(batch: LogBatch, result: unknown): Outcome {
  const ids = Array.isArray(result) && result.every((id) => typeof id === 'string') ? result : undefined;
  const acknowledge =
    ids !== undefined ? batch.take(ids) : batch.isByItem ? NOTHING : batch.take(idsOf(batch));
  return { acknowledge, reject: NOTHING, retry: batch.open, isSearch: false, error: undefined };
}

/** The handler threw. */
export function failedOutcome(batch: LogBatch, error: unknown): Outcome {
  if (!isDeadLetterError(error)) {
    return { acknowledge: NOTHING, reject: NOTHING, retry: batch.open, isSearch: false, error };
  }
  const isMeant = error.ids !== undefined || batch.size === 1;
  const reject = isMeant ? batch.take(error.ids ?? idsOf(batch)) : NOTHING;
  return { acknowledge: NOTHING, reject, retry: batch.open, isSearch: true, error };
}

function idsOf(batch: LogBatch): string[] {
  return batch.open.map(({ id }) => id);
}
