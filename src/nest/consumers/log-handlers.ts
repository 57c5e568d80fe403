import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { LogHandler } from '../../consumer/engine.js';
import { RedisLogError } from '../../errors.js';
import { type OnLogsOptions, onLogsOf } from './on-logs.decorator.js';

/** A method with `@OnLogs`, and what it was decorated with. */
export interface FoundHandler {
  /** `Class.method` */
  readonly name: string;
  readonly options: OnLogsOptions;
  readonly handler: LogHandler;
}

type Wrapper =
  ReturnType<ModulesContainer['get']> extends infer Module
    ? Module extends { readonly providers: ReadonlyMap<unknown, infer Item> }
      ? Item
      : never
    : never;

const scanner = new MetadataScanner();

/**
 * Every method with `@OnLogs` in the application.
 *
 * @throws RedisLogError `REDIS_LOG_MODULE_MISUSED` where one stands in a class of which there is no single instance.
 */
export function findLogHandlers(modules: ModulesContainer): FoundHandler[] {
  const found: FoundHandler[] = [];
  const seen = new Set<unknown>();
  for (const module of modules.values()) {
    for (const wrapper of [...module.providers.values(), ...module.controllers.values()]) {
      // One instance can stand under several tokens.
      const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
      if (instance !== undefined && seen.has(instance)) continue;
      seen.add(instance);
      found.push(...handlersOf(wrapper as Wrapper, instance));
    }
  }
  return found;
}

function handlersOf(wrapper: Wrapper, instance: unknown): FoundHandler[] {
  const prototype = prototypeOf(wrapper, instance);
  if (prototype === undefined) return [];
  const found: FoundHandler[] = [];
  for (const method of scanner.getAllMethodNames(prototype)) {
    const body: unknown = Reflect.get(prototype, method);
    if (typeof body !== 'function') continue;
    for (const options of onLogsOf(body)) {
      const name = `${String(prototype.constructor.name)}.${method}`;
      if (wrapper.isTransient || typeof instance !== 'object' || instance === null) throw notSingle(name);
      const handler: LogHandler = (batch) => (body as LogHandler).call(instance, batch);
      found.push({ name, options, handler });
    }
  }
  return found;
}

/** Of a class that is made per request there is a prototype, and no instance. */
function prototypeOf({ metatype }: Wrapper, instance: unknown): object | undefined {
  if (typeof instance === 'object' && instance !== null) {
    return (Object.getPrototypeOf(instance) as object | null) ?? undefined;
  }
  const prototype: unknown = typeof metatype === 'function' ? metatype.prototype : undefined;
  return typeof prototype === 'object' && prototype !== null ? prototype : undefined;
}

function notSingle(name: string): RedisLogError {
  const advice = 'Put it into a provider of the default scope that injects nothing request-scoped.';
  return new RedisLogError(
    'REDIS_LOG_MODULE_MISUSED',
    `@OnLogs on ${name}: its class is made anew for each request or injection, so nobody could call it. ${advice}`,
    { subject: name },
  );
}
