import { createDiagnostics } from '../../diagnostics.js';
import { systemRuntime } from '../../pipeline/runtime.js';
import { captureCrashes } from '../crash/crash-capture.js';
import { crashReporter } from '../crash/crash-reporter.js';
import { printWhileAway } from '../logger/away-console.js';
import type { ModuleParts } from './redis-log.providers.js';

/** Starts what the options ask for beside the log call itself. Returns the function that ends it all. */
export function startFeatures({ core, exporter, resolved }: ModuleParts): () => void {
  const { enabled, fleetLevels, consoleWhenAwayMs, console, captureCrashes: capture } = resolved.logger;
  if (!enabled) return () => undefined;
  const stops: (() => void)[] = [];
  if (fleetLevels) stops.push(exporter.watchLevels((levels) => core.fleetLevels.replace(levels)));
  if (consoleWhenAwayMs !== undefined && console === false) {
    const parts = {
      afterMs: consoleWhenAwayMs,
      health: () => core.sink.health(),
      print: (isOn: boolean) => core.printMeanwhile(isOn),
      runtime: systemRuntime,
      diagnostics: createDiagnostics(),
    };
    stops.push(printWhileAway(parts));
  }
  if (capture) stops.push(captureCrashes(crashReporter(core, exporter.options.shutdownTimeoutMs)));
  return () => {
    for (const stop of stops) stop();
  };
}
