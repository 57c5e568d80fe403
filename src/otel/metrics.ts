import * as api from '@opentelemetry/api';
import type { LogStats } from '../pipeline/account.js';
import type { WriteWatch } from '../redis/watched-store.js';
import { observables, type Snapshot } from './metrics-instruments.js';

/** What the metrics are made of. */
export interface MetricsSource {
  readonly stats: () => LogStats;
  /** `queue.maxRecords` */
  readonly queueCapacity: number;
}

const METER_NAME = 'nestjs-redis-log';
const COMPONENT_TYPE = 'redis_stream_log_exporter';
const COMPONENTS = Symbol.for('nestjs-redis-log.otel-components');

/** 0 for the first exporter of the process, then 1, and so on; a process may hold this package twice. */
function nextComponent(): number {
  const number = Number(Reflect.get(globalThis, COMPONENTS) ?? 0);
  Reflect.set(globalThis, COMPONENTS, number + 1);
  return number;
}

/**
 * The exporter's account as OpenTelemetry metrics, with the global meter provider. All but the duration of a write are
 * observable instruments, read when somebody collects: they cost nothing per record. An SDK may be started after the
 * exporter was made, so the provider is looked for again with every batch and every change of the connection.
 *
 * Names, units and attributes: docs/metrics.md.
 */
export class ExporterMetrics implements WriteWatch {
  readonly #source: MetricsSource;
  readonly #attributes: api.Attributes;
  #provider: api.MeterProvider | undefined;
  #duration: api.Histogram | undefined;
  #unbind: (() => void) | undefined;
  #delivered = 0;

  constructor(source: MetricsSource) {
    this.#source = source;
    this.#attributes = {
      'otel.component.type': COMPONENT_TYPE,
      'otel.component.name': `${COMPONENT_TYPE}/${nextComponent()}`,
    };
    this.#look();
  }

  appended(durationMs: number, errorType: string | undefined): void {
    this.#look();
    const attributes = errorType === undefined ? this.#attributes : this.#failed(errorType);
    try {
      this.#duration?.record(durationMs / 1000, attributes);
    } catch {
      // A meter of somebody else's that throws must not stop the logs.
    }
  }

  stateChanged(): void {
    this.#look();
  }

  /** Binds to the provider that is global now; leaves the one before, if any. */
  #look(): void {
    const provider = api.metrics.getMeterProvider();
    if (provider === this.#provider) return;
    this.#provider = provider;
    try {
      this.#unbind?.();
      this.#bind(provider.getMeter(METER_NAME));
    } catch {
      // No metrics with that one; another may come.
    }
  }

  #bind(meter: api.Meter): void {
    this.#duration = meter.createHistogram('otel.sdk.exporter.operation.duration', {
      unit: 's',
      description: 'The duration of exporting a batch of telemetry records.',
      // As the semantic conventions want it: sum and count, unless a view asks for buckets.
      advice: { explicitBucketBoundaries: [] },
    });
    const { instruments, observe } = observables(meter, this.#attributes);
    const callback = (result: api.BatchObservableResult): void => observe(result, this.#snapshot());
    meter.addBatchObservableCallback(callback, instruments);
    this.#unbind = () => meter.removeBatchObservableCallback(callback, instruments);
  }

  /**
   * `delivered` goes down when a failover forgets records, until they are sent again. A counter that goes down would
   * pass for a restart of the process; this one waits.
   */
  #snapshot(): Snapshot {
    const stats = this.#source.stats();
    this.#delivered = Math.max(this.#delivered, stats.delivered);
    return { ...stats, delivered: this.#delivered, capacity: this.#source.queueCapacity };
  }

  #failed(errorType: string): api.Attributes {
    return { ...this.#attributes, 'error.type': errorType };
  }
}
