import 'reflect-metadata';
import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogContext, RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inSpan, SPAN, useActiveSpans } from '../../support/active-span.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const redis = useRedisServer();
const printed: string[] = [];
useActiveSpans();
let app: INestApplication | undefined;

afterEach(async () => {
  vi.restoreAllMocks();
  await app?.close();
  app = undefined;
});

@Controller()
class OrdersController {
  readonly #logger = new Logger('Orders');

  @Get('orders')
  orders(): string {
    RedisLogContext.assign({ tenant: 't1', token: 'S3CR3T' });
    this.#logger.log('listed', { count: 2 });
    return 'ok';
  }
}

async function start(options: RedisLogModuleOptions): Promise<INestApplication> {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', http: true, ...options };
  Module({ imports: [RedisLogModule.forRoot(settings)], controllers: [OrdersController] })(AppModule);
  app = await NestFactory.create(AppModule, { logger: RedisLogger.early(), abortOnError: false });
  app.useLogger(app.get(RedisLogger));
  await app.listen(0, '127.0.0.1');
  printed.length = 0;
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  }
  return app;
}

const lines = (): Record<string, unknown>[] =>
  printed.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('A line of JSON on the console', () => {
  it('has the attributes of its request, as its record has them', async () => {
    const started = await start({ console: 'json' });
    const headers = { 'x-request-id': 'r-7' };
    await (await fetch(`${await started.getUrl()}/orders`, { headers })).text();
    await vi.waitFor(() => expect(printed).toHaveLength(2));
    const [own, request] = lines();
    expect(own).toMatchObject({
      message: 'listed',
      context: 'Orders',
      params: { 'request.id': 'r-7', tenant: 't1', token: '[Redacted]', count: 2 },
    });
    expect(request).toMatchObject({
      message: 'GET /orders 200',
      context: 'HTTP',
      params: { 'request.id': 'r-7', tenant: 't1', 'http.response.status_code': 200 },
    });
  });

  it('has the ids of the span, and nothing but what Nest prints outside of one', async () => {
    const logger = (await start({ console: 'json' })).get(RedisLogger);
    inSpan(() => logger.log('inside', 'Ctx'));
    logger.log('outside', 'Ctx');
    const [inside, outside] = lines();
    expect(inside).toMatchObject({ message: 'inside', trace_id: SPAN.traceId, span_id: SPAN.spanId });
    expect(Object.keys(outside ?? {})).toEqual(['level', 'pid', 'timestamp', 'message', 'context']);
  });

  it('is two, for a message and an object, with structuredParams: false', async () => {
    const logger = (await start({ console: 'json', structuredParams: false })).get(RedisLogger);
    logger.log('m', { orderId: 7 }, 'Ctx');
    expect(lines()).toMatchObject([{ message: 'm' }, { message: { orderId: 7 } }]);
  });
});

describe('A line in colours', () => {
  it('looks as that of Nest, without the context', async () => {
    const logger = (await start({ console: 'pretty' })).get(RedisLogger);
    RedisLogContext.run({ tenant: 't1' }, () => logger.log('m', { orderId: 7 }, 'Ctx'));
    expect(printed.join('')).toMatch(/m.* \{ orderId: .*7.* \}\n$/);
    expect(printed.join('')).not.toContain('tenant');
  });
});
