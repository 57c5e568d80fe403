import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import * as root from 'nestjs-redis-log';
import * as monitor from 'nestjs-redis-log/monitor';
import * as reader from 'nestjs-redis-log/reader';
import { createTestingLogger } from 'nestjs-redis-log/testing';
import { describe, expect, it } from 'vitest';

const { getRedisLoggerToken, InjectRedisLogger, RedisLogger, RedisLogModule, RedisLogMonitorModule } = root;

/** What interceptors and decorators of ours share: nobody injects it. */
const OWN = Symbol.for('nestjs-redis-log.outcomes');

@Injectable()
class OrdersService {
  @InjectRedisLogger() private readonly logger!: root.RedisLogger;

  place(): void {
    this.logger.log('Order placed', { orderId: 7 });
  }
}

@Module({ imports: [RedisLogModule.forRoot()], providers: [OrdersService] })
class AppModule {}

describe('What the modules provide', () => {
  it('has one token each, and every one of them can be imported', () => {
    const tokens = [RedisLogModule.forRoot(), RedisLogMonitorModule.forRoot()].flatMap(
      (module) => module.exports ?? [],
    );
    const importable = new Set<unknown>([
      ...Object.values(root),
      ...Object.values(reader),
      ...Object.values(monitor),
    ]);
    expect(tokens.length).toBeGreaterThan(8);
    expect(tokens.filter((token) => token !== OWN && !importable.has(token))).toEqual([]);
  });

  it('can be injected elsewhere: the options of the module', async () => {
    const given = { level: 'warn' } as const;
    const seen: unknown[] = [];
    const READER = Symbol('reader');
    const useFactory = (options: unknown): number => seen.push(options);
    @Module({ providers: [{ provide: READER, inject: [root.REDIS_LOG_OPTIONS], useFactory }] })
    class OtherModule {}
    const imports = [RedisLogModule.forRoot({ ...given, enabled: false }), OtherModule];
    const module = await Test.createTestingModule({ imports }).compile();
    expect(seen).toMatchObject([given]);
    await module.close();
  });

  it('can be replaced: the logger of a class, in a unit test', async () => {
    const { logger, logs } = createTestingLogger();
    const module = await Test.createTestingModule({
      providers: [OrdersService, { provide: getRedisLoggerToken(), useValue: logger }],
    }).compile();
    module.get(OrdersService).place();
    logs.withAttributes({ orderId: 7 }).exactly(1);
    expect(logs.first?.message).toBe('Order placed');
  });

  it('can be replaced: the logger of a class, and any class, in a whole application', async () => {
    const { logger, logs } = createTestingLogger();
    const stub = { query: () => [] };
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(getRedisLoggerToken())
      .useValue(logger)
      .overrideProvider(reader.LogReader)
      .useValue(stub)
      .compile();
    module.get(OrdersService).place();
    expect(logs.count).toBe(1);
    expect(module.get(reader.LogReader)).toBe(stub);
    expect(module.get(RedisLogger)).toBeInstanceOf(RedisLogger);
    await module.close();
  });
});
