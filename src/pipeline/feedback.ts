import { AsyncLocalStorage } from 'node:async_hooks';
import { processWide } from '../process-wide.js';

/**
 * A handler of a stream's records that logs into that same stream would be handed its own records, and log again,
 * without end. So what runs inside a handler is marked with the stream (all of its partitions), and the pipeline refuses records for it.
 *
 * On `globalThis`, because a process may hold this package twice. Nothing is looked up while there is no consumer.
 */
interface Feedback {
  streams?: AsyncLocalStorage<readonly string[]>;
}

const feedback = processWide('feedback', (): Feedback => ({}));

/** Whether a record for this stream is being logged by a handler of the same stream. */
export function isFeedback(stream: string): boolean {
  return feedback.streams !== undefined && feedback.streams.getStore()?.includes(stream) === true;
}

/** Runs `work`, and all that follows from it, as the handling of these streams' records. */
export function handling<T>(streams: readonly string[], work: () => T): T {
  return (feedback.streams ??= new AsyncLocalStorage()).run(streams, work);
}
