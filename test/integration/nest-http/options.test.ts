import 'reflect-metadata';
import { Controller, Get, Logger, Query } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { RedisLogModule, SkipRequestLog, type HttpLogOptions } from 'nestjs-redis-log';
import { provideRedisLogTesting } from 'nestjs-redis-log/testing';
import { Agent, createServer, request as send } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { saidDuring } from '../nest/support.js';
import { PLATFORMS, requestsOf, serve, titles } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

@Controller()
class PagesController {
  readonly #logger = new Logger(PagesController.name);

  @Get('health')
  health(): string {
    this.#logger.log('healthy');
    return 'ok';
  }

  @Get('health/deep/check')
  deep(): string {
    return 'ok';
  }

  @Get('page')
  page(@Query('q') text = ''): string {
    return text;
  }

  @Get('quiet')
  @SkipRequestLog()
  quiet(): string {
    this.#logger.log('still said');
    return 'ok';
  }
}

@Controller('internal')
@SkipRequestLog()
class InternalController {
  @Get('a')
  a(): string {
    return 'a';
  }
}

const module = { controllers: [PagesController, InternalController] };

describe.each(PLATFORMS)('Request logging on %s', (platform) => {
  async function recordsOf(http: HttpLogOptions | boolean, ...paths: string[]): Promise<LogRecord[]> {
    const served = await serve({ redis, platform, module, log: { http, redact: ['pin'] } });
    for (const path of paths) await fetch(`${served.url}/${path}`);
    return served.finish();
  }

  it('leaves out what it is told to: paths, patterns, expressions and a predicate', async () => {
    const paths = ['health?x=1', 'health/deep/check', 'page', 'page?q=bot', 'nope/a', 'nope/a/b', 'nope'];
    const told = async (http: HttpLogOptions): Promise<unknown[]> => {
      await redis.client().flushall();
      const records = requestsOf(await recordsOf(http, ...paths));
      return records.map(({ attributes }) => attributes['url.path']);
    };
    expect(await told({ ignore: ['/health', '/nope/*'] })).toEqual([
      '/health/deep/check',
      '/page',
      '/page',
      '/nope/a/b',
      '/nope',
    ]);
    expect(await told({ ignore: ['/health**', /nope/g] })).toEqual(['/page', '/page']);
    expect(
      await told({ ignore: ['/health**', '/nope**'], ignoreIf: ({ url }) => url.includes('bot') }),
    ).toEqual(['/page']);
  });

  it('leaves out handlers and controllers with the decorator, and keeps what they log', async () => {
    const records = await recordsOf(true, 'quiet', 'internal/a', 'page');
    expect(titles(requestsOf(records))).toEqual(['log: GET /page 200']);
    expect(records.find(({ body }) => body === 'still said')?.attributes).toHaveProperty('request.id');
  });

  it('takes level, attributes and ids from functions, and survives what they throw', async () => {
    const http: HttpLogOptions = {
      level: (status, { url }) => (url === '/page' ? 'debug' : status === 404 ? 'log' : undefined),
      attributes: ({ headers }, status) => ({ 'app.agent': headers['user-agent']?.length, pin: status }),
      requestId: { header: 'X-Trace', generate: () => 'made-here' },
    };
    const served = await serve({ redis, platform, module, log: { http } });
    const response = await fetch(`${served.url}/nope`, { headers: { 'x-trace': 'not one\tword' } });
    await fetch(`${served.url}/page`);
    expect(response.headers.get('x-trace')).toBe('made-here');
    const given = await fetch(`${served.url}/page`, { headers: { 'x-trace': 'given' } });
    expect(given.headers.get('x-trace')).toBe('given');
    const [request, ...others] = requestsOf(await served.finish());
    expect(others).toEqual([]);
    expect(titles([request as LogRecord])).toEqual(['log: GET /nope 404']);
    expect(request?.attributes).toMatchObject({ 'app.agent': 4, pin: 404, 'request.id': 'made-here' });

    await redis.client().flushall();
    const fail = (): never => {
      throw new Error('geheim');
    };
    let records: LogRecord[] = [];
    const said = await saidDuring(async () => {
      const options = { level: fail, attributes: fail, ignoreIf: fail, requestId: { generate: fail } };
      records = await recordsOf(options, 'page');
    });
    expect(titles(requestsOf(records))).toEqual(['log: GET /page 200']);
    expect(records.at(-1)?.attributes['request.id']).toMatch(/^[\da-f-]{36}$/);
    expect(said.filter((line) => line.startsWith('Request logging:'))).toHaveLength(4);
    expect(said.join()).not.toContain('geheim');
  });

  it('takes the default for a level that is none, and says so once', async () => {
    const level = (() => 'info') as unknown as HttpLogOptions['level'] & {};
    let records: LogRecord[] = [];
    const said = await saidDuring(async () => {
      records = await recordsOf({ level }, 'page', 'nope');
    });
    expect(titles(requestsOf(records))).toEqual(['log: GET /page 200', 'warn: GET /nope 404']);
    const told = said.filter((line) => line.startsWith('Request logging:'));
    expect(told).toEqual([expect.stringContaining('level returned what is no level')]);
    expect(told[0]).toContain('verbose, debug, log, warn, error, fatal');
  });

  it('writes the query only if asked, and without secrets', async () => {
    const path = 'page?q=a%20b&token=geheim&user[password]=geheim&pin=geheim&flag';
    const [plain] = requestsOf(await recordsOf(true, path));
    expect(JSON.stringify(plain)).not.toContain('geheim');
    expect(plain?.attributes).not.toHaveProperty('url.query');
    await redis.client().flushall();
    const [full] = requestsOf(await recordsOf({ query: true }, path));
    expect(full?.attributes['url.query']).toBe(
      'q=a%20b&token=[Redacted]&user[password]=[Redacted]&pin=[Redacted]&flag',
    );
  });

  it('sends and reads no id if told so', async () => {
    const served = await serve({ redis, platform, module, log: { http: { requestId: false } } });
    const response = await fetch(`${served.url}/health`, { headers: { 'x-request-id': 'mine' } });
    expect(response.headers.get('x-request-id')).toBeNull();
    const records = await served.finish();
    expect(records.find(({ body }) => body === 'healthy')?.attributes).toEqual({});
  });

  it('follows the level of the context HTTP', async () => {
    const served = await serve({ redis, platform, module, log: { http: true, levels: { HTTP: 'warn' } } });
    await fetch(`${served.url}/page`);
    await fetch(`${served.url}/nope`);
    expect(titles(requestsOf(await served.finish()))).toEqual(['warn: GET /nope 404']);
  });

  it('has the address of the client behind a proxy that the application trusts', async () => {
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter({ trustProxy: true });
    if (adapter instanceof ExpressAdapter) adapter.set('trust proxy', true);
    const served = await serve({ redis, platform, module, adapter });
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
    await fetch(`${served.url}/page`, { headers });
    const [request] = requestsOf(await served.finish());
    expect(request?.attributes).toMatchObject({ 'client.address': '203.0.113.9', 'url.scheme': 'https' });
  });

  it('counts every request of a connection that is kept', async () => {
    const served = await serve({ redis, platform, module });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 20; n++) {
      const sent = send(`${served.url}/page?q=${n}`, { agent });
      sent.end();
      const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
      await once(response.resume(), 'end');
    }
    agent.destroy();
    const requests = requestsOf(await served.finish());
    expect(requests).toHaveLength(20);
    expect(new Set(requests.map(({ attributes }) => attributes['request.id'])).size).toBe(20);
  });

  it('is collected in tests, where the server comes after the module', async () => {
    const builder = Test.createTestingModule({
      ...module,
      imports: [RedisLogModule.forRoot({ http: true })],
    });
    const logs = provideRedisLogTesting(builder);
    const testing = await builder.compile();
    const app = testing.createNestApplication(
      platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
    );
    await app.listen(0, '127.0.0.1');
    await fetch(`${await app.getUrl()}/page`);
    await app.close();
    expect(logs.inContext('HTTP').messages).toEqual(['GET /page 200']);
  });
});

