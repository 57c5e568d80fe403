import 'reflect-metadata';
import {
  Controller,
  ForbiddenException,
  Inject,
  Injectable,
  Logger,
  Module,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import {
  LogTask,
  RedisLogContext,
  RedisLogger,
  RedisLogInterceptor,
  RedisLogModule,
  RedisLogTasks,
} from 'nestjs-redis-log';
import { setTimeout as delay } from 'node:timers/promises';
import { lastValueFrom, Observable, of } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { storedRecords } from '../nest/support.js';
import { serve, titles } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

const logging = () => RedisLogModule.forRoot({ connection: redis.url, stream: 'logs', console: false });

function inContext(records: readonly LogRecord[], name: string): LogRecord[] {
  return records.filter(({ instrumentationScope }) => instrumentationScope.name === name);
}

function stacks(records: readonly LogRecord[]): number {
  return records.filter(({ attributes }) => 'exception.stacktrace' in attributes).length;
}

@Controller()
class OrdersHandler {
  readonly #logger = new Logger('Orders');

  @MessagePattern('order.place')
  async place(@Payload() sku: string): Promise<string> {
    RedisLogContext.assign({ sku });
    await delay(1);
    this.#logger.log('placing');
    return `placed ${sku}`;
  }

  @MessagePattern({ cmd: 'sum' })
  sum(): Observable<number> {
    return of(1, 2, 3);
  }

  @MessagePattern('order.refuse')
  refuse(): never {
    throw new RpcException('not today');
  }

  @MessagePattern('order.break')
  break(): never {
    throw new TypeError('broken');
  }

  @EventPattern('order.shipped')
  shipped(@Payload() _order: object): void {
    this.#logger.log('shipped');
  }
}

describe.each(['tcp', 'redis'] as const)('The interceptor in a microservice over %s', (kind) => {
  async function exchanged(work: (client: ClientProxy) => Promise<void>): Promise<LogRecord[]> {
    class AppModule {}
    Module({ imports: [logging()], controllers: [OrdersHandler] })(AppModule);
    const { hostname, port: redisPort } = new URL(redis.url);
    const port = await freePort();
    const options =
      kind === 'tcp'
        ? ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } } as const)
        : ({ transport: Transport.REDIS, options: { host: hostname, port: Number(redisPort) } } as const);
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
      ...options,
      logger: false,
    });
    app.useLogger(app.get(RedisLogger));
    app.useGlobalInterceptors(app.get(RedisLogInterceptor));
    await app.listen();
    const client: ClientProxy = ClientProxyFactory.create(options);
    try {
      await work(client);
    } finally {
      await client.close();
      await app.close();
    }
    return storedRecords(redis, 'logs');
  }

  it('makes one record for every message, and a context for what is logged below', async () => {
    const records = await exchanged(async (client) => {
      expect(await lastValueFrom(client.send('order.place', 'A-1'))).toBe('placed A-1');
      expect(await lastValueFrom(client.send({ cmd: 'sum' }, 1))).toBe(3);
      await lastValueFrom(client.emit('order.shipped', {}), { defaultValue: undefined });
      await until(async () =>
        JSON.stringify(await redis.client().xrange('logs', '-', '+')).includes('order.shipped'),
      );
    });
    const messages = inContext(records, 'RPC');
    expect(titles(messages)).toEqual([
      'log: order.place done',
      'log: {"cmd":"sum"} done',
      'log: order.shipped done',
    ]);
    const convention =
      kind === 'tcp'
        ? { 'rpc.system.name': 'tcp', 'rpc.method': 'order.place' }
        : {
            'messaging.system': 'redis',
            'messaging.operation.type': 'process',
            'messaging.destination.name': 'order.place',
          };
    expect(messages[0]?.attributes).toEqual({
      ...convention,
      'request.id': expect.stringMatching(/^[\da-f-]{36}$/),
      sku: 'A-1',
      'code.function.name': 'OrdersHandler.place',
      duration_ms: expect.any(Number),
    });
    const placing = records.find(({ body }) => body === 'placing');
    expect(placing?.attributes).toEqual({ 'request.id': messages[0]?.attributes['request.id'], sku: 'A-1' });
  });

  it('tells of an error once: a warning where it was meant for the caller, else an error', async () => {
    const records = await exchanged(async (client) => {
      await expect(lastValueFrom(client.send('order.refuse', {}))).rejects.toBeDefined();
      await expect(lastValueFrom(client.send('order.break', {}))).rejects.toBeDefined();
    });
    const messages = inContext(records, 'RPC');
    expect(titles(messages)).toEqual(['warn: order.refuse failed', 'error: order.break failed']);
    expect(messages[0]?.attributes).toMatchObject({
      'error.type': 'RpcException',
      'exception.message': 'not today',
    });
    expect(messages[1]?.attributes).toMatchObject({ 'error.type': 'TypeError' });
    expect(records.filter(({ attributes }) => attributes['exception.message'] === 'broken')).toHaveLength(1);
    expect(stacks(records)).toBe(2);
  });
});

