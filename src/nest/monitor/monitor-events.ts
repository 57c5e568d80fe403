import type { ModulesContainer } from '@nestjs/core';

/** Emitted with a `MonitorSample`. */
export const MONITOR_SAMPLE_EVENT = 'redis-log.sample';
/** Emitted with an `Alert` when it fires. */
export const ALERT_FIRING_EVENT = 'redis-log.alert.firing';
/** Emitted with an `Alert` when it is resolved. */
export const ALERT_RESOLVED_EVENT = 'redis-log.alert.resolved';

export interface Emitter {
  emit(event: string, payload: unknown): unknown;
}

/**
 * The EventEmitter2 of `@nestjs/event-emitter`, where the application has it. Told by its shape, because that package is
 * not one of ours to import: `onAny` and `waitFor` are EventEmitter2's own.
 */
export function findEmitter(modules: ModulesContainer): Emitter | undefined {
  for (const module of modules.values()) {
    for (const [token, { instance }] of module.providers) {
      if (typeof token === 'function' && isEventEmitter2(instance)) return instance;
    }
  }
  return undefined;
}

function isEventEmitter2(value: unknown): value is Emitter {
  if (typeof value !== 'object' || value === null) return false;
  return ['emit', 'onAny', 'waitFor'].every((name) => typeof Reflect.get(value, name) === 'function');
}
