// The same application as an ES module, with the early logger.
import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import assert from 'node:assert/strict';
import stored from './stored.cjs';

const { connection, stream, expectStored } = stored;

class OrdersService {
  logger = new Logger(OrdersService.name);
  place() {
    this.logger.log('Order placed');
    this.logger.error(new TypeError('No stock'));
  }
  onApplicationShutdown() {
    this.logger.warn('Last words');
  }
}

class AppModule {}
Module({
  imports: [RedisLogModule.forRoot({ connection, stream, level: 'warn', levels: { OrdersService: 'log' } })],
  providers: [OrdersService],
})(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: RedisLogger.early() });
app.useLogger(app.get(RedisLogger));
app.get(OrdersService).place();
await app.close();
const [order, error] = await expectStored(['Order placed', 'No stock', 'Last words']);
assert.equal(order.instrumentationScope.name, 'OrdersService');
assert.equal(error.attributes['exception.type'], 'TypeError');
