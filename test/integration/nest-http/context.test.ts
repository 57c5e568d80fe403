import 'reflect-metadata';
import { Controller, Get, Inject, Injectable, Logger, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import fc from 'fast-check';
import { ClsModule, ClsService } from 'nestjs-cls';
import { RedisLogContext, RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { storedRecords } from '../nest/support.js';
import { PLATFORMS, requestsOf, serve } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

/** What an application without a server stores while `work` lasts. */
async function storedBy(
  work: (logger: RedisLogger) => unknown,
  options: RedisLogModuleOptions = {},
): Promise<LogRecord[]> {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', console: false, ...options } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  app.useLogger(app.get(RedisLogger));
  await work(app.get(RedisLogger));
  await app.close();
  return storedRecords(redis, 'logs');
}

function table(records: readonly LogRecord[]): unknown[] {
  return records.map(({ body, attributes }) => [body, attributes]);
}

describe('RedisLogContext', () => {
  it('puts its attributes on every record below it: through await, timers and events, by every logger', async () => {
    const emitter = new EventEmitter();
    const records = await storedBy(async (logger) => {
      emitter.on('said', () => logger.log('event'));
      await RedisLogContext.run({ tenant: 't1' }, async () => {
        logger.log('direct');
        await delay(1);
        logger.withContext('Child').log('child');
        new Logger('Nest').log('nest');
        await new Promise<void>((resolve) => {
          setTimeout(() => {
            logger.log('timer');
            setImmediate(resolve);
          }, 1);
        });
        emitter.emit('said');
      });
      logger.log('outside');
    });
    const tenant = { tenant: 't1' };
    expect(table(records)).toEqual([
      ['direct', tenant],
      ['child', tenant],
      ['nest', tenant],
      ['timer', tenant],
      ['event', tenant],
      ['outside', {}],
    ]);
  });

  it('is inherited; what is assigned stays in its run, and reaches the runs inside it', async () => {
    const records = await storedBy(async (logger) => {
      await RedisLogContext.run({ a: 1, b: 1 }, async () => {
        let inner: Promise<void> | undefined;
        RedisLogContext.run({ b: 2 }, () => {
          inner = delay(5).then(() => logger.log('inner, later'));
          RedisLogContext.assign({ c: 3 });
          logger.log('inner');
        });
        logger.log('outer');
        RedisLogContext.assign({ d: 4 });
        await inner;
        expect(RedisLogContext.get()).toEqual({ a: 1, b: 1, d: 4 });
      });
    });
    expect(table(records)).toEqual([
      ['inner', { a: 1, b: 2, c: 3 }],
      ['outer', { a: 1, b: 1 }],
      ['inner, later', { a: 1, b: 2, c: 3, d: 4 }],
    ]);
  });

  it('gives way to a record that has the name itself', async () => {
    const records = await storedBy((logger) =>
      RedisLogContext.run({ user: 'context', tenant: 1 }, () => logger.log('m', { user: 'own' })),
    );
    expect(table(records)).toEqual([['m', { user: 'own', tenant: 1 }]]);
  });

  it('is redacted once, bounded, and cannot be spoilt', async () => {
    const censored: unknown[] = [];
    const cycle: Record<string, unknown> = { big: 'x'.repeat(200_000) };
    cycle['self'] = cycle;
    const hostile = {
      token: 'geheim',
      get broken(): string {
        throw new Error('geheim');
      },
      ['__proto__x']: 1,
      cycle,
    };
    const censor = (value: unknown): string => {
      censored.push(value);
      return `***${censored.length}`;
    };
    const records = await storedBy(
      (logger) =>
        RedisLogContext.run(hostile, () => {
          logger.log('one');
          logger.log('two', { password: 'geheim' });
          logger.log('three');
        }),
      { redact: { paths: [], censor } },
    );
    expect(JSON.stringify(records)).not.toContain('geheim');
    expect(records.map(({ attributes }) => attributes['token'])).toEqual(['***1', '***1', '***1']);
    expect(records[1]?.attributes['password']).toBe('***2');
    expect(JSON.stringify(records[0]?.attributes['cycle']).length).toBeLessThan(100_000);
    expect(censored).toEqual(['geheim', 'geheim']);
  });

  it('does nothing outside a run, and says so', async () => {
    expect(RedisLogContext.assign({ a: 1 })).toBe(false);
    expect(RedisLogContext.get()).toEqual({});
    expect(table(await storedBy((logger) => logger.log('m')))).toEqual([['m', {}]]);
  });

  it('passes on what the work returns and throws', async () => {
    expect(RedisLogContext.run({}, () => 7)).toBe(7);
    expect(() =>
      RedisLogContext.run({ a: 1 }, () => {
        throw new RangeError('mine');
      }),
    ).toThrow('mine');
    await expect(RedisLogContext.run({}, () => Promise.reject(new Error('later')))).rejects.toThrow('later');
    for (const odd of [null, undefined, 7, 'text', () => 1]) {
      expect(RedisLogContext.run(odd as unknown as Record<string, unknown>, () => 8)).toBe(8);
    }
  });

  it('is that of the call for what is logged before there is a logger', async () => {
    const early = RedisLogger.early();
    RedisLogContext.run({ phase: 'boot', token: 'geheim' }, () => {
      early.log('early');
      early.log(() => 'early and lazy');
    });
    class AppModule {}
    Module({
      imports: [RedisLogModule.forRoot({ connection: redis.url, stream: 'logs', console: false })],
    })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: early });
    await app.close();
    const own = (await storedRecords(redis, 'logs')).filter(({ body }) => String(body).startsWith('early'));
    const attributes = { phase: 'boot', token: '[Redacted]' };
    expect(table(own)).toEqual([
      ['early', attributes],
      ['early and lazy', attributes],
    ]);
  });

  it('holds for any nesting of runs and assignments', async () => {
    interface Step {
      readonly run: Record<string, number>;
      readonly assign: Record<string, number>;
      readonly inside: readonly Step[];
    }
    const some = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 9 }), {
      maxKeys: 3,
    });
    const { step } = fc.letrec<{ step: Step }>((tie) => ({
      step: fc.record({
        run: some,
        assign: some,
        inside: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('step'), { maxLength: 2 })),
      }),
    }));
    const play = ({ run, assign, inside }: Step, around: Record<string, number>): void => {
      RedisLogContext.run(run, () => {
        expect(RedisLogContext.get()).toEqual({ ...around, ...run });
        RedisLogContext.assign(assign);
        const here = { ...around, ...run, ...assign };
        expect(RedisLogContext.get()).toEqual(here);
        for (const next of inside) play(next, here);
        expect(RedisLogContext.get()).toEqual(here);
      });
    };
    fc.assert(fc.property(step, (steps) => play(steps, {})));
    expect(RedisLogContext.get()).toEqual({});
  });
});

