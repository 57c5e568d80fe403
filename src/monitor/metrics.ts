import type { MonitorSample } from './types.js';

/** What a monitor uses of its metrics. */
export interface Metrics {
  look(): void;
  close(): void;
}

/** The last sample as OpenTelemetry metrics. Without the API package, which is optional, there are none. */
export async function openMetrics(last: () => MonitorSample | undefined): Promise<Metrics | undefined> {
  try {
    const { MonitorMetrics } = await import('../otel/monitor-metrics.js');
    return new MonitorMetrics(last);
  } catch {
    return undefined;
  }
}
