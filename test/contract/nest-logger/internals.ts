import 'reflect-metadata';
import { Controller, Get, Injectable, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Call, CallGroup } from './calls.js';
import * as v from './values.js';

/*
 * Calls that Nest makes itself. They go through its static logger, which is the logger under test while `run` lasts.
 * They are those of the installed Nest only.
 */

@Injectable()
class Healthy {}

@Controller()
class Failing {
  @Get('error')
  error(): never {
    throw v.declined;
  }
  @Get('text')
  text(): never {
    // oxlint-disable-next-line typescript/only-throw-error -- people do
    throw 'a thrown text';
  }
  @Get('object')
  object(): never {
    // oxlint-disable-next-line typescript/only-throw-error -- people do
    throw { reason: 'quota', left: 0 };
  }
  @Get('aggregate')
  aggregate(): Promise<never> {
    return Promise.reject(v.aggregate);
  }
}

function hooking(hook: string, reason: unknown): Type<object> {
  class Hooking {}
  Object.defineProperty(Hooking.prototype, hook, {
    value: () => Promise.reject(reason as Error),
    configurable: true,
    writable: true,
  });
  Injectable()(Hooking);
  return Hooking;
}

function appOf(providers: Type<object>[], controllers: Type<object>[] = []): DynamicModule {
  class AppModule {}
  Module({})(AppModule);
  return { module: AppModule, providers, controllers };
}

@Injectable()
class Unlucky {
  constructor() {
    throw v.withCode;
  }
}

@Injectable()
class Lacking {
  readonly dependency: unknown;
  constructor(dependency: Healthy) {
    this.dependency = dependency;
  }
}

const HOOKS = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'];

function closing(hook: string, reason: unknown): Call {
  return {
    name: `${hook} fails`,
    run: async () => {
      const app = await NestFactory.createApplicationContext(appOf([hooking(hook, reason)]));
      await app.close();
    },
  };
}

function failingToBoot(provider: Type<object>): Call {
  return {
    name: `${provider.name} cannot be made`,
    run: async () => {
      // Errors of Nest carry the ids of its modules; a snapshot has the same ones each time.
      const options = { abortOnError: false, snapshot: true } as const;
      await NestFactory.createApplicationContext(appOf([provider]), options).catch(() => undefined);
    },
  };
}

const BOOT: Call = {
  name: 'an application boots, answers and closes',
  run: async () => {
    const app = await NestFactory.create(appOf([Healthy], [Failing]));
    await app.listen(0, '127.0.0.1');
    await fetch(`${await app.getUrl()}/nothing-here`);
    await app.close();
  },
};

const FILTER: Call = {
  name: 'a controller throws',
  run: async () => {
    const app = await NestFactory.create(appOf([], [Failing]));
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const path of ['error', 'text', 'object', 'aggregate']) await fetch(`${url}/${path}`);
    await app.close();
  },
};

export const INTERNAL_GROUPS: readonly CallGroup[] = [
  { name: 'an application that boots', calls: [BOOT] },
  { name: 'the exception filter', calls: [FILTER] },
  { name: 'a hook that fails with an error', calls: HOOKS.map((hook) => closing(hook, v.declined)) },
  { name: 'a hook that fails with a text', calls: HOOKS.map((hook) => closing(hook, 'no luck')) },
  { name: 'an application that does not boot', calls: [failingToBoot(Unlucky), failingToBoot(Lacking)] },
];