describe('The record of a request', () => {
  const spanContext = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
  };
  beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  it.each(PLATFORMS)('belongs to the span that the server works in, on %s', async (platform) => {
    const served = await serve({ redis, platform, module });
    // As an instrumentation of node:http does it.
    const [listener] = served.app.getHttpServer().listeners('request') as ((...args: unknown[]) => void)[];
    const inSpan = createServer((...args) =>
      context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () => listener?.(...args)),
    );
    await once(inSpan.listen(0, '127.0.0.1'), 'listening');
    const { port } = inSpan.address() as { port: number };
    await fetch(`http://127.0.0.1:${port}/page`);
    inSpan.closeAllConnections();
    inSpan.close();
    const [request] = requestsOf(await served.finish());
    expect(request?.spanContext).toMatchObject(spanContext);
  });
});

describe('Fastify', () => {
  it('logs requests that are injected, and those of HTTP/2', async () => {
    const adapter = new FastifyAdapter({ http2: true });
    const served = await serve({ redis, platform: 'fastify', module, adapter: adapter as FastifyAdapter });
    const client = connectHttp2(served.url);
    const stream = client.request({ ':path': '/page?q=two', 'x-request-id': 'h2' });
    await once(stream.resume(), 'end');
    client.close();
    await (served.app as NestFastifyApplication).inject({ method: 'GET', url: '/quiet' });
    await (served.app as NestFastifyApplication).inject({
      method: 'GET',
      url: '/page',
      headers: { 'x-request-id': 'injected' },
    });
    const requests = requestsOf(await served.finish());
    expect(requests.map(({ body, attributes }) => [body, attributes['request.id']])).toEqual([
      ['GET /page 200', 'h2'],
      ['GET /page 200', 'injected'],
    ]);
  });

  it('logs them also where somebody takes the one hook that Nest has, or had it before', async () => {
    const calls: string[] = [];
    const adapter = new FastifyAdapter();
    const other = (name: string) => (_request: unknown, _reply: unknown, done: () => void) => {
      calls.push(name);
      done();
    };
    adapter.setOnRequestHook(other('before'));
    const served = await serve({ redis, platform: 'fastify', module, adapter });
    await fetch(`${served.url}/page`);
    adapter.setOnRequestHook(other('after'));
    await fetch(`${served.url}/page`);
    expect(titles(requestsOf(await served.finish()))).toEqual(['log: GET /page 200', 'log: GET /page 200']);
    expect(calls).toEqual(['before', 'after']);
  });
});
