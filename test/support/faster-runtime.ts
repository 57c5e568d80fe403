import { type Runtime, systemRuntime } from '../../src/pipeline/runtime.js';

/** A clock on which so many seconds pass in one; for what takes long by design. */
export function fasterRuntime(factor: number): Runtime {
  return {
    now: () => systemRuntime.now() * factor,
    random: systemRuntime.random,
    after: (delayMs, callback, keepAlive) => systemRuntime.after(delayMs / factor, callback, keepAlive),
  };
}
