import 'reflect-metadata';
import { type INestApplicationContext, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InjectRedisLogger, RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { lines, storedRecords } from './support.js';

let redis: RedisServer;
let app: INestApplicationContext | undefined;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());
afterEach(() => vi.restoreAllMocks());

@Injectable()
class OrdersService {
  @InjectRedisLogger() readonly byProperty!: RedisLogger;
  readonly byConstructor: RedisLogger;
  constructor(@InjectRedisLogger() logger: RedisLogger) {
    this.byConstructor = logger;
  }
}

async function start(
  options: RedisLogModuleOptions = {},
  logger?: ReturnType<typeof RedisLogger.early>,
): Promise<RedisLogger> {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', console: false, ...options } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)], providers: [OrdersService] })(AppModule);
  app = await NestFactory.createApplicationContext(AppModule, {
    logger: logger ?? false,
    abortOnError: false,
  });
  return app.get(RedisLogger);
}

async function stored(): Promise<LogRecord[]> {
  await app?.close();
  app = undefined;
  return storedRecords(redis, 'logs');
}

function millis({ hrTime }: LogRecord): number {
  return hrTime[0] * 1_000 + hrTime[1] / 1e6;
}

describe('The time and the span of a record', () => {
  const spanContext = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
  };
  const inSpan = (work: () => void): void =>
    context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), work);
  beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  it('are those of the call', async () => {
    const logger = await start();
    await redis.pause();
    const before = Date.now();
    inSpan(() => logger.log('in a span'));
    const after = Date.now();
    await delay(20);
    logger.log('outside');
    await redis.resume();
    const [inside, outside] = await stored();
    expect(inside?.spanContext).toMatchObject(spanContext);
    expect(outside?.spanContext).toBeUndefined();
    expect(millis(inside as LogRecord)).toBeGreaterThanOrEqual(before);
    expect(millis(inside as LogRecord)).toBeLessThanOrEqual(after);
  });

  it('are those of the call also for what is logged before there is a logger', async () => {
    const early = RedisLogger.early();
    const before = Date.now();
    inSpan(() => early.log('first', 'Boot'));
    inSpan(() => early.log(() => 'lazy', 'Boot'));
    const after = Date.now();
    await delay(30);
    await start({}, early);
    const [first, lazy] = await stored();
    for (const record of [first, lazy]) {
      expect(millis(record as LogRecord)).toBeGreaterThanOrEqual(before);
      expect(millis(record as LogRecord)).toBeLessThanOrEqual(after);
      expect(record?.spanContext).toMatchObject(spanContext);
    }
    expect([first?.body, lazy?.body]).toEqual(['first', 'lazy']);
  });
});

describe('What is logged before there is a logger', () => {
  it('comes before what is logged directly, and follows its levels and its redaction', async () => {
    const early = RedisLogger.early();
    early.debug?.('left out', 'Boot');
    early.log('at boot', { password: 'geheim' }, 'Boot');
    let made = 0;
    early.verbose?.(() => ++made, 'Boot');
    class AppModule {}
    const settings = { connection: redis.url, stream: 'logs', console: false } as const;
    Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
    const http = await NestFactory.create(AppModule, { logger: early, abortOnError: false });
    app = http;
    http.get(RedisLogger).log('directly', 'Test');
    early.log('through the early one', 'Boot');
    const records = await stored();
    const texts = lines(records);
    expect(texts[0]).toBe('Boot: at boot');
    expect(texts.slice(-2)).toEqual(['Test: directly', 'Boot: through the early one']);
    expect(records[0]?.attributes).toEqual({ password: '[Redacted]' });
    expect(made).toBe(0);
  });
});

describe('The context of a record', () => {
  it('is the class that a logger is injected into, or the name given', async () => {
    await start();
    const orders = app?.get(OrdersService);
    orders?.byConstructor.log('one');
    orders?.byProperty.log('two');
    orders?.byConstructor.withContext('Other').log('three');
    orders?.byConstructor.log('four', 'Named');
    expect(lines(await stored())).toEqual([
      'OrdersService: one',
      'OrdersService: two',
      'Other: three',
      'Named: four',
    ]);
  });

  it('is right for any number of contexts', async () => {
    const logger = await start();
    for (let n = 0; n < 2_500; n++) logger.log('m', `Context${n % 1_250}`);
    const texts = lines(await stored());
    expect(texts).toEqual(Array.from({ length: 2_500 }, (_, n) => `Context${n % 1_250}: m`));
  });
});

