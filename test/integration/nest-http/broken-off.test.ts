import 'reflect-metadata';
import { Controller, Get, type MessageEvent, Post, Req, Res, Sse, StreamableFile } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { NEVER, Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { PLATFORMS, requestsOf, serve, type Served, titles, untilRequested } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  opened.length = 0;
});

interface Opened {
  readonly request: IncomingMessage;
  readonly response: ServerResponse & { stream?: { destroy(error?: Error): void } };
}

/** What handlers have in hand: request and response of Node. */
const opened: Opened[] = [];
let file = new PassThrough();

type Wrapped<T> = T & { readonly raw?: T };

@Controller()
class OpenController {
  @Get('hangs')
  hangs(
    @Req() request: Wrapped<IncomingMessage>,
    @Res({ passthrough: true }) response: Wrapped<ServerResponse>,
  ): Promise<never> {
    opened.push({ request: request.raw ?? request, response: response.raw ?? response });
    return new Promise(() => {});
  }

  @Get('file')
  file(
    @Req() request: Wrapped<IncomingMessage>,
    @Res({ passthrough: true }) response: Wrapped<ServerResponse>,
  ): StreamableFile {
    opened.push({ request: request.raw ?? request, response: response.raw ?? response });
    file = new PassThrough();
    file.write('first');
    return new StreamableFile(file);
  }

  @Post('upload')
  upload(): string {
    return 'never: the body does not end';
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return new Observable<MessageEvent>((subscriber) => {
      subscriber.next({ data: 'hello' });
      return NEVER.subscribe();
    });
  }
}

/** Looks like the abort of a client, and is not. */
function upstream(): Error {
  return Object.assign(new RangeError('ours'), { code: 'ECONNRESET', syscall: 'read' });
}

const module = { controllers: [OpenController] };

function opening(): Promise<Opened> {
  return until(() => opened[0], { what: 'the handler' });
}

/** The only request's record. */
async function recordOf(served: Served): Promise<LogRecord> {
  await untilRequested(redis);
  const requests = requestsOf(await served.finish());
  expect(requests).toHaveLength(1);
  return requests[0] as LogRecord;
}