@WebSocketGateway()
@UseInterceptors(RedisLogInterceptor)
class ChatGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string): { event: string; data: string } {
    if (text === '') throw new WsException('say something');
    new Logger('Chat').log('said');
    return { event: 'said', data: text };
  }
}

describe('The interceptor on a gateway', () => {
  it('makes one record for every message', async () => {
    const served = await serve({
      redis,
      platform: 'express',
      module: { providers: [ChatGateway] },
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
    });
    const socket = new WebSocket(served.url.replace('http', 'ws'));
    const answers: string[] = [];
    socket.addEventListener('message', ({ data }) => answers.push(String(data)));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    socket.send(JSON.stringify({ event: 'say', data: 'hi' }));
    socket.send(JSON.stringify({ event: 'say', data: '' }));
    await until(() => answers.length === 2);
    socket.close();
    const records = await served.finish();
    const messages = inContext(records, 'WS');
    expect(titles(messages)).toEqual(['log: say done', 'warn: say failed']);
    expect(messages[0]?.attributes).toMatchObject({
      'websocket.event': 'say',
      'code.function.name': 'ChatGateway.say',
    });
    expect(records.find(({ body }) => body === 'said')?.attributes).toHaveProperty('request.id');
  });
});

@Injectable()
class Reports {
  readonly #logger = new Logger(Reports.name);
  @Inject(RedisLogTasks) readonly tasks!: RedisLogTasks;

  @LogTask()
  @Cron('0 0 1 1 *', { name: 'inner' })
  async yearly(): Promise<string> {
    RedisLogContext.assign({ year: 2026 });
    await delay(1);
    this.#logger.log('counting');
    return 'counted';
  }

  @Cron('0 0 1 1 *', { name: 'outer' })
  @LogTask('yearly failure')
  fails(): never {
    throw new RangeError('no numbers');
  }

  @LogTask()
  refused(): never {
    throw new ForbiddenException();
  }
}

describe('A task', () => {
  async function done(
    work: (reports: Reports, registry: SchedulerRegistry) => unknown,
  ): Promise<LogRecord[]> {
    class AppModule {}
    Module({ imports: [logging(), ScheduleModule.forRoot()], providers: [Reports] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    app.useLogger(app.get(RedisLogger));
    await work(app.get(Reports), app.get(SchedulerRegistry));
    await app.close();
    return storedRecords(redis, 'logs');
  }

  it('of a cron job makes one record, and a context, whichever decorator is the outer one', async () => {
    const records = await done(async (_, registry) => {
      for (const [name, text] of [
        ['inner', 'Reports.yearly done'],
        ['outer', 'yearly failure failed'],
      ] as const) {
        void registry.getCronJob(name).fireOnTick();
        await until(async () => JSON.stringify(await redis.client().xrange('logs', '-', '+')).includes(text));
      }
    });
    const tasks = inContext(records, 'Task');
    expect(titles(tasks)).toEqual(['log: Reports.yearly done', 'error: yearly failure failed']);
    expect(tasks[0]?.attributes).toEqual({
      'task.id': expect.stringMatching(/^[\da-f-]{36}$/),
      year: 2026,
      'task.name': 'Reports.yearly',
      duration_ms: expect.any(Number),
    });
    expect(records.find(({ body }) => body === 'counting')?.attributes).toEqual({
      'task.id': tasks[0]?.attributes['task.id'],
      year: 2026,
    });
    // Nest's scheduler logs the error, after us.
    expect(stacks(records)).toBe(1);
    expect(tasks[1]?.attributes['error.type']).toBe('RangeError');
  });

  it('passes on what it returns and throws, and has the stack where nobody logs the error', async () => {
    const records = await done(async (reports) => {
      expect(await reports.yearly()).toBe('counted');
      expect(() => reports.fails()).toThrow('no numbers');
      expect(() => reports.refused()).toThrow(ForbiddenException);
      expect(reports.tasks.run('import', () => 7, { file: 'a.csv' })).toBe(7);
      await expect(reports.tasks.run('later', () => Promise.reject(new Error('late')))).rejects.toThrow(
        'late',
      );
      await new Promise(setImmediate);
    });
    const tasks = inContext(records, 'Task');
    expect(titles(tasks)).toEqual([
      'log: Reports.yearly done',
      'log: import done',
      'error: yearly failure failed',
      'warn: Reports.refused failed',
      'error: later failed',
    ]);
    expect(tasks[1]?.attributes).toMatchObject({ file: 'a.csv', 'task.name': 'import' });
    expect(tasks[2]?.attributes).toMatchObject({ 'exception.message': 'no numbers' });
    expect(stacks(records)).toBe(3);
  });

  it('runs as ever in an instance that Nest did not make', () => {
    const reports = new Reports();
    expect(() => reports.fails()).toThrow('no numbers');
  });
});
