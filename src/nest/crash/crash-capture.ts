import { processWide } from '../../process-wide.js';

/** What a crash is reported to. */
export interface CrashReporter {
  /** Writes the record. Never throws. */
  report(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void;
  /** Resolves when the record is out, or when the time for that is up. Never rejects. */
  flush(): Promise<unknown>;
}

interface Crashes {
  readonly reporters: Set<CrashReporter>;
  /** True from the first crash on: the process is on its way out. */
  isEnding: boolean;
  /** Takes away what is installed; of whichever copy of the package came first. */
  uninstall: (() => void) | undefined;
}

/** One per process, also where the package is loaded twice, so that its listeners do not take each other for somebody's. */
function crashes(): Crashes {
  return processWide('crashes', () => ({ reporters: new Set(), isEnding: false, uninstall: undefined }));
}

/**
 * Reports every uncaught exception, and every rejection that Node makes one of, then lets the process end as it would have:
 * with the original error on stderr and its exit code. Where the application listens for them itself, it alone decides what
 * happens next; the record is written before its listener is called, which may well end the process at once. Nothing else
 * about unhandled rejections changes: no listener is added for those.
 *
 * Returns the function that ends it.
 */
export function captureCrashes(reporter: CrashReporter): () => void {
  const state = crashes();
  state.reporters.add(reporter);
  state.uninstall ??= install();
  return () => {
    state.reporters.delete(reporter);
    if (state.reporters.size === 0) stopListening(state);
  };
}

function install(): () => void {
  process.on('uncaughtExceptionMonitor', report);
  process.on('uncaughtException', leave);
  return () => {
    process.off('uncaughtExceptionMonitor', report);
    process.off('uncaughtException', leave);
  };
}

function stopListening(state: Crashes): void {
  state.uninstall?.();
  state.uninstall = undefined;
}

function report(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void {
  for (const reporter of crashes().reporters) reporter.report(error, origin);
}

function leave(error: unknown): void {
  const state = crashes();
  // Somebody else listens too: then Node would not have ended the process, and neither do we.
  const isOurs = process.listenerCount('uncaughtException') === 1;
  if (!isOurs || state.isEnding) return;
  state.isEnding = true;
  void Promise.allSettled(Array.from(state.reporters, (reporter) => reporter.flush())).then(() =>
    end(state, error),
  );
}

/** Thrown again where nobody listens, so that it is Node that prints it and ends the process: before a further one can. */
function end(state: Crashes, error: unknown): void {
  queueMicrotask(() => {
    stopListening(state);
    throw error; // By the application, where the stack below begins.
  });
}
