// A Nest application as CommonJS: its log lines, those of its shutdown hook too, are in the stream.
require('reflect-metadata');
const { Logger, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { RedisLogger, RedisLogModule } = require('nestjs-redis-log');
const assert = require('node:assert/strict');
const { connection, stream, expectStored } = require('./stored.cjs');

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
  imports: [RedisLogModule.forRoot({ connection, stream, console: false, service: { name: 'matrix' } })],
  providers: [OrdersService],
})(AppModule);

void (async () => {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  app.useLogger(app.get(RedisLogger));
  app.get(OrdersService).place();
  await app.close();
  const [order, error] = await expectStored(['Order placed', 'No stock', 'Last words']);
  assert.equal(order.instrumentationScope.name, 'OrdersService');
  assert.equal(error.attributes['exception.type'], 'TypeError');
})();
