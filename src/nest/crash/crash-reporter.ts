import type { LoggerCore } from '../logger/logger-core.js';
import type { CrashReporter } from './crash-capture.js';

const CONTEXT = 'Process';

/** Writes a crash as a FATAL record of the context `Process`, with `process.crash.origin` as Node names it. */
export function crashReporter(core: LoggerCore, timeoutMs: number): CrashReporter {
  const reading = { style: 'structured', context: undefined } as const;
  return {
    report(error, origin) {
      core.write('fatal', [error, { 'process.crash.origin': origin }, CONTEXT], reading);
    },
    flush: () => core.sink.flush({ timeoutMs }),
  };
}
