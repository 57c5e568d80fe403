import 'reflect-metadata';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { RedisLogContext } from 'nestjs-redis-log';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { PLATFORMS, requestsOf, serve, titles } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

type Wrapped<T> = T & { readonly raw?: T; hijack?(): void };

@Controller()
class EdgesController {
  @Get('items/:id')
  item(@Param('id') id: string): string {
    RedisLogContext.assign({ 'item.id': id, 'url.scheme': 'of the context' });
    return id;
  }

  /** Answers without a length, and past the framework. */
  @Get('pieces')
  pieces(@Req() request: Wrapped<IncomingMessage>, @Res() response: Wrapped<ServerResponse>): void {
    response.hijack?.();
    const raw = response.raw ?? response;
    raw.write('a piece, ');
    raw.write((request.raw ?? request).url ?? '');
    raw.end('.');
  }
}

const module = { controllers: [EdgesController] };

/** Everything that a kept connection brings, until the text that ends an answer. */
async function ask(socket: Socket, received: Buffer[], path: string): Promise<number> {
  received.length = 0;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await until(() => Buffer.concat(received).toString().endsWith('0\r\n\r\n'));
  return Buffer.concat(received).length;
}

describe.each(PLATFORMS)('A request on %s', (platform) => {
  it('that is answered piece by piece has the bytes of its own answer, on a kept connection too', async () => {
    const served = await serve({ redis, platform, module });
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const received: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    const sizes = [await ask(socket, received, '/pieces?first'), await ask(socket, received, '/pieces?2')];
    socket.destroy();
    const requests = requestsOf(await served.finish());
    expect(requests.map(({ attributes }) => attributes['http.response.size'])).toEqual(sizes);
    expect(new Set(sizes).size).toBe(2);
  });

  it('has what its handler assigned, its own attributes winning', async () => {
    const served = await serve({ redis, platform, module });
    await fetch(`${served.url}/items/7`);
    const [request] = requestsOf(await served.finish());
    expect(request?.attributes).toMatchObject({ 'item.id': '7', 'url.scheme': 'http' });
  });

  it('is redacted by its attributes too, and keeps long texts as far as any record does', async () => {
    const log = { http: true, redact: ['client.address'] };
    const served = await serve({ redis, platform, module, log });
    const headers = { 'user-agent': 'x'.repeat(5_000) };
    await fetch(`${served.url}/items/redis:%2F%2Fme:hunter2@host`, { headers });
    await fetch(`${served.url}/redis://me:hunter2@host`);
    const records = await served.finish();
    const requests = requestsOf(records);
    expect(requests).toHaveLength(2);
    for (const { attributes } of requests) expect(attributes['client.address']).toBe('[Redacted]');
    expect(requests[0]?.attributes['user_agent.original']).toBe('x'.repeat(5_000));
    expect(titles(requests)[1]).toBe('warn: GET /redis://[Redacted]@host 404');
    expect(requests[1]?.attributes['url.path']).toBe('/redis://[Redacted]@host');
  });
});

describe('A request that the router of Fastify refuses', () => {
  it('makes one record as well, with an id and the address of the client', async () => {
    const served = await serve({ redis, platform: 'fastify', module });
    await fetch(`${served.url}/items/%c0`);
    await fetch(`${served.url}/items/${'7'.repeat(101)}`);
    await fetch(`${served.url}/items/7`);
    const requests = requestsOf(await served.finish());
    expect(titles(requests)).toEqual([
      'warn: GET /items/%c0 400',
      `warn: GET /items/${'7'.repeat(101)} 414`,
      'log: GET /items/:id 200',
    ]);
    for (const { attributes } of requests) {
      expect(attributes).toMatchObject({ 'client.address': '127.0.0.1', 'request.id': expect.any(String) });
    }
  });
});
