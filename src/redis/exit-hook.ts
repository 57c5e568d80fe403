import { processWide } from '../process-wide.js';

/** What is still open when the process ends; one set and one listener per process, however often we are loaded. */
function openAtExit(): Set<() => void> {
  return processWide('exit-hook', () => {
    const callbacks = new Set<() => void>();
    process.once('exit', () => {
      for (const callback of callbacks) callback();
    });
    return callbacks;
  });
}

/** Calls `callback`, which must be synchronous and must not throw, when the process exits. Returns a cancellation. */
export function atExit(callback: () => void): () => void {
  const callbacks = openAtExit();
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

/** What a shell makes of a process that SIGINT ended. */
const INTERRUPTED = 130;

/**
 * Until `closing` is settled, SIGINT ends the process at once: whoever presses Ctrl-C again while we wait for Redis wants
 * no more waiting. The hooks of {@link atExit} run then. At other times the signal is the application's own business.
 */
export async function exitOnInterrupt<T>(closing: Promise<T>): Promise<T> {
  const leave = (): void => process.exit(INTERRUPTED);
  process.on('SIGINT', leave);
  try {
    return await closing;
  } finally {
    process.off('SIGINT', leave);
  }
}
