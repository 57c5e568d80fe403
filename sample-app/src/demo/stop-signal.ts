const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** By convention a process that a signal ended reports 128 plus its number; 2 is SIGINT. */
const INTERRUPTED = 130;

/** Aborted by the first Ctrl-C, or by a reader of our output that goes away; a second Ctrl-C ends all at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
    });
  }
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}
