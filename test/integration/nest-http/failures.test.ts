import 'reflect-metadata';
import {
  type ArgumentsHost,
  BadGatewayException,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Logger,
  type MessageEvent,
  Res,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { RedisLogInterceptor } from 'nestjs-redis-log';
import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough, type Writable } from 'node:stream';
import { NEVER, Observable } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import {
  open,
  type Platform,
  PLATFORMS,
  requestsOf,
  serve,
  type Served,
  titles,
  untilRequested,
} from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

@Catch()
class SilentFilter implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    const response = host
      .switchToHttp()
      .getResponse<{ status(code: number): { send(body: string): void } }>();
    response.status(503).send('later');
  }
}

class BrokenGuard {
  canActivate(): boolean {
    throw new RangeError('guard broke');
  }
}

class Streams {
  opened = 0;
  last: PassThrough | undefined;
}
const streams = new Streams();

interface Sending extends Writable {
  readonly raw?: Writable;
}

@Controller()
class FailingController {
  readonly #logger = new Logger(FailingController.name);

  @Get('unknown')
  unknown(): never {
    throw new TypeError('surprise');
  }

  @Get('gateway')
  gateway(): never {
    throw new BadGatewayException('upstream is away');
  }

  @Get('filtered')
  @UseFilters(SilentFilter)
  @UseInterceptors(RedisLogInterceptor)
  filtered(): never {
    throw new TypeError('kept from you');
  }

  @Get('logged')
  logged(): never {
    const error = new HttpException('told already', 500);
    this.#logger.error('It failed', error);
    throw error;
  }

  @Get('guarded')
  @UseGuards(BrokenGuard)
  guarded(): string {
    return 'never';
  }

  @Get('thrown-text')
  thrownText(): never {
    throw 'a text' as unknown as Error;
  }

  @Get('hangs')
  hangs(): Promise<never> {
    streams.opened++;
    return new Promise(() => {});
  }

  @Get('half')
  half(@Res() response: Sending): void {
    const stream = new PassThrough();
    stream.pipe(response.raw ?? response);
    stream.write('x'.repeat(1_000));
  }

  @Get('file')
  file(): StreamableFile {
    const stream = new PassThrough();
    stream.write('first');
    streams.last = stream;
    return new StreamableFile(stream);
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    streams.opened++;
    return new Observable<MessageEvent>((subscriber) => {
      subscriber.next({ data: 'hello' });
      return NEVER.subscribe();
    });
  }
}

function stacksOf(records: readonly LogRecord[]): unknown[] {
  return records.map(({ attributes }) => attributes['exception.stacktrace']).filter(Boolean);
}