describe.each(PLATFORMS)('A response that breaks off on our side on %s', (platform) => {
  /** Asks for a path; the connection may end in any way. */
  async function asked(path: string): Promise<{ served: Served; request: Opened; socket: Socket }> {
    const served = await serve({ redis, platform, module });
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(`GET /${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    return { served, request: await opening(), socket };
  }

  it('because its file cannot be read has failed, and the error of the file is in one record', async () => {
    const { served, socket } = await asked('file');
    await until(() => socket.bytesRead > 0);
    file.destroy(new RangeError('bad sector'));
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['error: GET /file failed']);
    expect(record.attributes).not.toHaveProperty('request.aborted');
    expect(record.attributes).toMatchObject({ 'error.type': 'RangeError', 'http.response.status_code': 200 });
    const stored = JSON.stringify(await redis.client().xrange('logs', '-', '+'));
    expect(stored.split('RangeError: bad sector').length - 1).toBe(1);
  });

  it.each<[string, (request: Opened, server: Server) => void]>([
    [
      'the server takes too long',
      ({ request }, server) => {
        server.setTimeout(1);
        // The server's own limit holds for connections that come later.
        request.socket.setTimeout(1);
      },
    ],
    ['all connections are closed', (_, server) => server.closeAllConnections()],
    ['the response is destroyed', ({ response }) => response.destroy()],
    ['the connection is destroyed', ({ request }) => request.socket.destroy()],
  ])('because %s has failed, without a status', async (_, breakOff) => {
    const { served, request } = await asked('hangs');
    breakOff(request, served.app.getHttpServer() as Server);
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['error: GET /hangs failed']);
    expect(record.attributes).toMatchObject({ 'error.type': '_OTHER', 'client.address': '127.0.0.1' });
    expect(record.attributes).not.toHaveProperty('request.aborted');
    expect(record.attributes).not.toHaveProperty('http.response.status_code');
  });

  it.each<[string, (request: Opened) => void]>([
    ['response', ({ response }) => response.destroy(upstream())],
    ['request', ({ request }) => request.destroy(upstream())],
  ])('with an error given to the %s has failed with that', async (_, breakOff) => {
    const { served, request } = await asked('hangs');
    request.request.on('error', () => {});
    breakOff(request);
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['error: GET /hangs failed']);
    expect(record.attributes).toMatchObject({ 'error.type': 'RangeError', 'exception.message': 'ours' });
  });

  it('is an abort where the client has ended or reset the connection first', async () => {
    for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
      await redis.client().flushall();
      opened.length = 0;
      const { served, socket } = await asked('hangs');
      socket[leave]();
      const record = await recordOf(served);
      expect(titles([record]), leave).toEqual(['warn: GET /hangs aborted']);
      expect(record.attributes).toMatchObject({ 'request.aborted': true, 'client.address': '127.0.0.1' });
    }
  });
});

describe.each(PLATFORMS)('A client that goes on %s', (platform) => {
  it('while it sends its body has had no answer, so that there is no status', async () => {
    const served = await serve({ redis, platform, module });
    const headers = { 'content-type': 'application/json', 'content-length': 1_000 };
    const request = send(`${served.url}/upload`, { method: 'POST', headers, agent: false });
    request.on('error', () => {});
    request.write('{"a":');
    const server = served.app.getHttpServer() as Server;
    await once(server, 'request');
    request.destroy();
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['warn: POST /upload aborted']);
    expect(record.attributes).toMatchObject({ 'request.aborted': true, 'client.address': '127.0.0.1' });
    expect(record.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('from a stream of events has had its address', async () => {
    const served = await serve({ redis, platform, module });
    const request = send(`${served.url}/events`, { agent: false }).on('error', () => {});
    const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
    await once(response, 'data');
    response.on('error', () => {});
    request.destroy();
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['log: GET /events 200']);
    expect(record.attributes['client.address']).toBe('127.0.0.1');
  });
});

describe.each(PLATFORMS)('Behind a proxy, a client that goes on %s', (platform) => {
  it('has the address that the proxy says', async () => {
    const served = await serve({
      redis,
      platform,
      module,
      ...(platform === 'fastify' && { adapter: new FastifyAdapter({ trustProxy: true }) }),
      configure: (app) => {
        if (platform === 'express') (app as NestExpressApplication).set('trust proxy', true);
      },
    });
    const headers = { 'x-forwarded-for': '192.0.2.7' };
    const request = send(`${served.url}/hangs`, { headers, agent: false }).on('error', () => {});
    request.end();
    await opening();
    request.destroy();
    const record = await recordOf(served);
    expect(titles([record])).toEqual(['warn: GET /hangs aborted']);
    expect(record.attributes['client.address']).toBe('192.0.2.7');
  });
});

describe('A request of HTTP/2', () => {
  let client: ClientHttp2Session;
  let stream: ClientHttp2Stream;

  async function asked(path: string, trustProxy = false): Promise<Served> {
    const adapter = new FastifyAdapter({ http2: true, trustProxy }) as unknown as FastifyAdapter;
    const served = await serve({ redis, platform: 'fastify', module, adapter });
    client = connectHttp2(served.url).on('error', () => {});
    stream = client.request({ ':path': path, 'x-forwarded-for': '192.0.2.7' }).on('error', () => {});
    await opening();
    return served;
  }

  it.each<[string, () => void]>([
    ['is reset by its client', () => stream.close(8)],
    ['ends with its connection', () => client.destroy()],
  ])('that %s before there is an answer is aborted', async (_, leave) => {
    const served = await asked('/hangs');
    leave();
    const record = await recordOf(served);
    client.destroy();
    expect(titles([record])).toEqual(['warn: GET /hangs aborted']);
    expect(record.attributes).toMatchObject({
      'request.aborted': true,
      'client.address': '127.0.0.1',
      'url.scheme': 'http',
    });
    expect(record.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('that is reset in the middle of the answer is aborted with its status', async () => {
    const served = await asked('/file');
    await once(stream, 'data');
    stream.close(8);
    const record = await recordOf(served);
    client.destroy();
    expect(titles([record])).toEqual(['warn: GET /file aborted']);
    expect(record.attributes['http.response.status_code']).toBe(200);
  });

  it('that breaks off on our side has failed, with the error of its stream', async () => {
    const served = await asked('/hangs');
    opened[0]?.response.stream?.destroy(new RangeError('ours'));
    const record = await recordOf(served);
    client.destroy();
    expect(titles([record])).toEqual(['error: GET /hangs failed']);
    expect(record.attributes).toMatchObject({ 'error.type': 'RangeError', 'exception.message': 'ours' });
  });

  it('whose file cannot be read has failed, with the error of the file', async () => {
    const served = await asked('/file');
    await once(stream, 'data');
    file.destroy(new RangeError('bad sector'));
    const record = await recordOf(served);
    client.destroy();
    expect(titles([record])).toEqual(['error: GET /file failed']);
    expect(record.attributes).toMatchObject({ 'exception.message': 'bad sector' });
  });

  it('that is served in full has its status, and the address of the client behind a proxy', async () => {
    const served = await asked('/file', true);
    file.end('last');
    await once(stream.resume(), 'end');
    const record = await recordOf(served);
    client.destroy();
    expect(titles([record])).toEqual(['log: GET /file 200']);
    expect(record.attributes['client.address']).toBe('192.0.2.7');
  });
});
