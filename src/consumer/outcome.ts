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
  /** The handler resolved with a list that may not mean what it is taken for. */
  readonly doubt?: Doubt | undefined;
}

/** `empty`: a list of nothing. `strange`: a list of texts that are no entry ids of the batch. */
export type Doubt = 'empty' | 'strange';

const NOTHING: readonly LogEntry[] = [];

/** The handler resolved, with ids or with something else. */
export function resolvedOutcome(batch: LogBatch, result: unknown): Outcome {
  const items = itemsOf(result);
  const ids = items !== undefined && areIds(items, batch) ? items : undefined;
  const acknowledge =
    ids !== undefined ? batch.take(ids) : batch.isByItem ? NOTHING : batch.take(idsOf(batch));
  const doubt = items === undefined || batch.isByItem ? undefined : doubtOf(items, ids !== undefined);
  return { acknowledge, reject: NOTHING, retry: batch.open, isSearch: false, error: undefined, doubt };
}

const ENTRY_ID = /^\d+-\d+$/;

function itemsOf(result: unknown): unknown[] | undefined {
  return Array.isArray(result) || result instanceof Set ? [...(result as Iterable<unknown>)] : undefined;
}

/**
 * Handlers return all kinds of lists: what `Promise.all` gave, keys of rows. Those mean nothing. But where a list can be
 * one of entry ids it is taken as that, also the empty one: what is taken for undone comes again, what is taken for done
 * never does.
 */
function areIds(items: readonly unknown[], batch: LogBatch): items is string[] {
  return (
    items.some((item) => batch.has(item)) ||
    items.every((item) => typeof item === 'string' && ENTRY_ID.test(item))
  );
}

function doubtOf(items: readonly unknown[], areTheyIds: boolean): Doubt | undefined {
  if (items.length === 0) return 'empty';
  return !areTheyIds && items.every((item) => typeof item === 'string') ? 'strange' : undefined;
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