@Injectable()
class Listener {
  readonly #logger = new Logger(Listener.name);

  @OnEvent('order.placed')
  placed(): void {
    this.#logger.log('placed');
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  readonly #logger = new Logger(PerRequest.name);
  say(): void {
    this.#logger.log('request scoped');
  }
}

@Controller()
class TenantController {
  @Inject(ClsService) private readonly cls!: ClsService;
  @Inject(RedisLogContext) private readonly context!: RedisLogContext;
  @Inject(EventEmitter2) private readonly events!: EventEmitter2;
  @Inject(PerRequest) private readonly perRequest!: PerRequest;

  @Get('tenant')
  async tenant(): Promise<string> {
    this.context.assign({ tenant: this.cls.get<string>('tenant') });
    await delay(1);
    this.perRequest.say();
    this.events.emit('order.placed');
    return this.cls.get<string>('tenant');
  }
}

describe.each(PLATFORMS)('Beside nestjs-cls on %s', (platform) => {
  it('both keep their own, for requests at the same time', async () => {
    const cls = ClsModule.forRoot({
      global: true,
      middleware: {
        mount: true,
        setup: (store: ClsService, request: { headers: Record<string, string> }) =>
          store.set('tenant', request.headers['x-tenant']),
      },
    });
    const imports = [cls, EventEmitterModule.forRoot()];
    const module = { imports, controllers: [TenantController], providers: [Listener, PerRequest] };
    const served = await serve({ redis, platform, module });
    const tenants = Array.from({ length: 10 }, (_, n) => `t${n}`);
    const answers = await Promise.all(
      tenants.map(async (tenant) => {
        const headers = { 'x-tenant': tenant, 'x-request-id': tenant };
        return (await fetch(`${served.url}/tenant`, { headers })).text();
      }),
    );
    expect(answers).toEqual(tenants);
    const records = await served.finish();
    expect(requestsOf(records)).toHaveLength(10);
    for (const tenant of tenants) {
      const own = records.filter(({ attributes }) => attributes['request.id'] === tenant);
      expect(own.map(({ body, attributes }) => [body, attributes['tenant']])).toEqual([
        ['request scoped', tenant],
        ['placed', tenant],
        ['GET /tenant 200', tenant],
      ]);
    }
  });
});