describe('Levels', () => {
  it('come from the options, by context, and can be changed for all loggers at run time', async () => {
    const logger = await start({ level: 'warn', levels: { Orders: 'debug', 'Noisy*': 'error' } });
    const child = logger.withContext('Orders');
    let made = 0;
    const lazy = (): string => `made ${++made}`;
    logger.log(lazy);
    child.debug(lazy);
    logger.debug(lazy, 'Orders');
    logger.warn(lazy, 'NoisyService');
    logger.setLogLevels(['verbose']);
    logger.verbose(lazy);
    logger.withContext('NoisyService').warn(lazy);
    expect([logger.isLevelEnabled('verbose'), child.isLevelEnabled('verbose')]).toEqual([true, false]);
    expect(lines(await stored())).toEqual(['Orders: made 1', 'Orders: made 2', ': made 3']);
    expect(logger.stats().emitted).toBe(3);
  });
});

describe('An error among the parameters', () => {
  const declined = Object.assign(new TypeError('declined', { cause: new Error('quota') }), {
    code: 'E_DECLINED',
  });

  it('is kept where it stands, and is the error of a record that has no other', async () => {
    const logger = await start();
    logger.log('m', { err: declined, orderId: 7 });
    logger.error({ request: { err: declined } });
    logger.error(new RangeError('own'), { err: declined });
    const [inParams, inMessage, besides] = await stored();
    const kept = { type: 'TypeError', message: 'declined', stack: declined.stack, code: 'E_DECLINED' };
    expect(inParams?.attributes).toMatchObject({ err: kept, orderId: 7, 'exception.type': 'TypeError' });
    expect(inParams?.attributes).toMatchObject({
      'exception.code': 'E_DECLINED',
      'exception.cause.message': 'quota',
    });
    expect(inMessage?.body).toMatchObject({ request: { err: kept } });
    expect(inMessage?.attributes).toMatchObject({ 'exception.message': 'declined' });
    expect(besides?.attributes).toMatchObject({
      err: kept,
      'exception.type': 'RangeError',
      'exception.message': 'own',
    });
  });

  it('that is only shaped like one in a plain object stays a parameter', async () => {
    const logger = await start();
    logger.log('m', { job: { type: 'mail', message: 'hello', stack: 'web' } });
    expect((await stored())[0]?.attributes).toEqual({
      job: { type: 'mail', message: 'hello', stack: 'web' },
    });
  });
});

describe('Secrets', () => {
  it('are neither stored nor printed', async () => {
    const printed: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    const logger = await start({ console: 'json', redact: ['card.number'] });
    const map = new Map([['a', 1]]);
    logger.log(
      'calling https://user:geheim@example.com',
      { token: 'geheim', card: { number: 'geheim' } },
      'Test',
    );
    logger.log({ headers: { authorization: 'geheim' } });
    logger.log('m', { map }, 'Test');
    const records = await stored();
    expect(JSON.stringify(records)).not.toContain('geheim');
    expect(printed.join('')).not.toContain('geheim');
    expect(printed.join('')).toContain('"params":{"token":"[Redacted]","card":{"number":"[Redacted]"}}');
    expect(printed.join('')).toContain("Map(1) { 'a' => 1 }");
    expect(records[0]?.attributes).toEqual({ token: '[Redacted]', card: { number: '[Redacted]' } });
  });
});

describe('The console beside Redis', () => {
  it('prints a call as ConsoleLogger does, and runs a lazy message once', async () => {
    const out: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => out.push(String(text)) > 0);
    const logger = await start({ console: 'json' });
    let made = 0;
    const { stack } = new Error('boom');
    logger.withContext('Own').error('failed', stack);
    logger.log(() => `made ${++made}`, 'Ctx');
    logger.log('no context');
    const records = await stored();
    const printed = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(printed).toMatchObject([
      { level: 'error', context: 'Own', message: 'failed', stack },
      { level: 'log', context: 'Ctx', message: 'made 1' },
      { level: 'log', message: 'no context' },
    ]);
    expect(printed[2]).not.toHaveProperty('context');
    expect(lines(records)).toEqual(['Own: failed', 'Ctx: made 1', ': no context']);
  });
});

describe('A log call never fails', () => {
  it('when what it logs logs itself', async () => {
    const logger = await start({
      redact: {
        paths: ['secret'],
        censor: (value) => {
          logger.log('m', { secret: value });
          return '***';
        },
      },
    });
    const endless = {
      get again(): string {
        logger.log('again', endless);
        return 'x';
      },
    };
    logger.log('outer', endless);
    logger.log('censored', { secret: 1 });
    logger.log('afterwards');
    const texts = lines(await stored());
    expect(texts.filter((text) => text === ': outer' || text === ': afterwards')).toHaveLength(2);
    expect(texts.length).toBeLessThan(20);
  });

  it('when the stack is all but used up', async () => {
    const logger = await start();
    const dive = (): void => {
      logger.log('deep', { a: { b: 1 } });
      dive();
    };
    expect(dive).toThrow(RangeError);
    logger.log('afterwards');
    expect(lines(await stored()).at(-1)).toBe(': afterwards');
  });
});