describe.each(PLATFORMS)('A request that fails on %s', (platform) => {
  const start = () => serve({ redis, platform, module: { controllers: [FailingController] } });

  async function after(path: string): Promise<LogRecord[]> {
    const served = await start();
    await fetch(`${served.url}/${path}`);
    return served.finish();
  }

  it('for an unknown reason leaves the stack to the record of the exception handler, which has its id', async () => {
    const records = await after('unknown');
    const [request] = requestsOf(records);
    expect(titles(requestsOf(records))).toEqual(['error: GET /unknown 500']);
    expect(request?.attributes).toMatchObject({
      'error.type': 'TypeError',
      'http.response.status_code': 500,
    });
    expect(request?.attributes).not.toHaveProperty('exception.message');
    const handler = records.find(
      ({ instrumentationScope }) => instrumentationScope.name === 'ExceptionsHandler',
    );
    expect(handler?.attributes).toMatchObject({
      'exception.message': 'surprise',
      'request.id': request?.attributes['request.id'],
    });
    expect(stacksOf(records)).toHaveLength(1);
  });

  it.each([
    { path: 'gateway', status: 502, type: 'BadGatewayException', message: 'upstream is away' },
    { path: 'filtered', status: 503, type: 'TypeError', message: 'kept from you' },
  ])(
    'without anybody logging it has the stack on its own record: $path',
    async ({ path, status, type, message }) => {
      const records = await after(path);
      expect(titles(requestsOf(records))).toEqual([`error: GET /${path} ${status}`]);
      expect(requestsOf(records)[0]?.attributes).toMatchObject({
        'error.type': type,
        'exception.type': type,
        'exception.message': message,
      });
      expect(stacksOf(records)).toHaveLength(1);
    },
  );

  it('and was logged by its own code has the stack there only', async () => {
    const records = await after('logged');
    expect(stacksOf(records)).toHaveLength(1);
    expect(records.find(({ body }) => body === 'It failed')?.attributes).toHaveProperty(
      'exception.stacktrace',
    );
    expect(requestsOf(records)[0]?.attributes['error.type']).toBe('HttpException');
  });

  it('in a guard, or with something that is no error, is told of once', async () => {
    const guarded = await after('guarded');
    expect(titles(requestsOf(guarded))).toEqual(['error: GET /guarded 500']);
    expect(requestsOf(guarded)[0]?.attributes['error.type']).toBe('RangeError');
    expect(stacksOf(guarded)).toHaveLength(1);
    await redis.client().flushall();
    const text = await after('thrown-text');
    expect(titles(requestsOf(text))).toEqual(['error: GET /thrown-text 500']);
    expect(requestsOf(text)[0]?.attributes['error.type']).toBe('string');
  });
});

describe.each(PLATFORMS)('A request whose client goes on %s', (platform) => {
  const start = async (): Promise<Served> => {
    streams.opened = 0;
    streams.last = undefined;
    return serve({ redis, platform, module: { controllers: [FailingController] } });
  };

  const recorded = () => untilRequested(redis);

  it('before there is an answer is aborted, and has no status', async () => {
    const served = await start();
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    socket.write('GET /hangs HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => streams.opened === 1);
    socket.destroy();
    await recorded();
    const [request] = requestsOf(await served.finish());
    expect(titles([request as LogRecord])).toEqual(['warn: GET /hangs aborted']);
    expect(request?.attributes).toMatchObject({ 'request.aborted': true, 'http.route': '/hangs' });
    expect(request?.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('in the middle of the answer is aborted, with the status and the bytes that were sent', async () => {
    const served = await start();
    const { request: sent, response } = await open(`${served.url}/half`);
    await once(response, 'data');
    sent.on('error', () => {});
    response.on('error', () => {});
    sent.destroy();
    await recorded();
    const [request] = requestsOf(await served.finish());
    expect(titles([request as LogRecord])).toEqual(['warn: GET /half aborted']);
    expect(request?.attributes).toMatchObject({ 'request.aborted': true, 'http.response.status_code': 200 });
    expect(request?.attributes['http.response.size']).toBeGreaterThan(1_000);
    expect(request?.attributes['http.response.size']).toBeLessThan(2_000);
  });

  it('from a stream of events has been served in full: such a stream has no other end', async () => {
    const served = await start();
    const { request: sent, response } = await open(`${served.url}/events`);
    await once(response, 'data');
    sent.on('error', () => {});
    response.on('error', () => {});
    sent.destroy();
    await recorded();
    expect(titles(requestsOf(await served.finish()))).toEqual(['log: GET /events 200']);
  });
});

describe.each(PLATFORMS)('A stream on %s', (platform: Platform) => {
  const start = () => serve({ redis, platform, module: { controllers: [FailingController] } });

  it('is over when its last byte is sent, and has the bytes of the connection', async () => {
    const served = await start();
    const { response } = await open(`${served.url}/file`);
    await once(response, 'data');
    streams.last?.end('last');
    await once(response.resume(), 'end');
    const [request] = requestsOf(await served.finish());
    expect(titles([request as LogRecord])).toEqual(['log: GET /file 200']);
    expect(request?.attributes['http.response.size']).toBeGreaterThan(9);
  });
});
