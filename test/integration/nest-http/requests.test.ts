import 'reflect-metadata';
import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  Logger,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  NotFoundException,
  Options,
  Param,
  ParseIntPipe,
  Post,
  type INestApplication,
  type RawBodyRequest,
  UseGuards,
  VersioningType,
  Version,
} from '@nestjs/common';
import { RedisLogContext } from 'nestjs-redis-log';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { PLATFORMS, requestsOf, serve, titles } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

class Denied {
  canActivate(): boolean {
    throw new ForbiddenException();
  }
}

@Controller('orders')
class OrdersController {
  readonly #logger = new Logger(OrdersController.name);

  @Get(':id')
  async find(@Param('id', ParseIntPipe) id: number): Promise<object> {
    RedisLogContext.assign({ 'order.id': id });
    this.#logger.log('looking');
    await delay(1);
    if (id === 404) throw new NotFoundException('No such order');
    this.#logger.log('found', { 'order.id': 'own' });
    return { id };
  }

  @Post()
  async place(@Body() body: { readonly sku: string }): Promise<object> {
    this.#logger.log('placing', { sku: body.sku });
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#logger.log('placed');
    return body;
  }

  @Get('secret/area')
  @UseGuards(Denied)
  secret(): string {
    return 'never';
  }

  @Options('preflight')
  preflight(): string {
    return '';
  }

  @Version('2')
  @Get('versioned/thing')
  versioned(): string {
    return 'v2';
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    const logger = new Logger('Middleware');
    consumer
      .apply((_request: IncomingMessage, _response: ServerResponse, next: () => void) => {
        logger.log('passing');
        next();
      })
      .forRoutes(OrdersController);
    consumer
      .apply((_request: IncomingMessage, response: ServerResponse) => {
        response.statusCode = 401;
        response.end('no');
      })
      .forRoutes('closed/*path');
  }
}

describe.each(PLATFORMS)('A request on %s', (platform) => {
  const start = (configure?: (app: INestApplication) => void) =>
    serve({ redis, platform, module: { imports: [OrdersModule] }, ...(configure && { configure }) });

  it('makes one record, with the HTTP conventions of OpenTelemetry', async () => {
    const served = await start();
    await fetch(`${served.url}/orders/42?token=geheim`, { headers: { 'user-agent': 'test/1' } });
    const requests = requestsOf(await served.finish());
    expect(titles(requests)).toEqual(['log: GET /orders/:id 200']);
    const { duration_ms: duration, ...attributes } = requests[0]?.attributes ?? {};
    expect(attributes).toEqual({
      'request.id': expect.stringMatching(/^[\da-f-]{36}$/),
      'order.id': 42,
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'url.path': '/orders/42',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'user_agent.original': 'test/1',
      'http.response.status_code': 200,
      'http.response.body.size': 9,
    });
    expect(duration).toBeGreaterThanOrEqual(1);
    expect(duration).toBeLessThan(5_000);
  });

  it('has one id, on every record that is written for it, from middleware to the last', async () => {
    const served = await start();
    const responses = await Promise.all(
      [1, 2, 3].map((id) =>
        fetch(`${served.url}/orders/${id}`, { headers: { 'x-request-id': `req-${id}` } }),
      ),
    );
    expect(responses.map(({ headers }) => headers.get('x-request-id'))).toEqual(['req-1', 'req-2', 'req-3']);
    const records = await served.finish();
    for (const id of [1, 2, 3]) {
      const own = records.filter(({ attributes }) => attributes['request.id'] === `req-${id}`);
      expect(own.map(({ body, attributes }) => [body, attributes['order.id']])).toEqual([
        ['passing', undefined],
        ['looking', id],
        ['found', 'own'],
        ['GET /orders/:id 200', id],
      ]);
    }
  });

  it('keeps its context after its body was read', async () => {
    const served = await start();
    const response = await fetch(`${served.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'with-body' },
      body: JSON.stringify({ sku: 'a'.repeat(50_000) }),
    });
    expect(response.status).toBe(201);
    const own = (await served.finish()).filter(({ attributes }) => attributes['request.id'] === 'with-body');
    expect(own.map(({ body }) => body)).toEqual(['passing', 'placing', 'placed', 'POST /orders 201']);
  });

  it('is a warning from 400 on, whoever refused it', async () => {
    const served = await start();
    await fetch(`${served.url}/nowhere/at/all`);
    await fetch(`${served.url}/orders/404`);
    await fetch(`${served.url}/orders/no-number`);
    await fetch(`${served.url}/orders/secret/area`);
    await fetch(`${served.url}/closed/x`);
    const broken = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"sku":' };
    await fetch(`${served.url}/orders`, broken);
    const requests = requestsOf(await served.finish());
    expect(titles(requests)).toEqual([
      'warn: GET /nowhere/at/all 404',
      'warn: GET /orders/:id 404',
      'warn: GET /orders/:id 400',
      'warn: GET /orders/secret/area 403',
      'warn: GET /closed/x 401',
      'warn: POST /orders 400',
    ]);
    expect(requests[0]?.attributes).not.toHaveProperty('http.route');
    expect(requests.every(({ attributes }) => !('error.type' in attributes))).toBe(true);
  });

  it('is recorded with HEAD and OPTIONS too', async () => {
    const served = await start();
    await fetch(`${served.url}/orders/7`, { method: 'HEAD' });
    await fetch(`${served.url}/orders/preflight`, { method: 'OPTIONS' });
    const requests = requestsOf(await served.finish());
    expect(titles(requests)).toEqual(['log: HEAD /orders/:id 200', 'log: OPTIONS /orders/preflight 200']);
    expect(requests[0]?.attributes['http.response.body.size']).toBe(0);
  });

  it('has its whole route under a prefix and a version', async () => {
    const served = await start((app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    await fetch(`${served.url}/api/v1/orders/1`);
    await fetch(`${served.url}/api/v2/orders/versioned/thing`);
    await fetch(`${served.url}/api/nothing`);
    const requests = requestsOf(await served.finish());
    expect(titles(requests)).toEqual([
      'log: GET /api/v1/orders/:id 200',
      'log: GET /api/v2/orders/versioned/thing 200',
      'warn: GET /api/nothing 404',
    ]);
  });

  it('has its id also in middleware that the application itself uses', async () => {
    const logger = new Logger('Use');
    const served = await start((app) => {
      app.use((_request: RawBodyRequest<IncomingMessage>, _response: ServerResponse, next: () => void) => {
        logger.log('using');
        next();
      });
    });
    await fetch(`${served.url}/orders/1`, { headers: { 'x-request-id': 'used' } });
    const using = (await served.finish()).find(({ body }) => body === 'using');
    expect(using?.attributes).toEqual({ 'request.id': 'used' });
  });

  it('makes no record, and installs nothing, with the option off', async () => {
    const served = await serve({ redis, platform, module: { imports: [OrdersModule] }, log: {} });
    const response = await fetch(`${served.url}/orders/1`);
    expect(response.headers.get('x-request-id')).toBeNull();
    const records = await served.finish();
    expect(requestsOf(records)).toEqual([]);
    expect(records.filter(({ body }) => body === 'looking').map(({ attributes }) => attributes)).toEqual([
      {},
    ]);
  });
});
