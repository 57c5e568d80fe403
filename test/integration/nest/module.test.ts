import 'reflect-metadata';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectRedisLogger, RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { decodeLogRecord } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

@Injectable()
class OrdersService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(OrdersService.name);
  @InjectRedisLogger() private readonly own!: RedisLogger;
  onModuleInit(): void {
    this.logger.log('init');
  }
  place(): void {
    this.logger.log('Order placed', { orderId: 7, total: 9.5 });
    this.own.warn('own logger');
    this.logger.error(Object.assign(new TypeError('bad', { cause: new Error('why') }), { code: 'E_BAD' }));
  }
  onApplicationShutdown(): void {
    this.logger.log('last words');
  }
}

@Controller()
class OrdersController {
  @Inject(OrdersService) private readonly orders!: OrdersService;

  @Get()
  get(): string {
    this.orders.place();
    return 'ok';
  }
}

describe('A Nest application with RedisLogModule', () => {
  it('has what it logs, from boot to the last shutdown hook, in the stream', async () => {
    @Module({
      imports: [RedisLogModule.forRoot({ connection: redis.url, service: { name: 'shop' }, console: false })],
      controllers: [OrdersController],
      providers: [OrdersService],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, { logger: RedisLogger.early() });
    app.useLogger(app.get(RedisLogger));
    await app.listen(0, '127.0.0.1');
    await fetch(await app.getUrl());
    const logger = app.get(RedisLogger);
    await app.close();
    const stats = logger.stats();
    const entries = await redis.client().xrange('logs:shop', '-', '+');
    const records = entries.map(([, fields]) => decodeLogRecord(fields));
    const summary = records.map((result) =>
      result.status === 'ok'
        ? `${result.record.instrumentationScope.name}: ${String(result.record.body)}`
        : result.reason,
    );
    expect(summary).toContain('OrdersService: Order placed');
    expect(summary).toContain('OrdersService: own logger');
    expect(summary.at(-1)).toBe('OrdersService: last words');
    expect(summary.find((line) => line.startsWith('NestFactory'))).toBeDefined();
    expect(stats.delivered).toBe(entries.length);
    expect(stats.emitted).toBe(entries.length);
  });
});
