import 'reflect-metadata';
import { ConsoleLogger, Inject, Injectable, Logger, Module, type OnModuleInit } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  InjectRedisLogger,
  RedisLogger,
  RedisLogLevels,
  RedisLogModule,
  RedisLogRecordExporter,
} from 'nestjs-redis-log';
import { createTestingLogger, provideRedisLogTesting } from 'nestjs-redis-log/testing';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { saidDuring } from './support.js';

@Injectable()
class OrdersService implements OnModuleInit {
  readonly #logger = new Logger(OrdersService.name);
  @InjectRedisLogger() private readonly own!: RedisLogger;
  @Inject(RedisLogRecordExporter) readonly exporter!: RedisLogRecordExporter;

  constructor() {
    this.#logger.log('made');
  }

  onModuleInit(): void {
    this.#logger.log('initialised');
  }

  place(orderId: number): void {
    this.#logger.log('Order placed', { orderId, customer: { id: 1, token: 'geheim', tags: ['new'] } });
    this.#logger.debug('a detail');
    this.own.warn('stock is low', { orderId });
    this.#logger.error(
      'payment failed',
      Object.assign(new TypeError('declined', { cause: new Error('quota') }), { code: 'E_1' }),
    );
  }
}

@Module({
  // Nothing listens there: whoever connected would be noticed.
  imports: [RedisLogModule.forRoot({ connection: 'redis://127.0.0.1:1', level: 'log', connect: 'eager' })],
  providers: [OrdersService],
})
class AppModule {}

afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(new ConsoleLogger());
});

async function compiled() {
  const builder = Test.createTestingModule({ imports: [AppModule] });
  const logs = provideRedisLogTesting(builder);
  return { logs, module: await builder.compile() };
}

