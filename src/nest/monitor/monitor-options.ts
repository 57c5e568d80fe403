import type { CanActivate, ConfigurableModuleAsyncOptions, Type } from '@nestjs/common';
import type { StreamMonitorOptions } from '../../monitor/options.js';
import type { ScaleAdvisorOptions } from '../../monitor/scaling/scale-advisor.js';

/** Options of `RedisLogMonitorModule`: those of `StreamMonitor`, and these. */
export interface RedisLogMonitorOptions extends StreamMonitorOptions {
  /** Options of the `ScaleAdvisor`. */
  readonly scaling?: ScaleAdvisorOptions;
  /**
   * `false`: samples are taken only when somebody calls `sample()`. Default `true`: every `intervalMs`, unless
   * `RedisLogModule` has `enabled: false`.
   */
  readonly autoStart?: boolean;
}

/** What has to be known before the options are. */
export interface RedisLogMonitorExtras {
  /** The JSON that KEDA's metrics-api scaler reads. Default `false`: no route. */
  readonly endpoint?: false | ScaleRouteOptions;
  /** Default `true`: `StreamMonitor` and `ScaleAdvisor` can be injected anywhere. */
  readonly isGlobal?: boolean;
}

export interface ScaleRouteOptions {
  /** Default `redis-log/scale`. */
  readonly path?: string;
  /** Guards of the route. It shows names, lags and rates, and no records. Default: none but the global ones. */
  readonly guards?: readonly Type<CanActivate>[];
}

/** `{ imports, inject, useFactory, endpoint, isGlobal }` */
export type RedisLogMonitorAsyncOptions = Pick<
  ConfigurableModuleAsyncOptions<RedisLogMonitorOptions>,
  'imports' | 'inject' | 'useFactory'
> &
  RedisLogMonitorExtras;

/** Injection token of the options as they were given to `RedisLogMonitorModule`. */
export const REDIS_LOG_MONITOR_OPTIONS = Symbol.for('nestjs-redis-log.monitor-options');

/** Injection token of what `RedisLogMonitorModule` runs. */
export const REDIS_LOG_MONITOR_PARTS = Symbol.for('nestjs-redis-log.monitor-parts');
