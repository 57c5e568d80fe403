import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ScaleAdvisor } from '../../monitor/scaling/scale-advisor.js';
import { StreamMonitor } from '../../monitor/stream-monitor.js';
import { DetachedExporter } from '../../otel/detached-exporter.js';
import { RedisLogRecordExporter } from '../../otel/exporter.js';
import {
  ALERT_FIRING_EVENT,
  ALERT_RESOLVED_EVENT,
  findEmitter,
  MONITOR_SAMPLE_EVENT,
} from './monitor-events.js';
import {
  REDIS_LOG_MONITOR_OPTIONS,
  REDIS_LOG_MONITOR_PARTS,
  type RedisLogMonitorAsyncOptions,
  type RedisLogMonitorExtras,
  type RedisLogMonitorOptions,
} from './monitor-options.js';
import { scaleController } from './scale.controller.js';

/**
 * Provides `StreamMonitor` and `ScaleAdvisor` and runs them with the application: samples from bootstrap to shutdown,
 * samples and alerts as events of `@nestjs/event-emitter` where that is there. Without `connection` and `streams` it
 * watches the stream that `RedisLogModule` writes.
 *
 * @example
 * \@Module({ imports: [RedisLogModule.forRoot(), RedisLogMonitorModule.forRoot({ alerts: {} })] })
 * export class AppModule {}
 */
@Module({})
export class RedisLogMonitorModule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #parts: MonitorParts;
  readonly #modules: ModulesContainer;

  constructor(
    @Inject(REDIS_LOG_MONITOR_PARTS) parts: MonitorParts,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    this.#parts = parts;
    this.#modules = modules;
  }

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` at start, with every problem of the options. */
  static forRoot(options: RedisLogMonitorOptions & RedisLogMonitorExtras = {}): DynamicModule {
    const { endpoint, isGlobal, ...own } = options;
    const extras = {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(isGlobal === undefined ? {} : { isGlobal }),
    };
    return define({ provide: REDIS_LOG_MONITOR_OPTIONS, useValue: own }, extras, []);
  }

  /** The same, with options from a factory: `{ imports, inject, useFactory, endpoint, isGlobal }`. */
  static forRootAsync(options: RedisLogMonitorAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory = () => ({}) } = options;
    return define({ provide: REDIS_LOG_MONITOR_OPTIONS, useFactory, inject }, options, imports);
  }

  onApplicationBootstrap(): void {
    const { monitor, advisor, options, isTurnedOff } = this.#parts;
    const emitter = findEmitter(this.#modules);
    monitor.onSample((sample) => {
      advisor.observe(sample);
      emitter?.emit(MONITOR_SAMPLE_EVENT, sample);
    });
    if (emitter !== undefined) {
      monitor.onAlert((alert) =>
        emitter.emit(alert.state === 'firing' ? ALERT_FIRING_EVENT : ALERT_RESOLVED_EVENT, alert),
      );
    }
    if (options.autoStart ?? !isTurnedOff) monitor.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#parts.monitor.stop();
  }
}

interface MonitorParts {
  readonly monitor: StreamMonitor;
  readonly advisor: ScaleAdvisor;
  readonly options: RedisLogMonitorOptions;
  /** RedisLogModule has `enabled: false`, and then nobody opens a socket by himself. */
  readonly isTurnedOff: boolean;
}

const PROVIDERS: Provider[] = [
  {
    provide: StreamMonitor,
    inject: [REDIS_LOG_MONITOR_OPTIONS, { token: RedisLogRecordExporter, optional: true }],
    useFactory: makeMonitor,
  },
  {
    provide: ScaleAdvisor,
    inject: [REDIS_LOG_MONITOR_OPTIONS],
    useFactory: ({ scaling }: RedisLogMonitorOptions) => new ScaleAdvisor(scaling),
  },
  {
    provide: REDIS_LOG_MONITOR_PARTS,
    inject: [
      StreamMonitor,
      ScaleAdvisor,
      REDIS_LOG_MONITOR_OPTIONS,
      { token: RedisLogRecordExporter, optional: true },
    ],
    useFactory: makeParts,
  },
];

function makeParts(...[monitor, advisor, options, exporter]: PartsInput): MonitorParts {
  return { monitor, advisor, options, isTurnedOff: exporter instanceof DetachedExporter };
}

type PartsInput = [
  monitor: StreamMonitor,
  advisor: ScaleAdvisor,
  options: RedisLogMonitorOptions,
  exporter: RedisLogRecordExporter | DetachedExporter | undefined,
];

/** What the application writes is what it watches, unless it says otherwise. */
function makeMonitor(
  options: RedisLogMonitorOptions,
  exporter: RedisLogRecordExporter | undefined,
): StreamMonitor {
  const { scaling: _scaling, autoStart: _autoStart, ...own } = options;
  if (exporter === undefined) return new StreamMonitor(own);
  const { connection, defaultStream, partitions, retention } = exporter.options;
  const { maxLength, maxAgeMs } = retention;
  const kept = {
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  };
  const isOwnStream = own.streams === undefined && own.connection === undefined;
  const given = isOwnStream
    ? { connection, streams: defaultStream, partitions: partitions.count, retention: kept }
    : { connection };
  return new StreamMonitor({ ...given, ...own });
}

function define(options: Provider, extras: RedisLogMonitorExtras, imports: unknown[]): DynamicModule {
  const { endpoint = false, isGlobal = true } = extras;
  return {
    module: RedisLogMonitorModule,
    global: isGlobal,
    imports: imports as NonNullable<DynamicModule['imports']>,
    controllers: endpoint === false ? [] : [scaleController(endpoint)],
    providers: [options, ...PROVIDERS],
    exports: [StreamMonitor, ScaleAdvisor],
  };
}
