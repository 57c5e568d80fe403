// Request logging of a server, on the one platform that is installed: one record for each request, whoever answers it.
import 'reflect-metadata';
import { Controller, Get, Logger, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import assert from 'node:assert/strict';
import stored from './stored.cjs';

const { connection, stream, expectStored } = stored;

class OrdersController {
  logger = new Logger(OrdersController.name);
  find(id) {
    this.logger.log(`Order ${id} found`);
    return { id };
  }
}
const find = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'find');
Get(':id')(OrdersController.prototype, 'find', find);
Param('id')(OrdersController.prototype, 'find', 0);
Controller('orders')(OrdersController);

// Not what Nest itself says at the start.
const levels = { HTTP: 'log', OrdersController: 'log' };

class AppModule {}
Module({
  imports: [RedisLogModule.forRoot({ connection, stream, level: 'warn', http: true, levels })],
  controllers: [OrdersController],
})(AppModule);

const app = await NestFactory.create(AppModule, await adapter(), { logger: false });
app.useLogger(app.get(RedisLogger));
app.use((request, response, next) => {
  if (!request.url.startsWith('/answered')) return next();
  response.statusCode = 202;
  response.end('by a middleware');
});
await app.listen(0, '127.0.0.1');
const ids = [];
const { port } = app.getHttpServer().address();
for (const path of ['orders/7', 'nowhere', 'answered', 'orders/%c0']) {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  await response.arrayBuffer();
  ids.push(response.headers.get('x-request-id'));
}
await app.close();

const records = await expectStored([
  'Order 7 found',
  'GET /orders/:id 200',
  'GET /nowhere 404',
  'GET /answered 202',
  'GET /orders/%c0 400',
]);
const [found, order, nowhere] = records;
assert.equal(order.attributes['http.request.method'], 'GET');
assert.equal(order.attributes['http.route'], '/orders/:id');
assert.equal(order.attributes['url.path'], '/orders/7');
assert.equal(order.attributes['http.response.status_code'], 200);
assert.equal(found.attributes['request.id'], order.attributes['request.id']);
assert.equal(nowhere.severityText, 'warn');
const idOf = ({ attributes }) => attributes['request.id'];
assert.deepEqual(records.slice(1, 3).map(idOf), ids.slice(0, 2));

async function adapter() {
  try {
    const { FastifyAdapter } = await import('@nestjs/platform-fastify');
    return new FastifyAdapter();
  } catch {
    const { ExpressAdapter } = await import('@nestjs/platform-express');
    return new ExpressAdapter();
  }
}