describe('provideRedisLogTesting()', () => {
  it('collects what the application logs, by whatever logger, and connects nowhere', async () => {
    const connect = vi.spyOn(Redis.prototype, 'connect');
    const said = await saidDuring(async () => {
      const { logs, module } = await compiled();
      const app = module.createNestApplication();
      await app.init();
      logs.clear();
      app.get(OrdersService).place(7);
      expect(logs.messages).toEqual(['Order placed', 'stock is low', 'payment failed']);
      expect(await app.get(RedisLogger).flush()).toMatchObject({ pending: 0, dropped: 0 });
      await app.close();
    });
    expect(connect).not.toHaveBeenCalled();
    expect(said).toEqual([]);
  });

  it('changes levels in the process of the test alone, and never those of the fleet', async () => {
    const connect = vi.spyOn(Redis.prototype, 'connect');
    const { logs, module } = await compiled();
    const levels = module.get(RedisLogLevels);
    await levels.set('OrdersService', 'debug');
    expect(await levels.list()).toMatchObject([{ context: 'OrdersService', level: 'debug' }]);
    module.get(OrdersService).place(7);
    logs.withMessage('a detail').exactly(1);
    await levels.clear();
    expect(await levels.list()).toEqual([]);
    module.get(OrdersService).place(7);
    logs.withMessage('a detail').exactly(1);
    expect(connect).not.toHaveBeenCalled();
  });

  it('collects from the first record on, also when the application is never initialised', async () => {
    const { logs, module } = await compiled();
    expect(logs.inContext('OrdersService').messages).toEqual(['made']);
    module.get(OrdersService).place(7);
    expect(logs.count).toBeGreaterThan(3);
  });

  it('answers questions about them', async () => {
    const { logs, module } = await compiled();
    module.get(OrdersService).place(7);
    module.get(OrdersService).place(8);
    const orders = logs.inContext('OrdersService');
    expect(orders.at('warn').count).toBe(2);
    expect(orders.withMessage('Order placed').withAttributes({ orderId: 8 }).count).toBe(1);
    expect(orders.withMessage(/^Order/g).first?.attributes['orderId']).toBe(7);
    expect(orders.withMessage(/^Order/g).last?.attributes['orderId']).toBe(8);
    expect(orders.withAttributes({ customer: { tags: ['new'] } }).count).toBe(2);
    expect(orders.withAttributes({ customer: { tags: [] } }).count).toBe(0);
    expect(orders.withAttributes({ orderId: '8' }).count).toBe(0);
    expect(logs.inContext('Orders').count).toBe(0);
    expect(logs.withMessage('Order').count).toBe(0);
    expect([...orders.at('error')].map(({ level }) => level)).toEqual(['error', 'error']);
  });

  it('gives queries that see what is logged later, and forgets on request', async () => {
    const { logs, module } = await compiled();
    const warnings = logs.at('warn');
    expect(warnings.first).toBeUndefined();
    module.get(OrdersService).place(7);
    expect(warnings.count).toBe(1);
    warnings.clear();
    expect(logs.all).toEqual([]);
  });

  it('shows errors, secrets and times as they would be stored', async () => {
    const before = Date.now();
    const { logs, module } = await compiled();
    module.get(OrdersService).place(7);
    const failed = logs.at('error').first;
    expect(failed).toMatchObject({
      context: 'OrdersService',
      message: 'payment failed',
      traceId: undefined,
      attributes: {},
    });
    expect(failed?.error).toMatchObject({
      type: 'TypeError',
      message: 'declined',
      code: 'E_1',
      cause: { message: 'quota' },
    });
    expect(failed?.error?.stack).toContain('testing.test');
    expect(failed?.time.getTime()).toBeGreaterThanOrEqual(before);
    expect(logs.withAttributes({ customer: { token: '[Redacted]' } }).count).toBe(1);
    expect(logs.at('debug').count).toBe(0);
  });

  it('collects what goes through the exporter too', async () => {
    const { logs, module } = await compiled();
    const { logs: other, logger } = createTestingLogger();
    logger.log('from elsewhere');
    const records = other.all.map(({ record }) => record);
    module.get(OrdersService).exporter.export(records, ({ code }) => expect(code).toBe(0));
    expect(logs.withMessage('from elsewhere').count).toBe(1);
  });

  it('keeps two applications apart', async () => {
    const one = await compiled();
    one.module.get(OrdersService).place(1);
    const two = await compiled();
    expect(two.logs.withMessage('Order placed').count).toBe(0);
    expect(one.logs.withMessage('Order placed').count).toBe(1);
  });

  it('refuses options that the application could not start with', async () => {
    const imports = [RedisLogModule.forRoot({ shutdownTimeoutMs: 0 })];
    const builder = Test.createTestingModule({ imports });
    provideRedisLogTesting(builder);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await expect(builder.compile()).rejects.toThrow(/shutdownTimeoutMs/);
  });
});

describe('createTestingLogger()', () => {
  it('is a RedisLogger for a unit test, with every level on', () => {
    const { logger, logs } = createTestingLogger();
    expect(logger).toBeInstanceOf(RedisLogger);
    logger.verbose('m', { a: 1, password: 'geheim' }, 'Ctx');
    expect(logs.all).toMatchObject([
      { level: 'verbose', context: 'Ctx', message: 'm', attributes: { a: 1, password: '[Redacted]' } },
    ]);
    logger.withContext('Child').fatal(new Error('boom'));
    expect(logs.inContext('Child').at('fatal').first?.error?.message).toBe('boom');
    expect(logger.stats()).toMatchObject({ emitted: 2, delivered: 2 });
  });

  it('takes levels and redaction, and no settings of the machine', () => {
    vi.stubEnv('REDIS_LOG_LEVEL', 'fatal');
    const { logger, logs } = createTestingLogger({ levels: { Quiet: 'error' }, redact: ['card'] });
    vi.unstubAllEnvs();
    logger.log('m', 'Quiet');
    logger.debug('m', { card: 1 }, 'Loud');
    expect(logs.all.map(({ attributes }) => attributes)).toEqual([{ card: '[Redacted]' }]);
    expect(() => createTestingLogger({ level: 'loud' as never })).toThrow(/level/);
  });
});
