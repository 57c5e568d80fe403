import 'reflect-metadata';
import { Controller, Get, Injectable, Logger } from '@nestjs/common';
import {
  LogTask,
  RedisLogContext,
  RedisLogger,
  RedisLogTasks,
  type RedisLogModuleOptions,
  SkipRequestLog,
} from 'nestjs-redis-log';
import { describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { type Platform, PLATFORMS, requestsOf, serve, titles } from '../nest-http/support.js';
import { of, run } from './support.js';

const redis = useRedisServer();

@Controller()
class AppController {
  readonly #logger = new Logger('AppController');

  @Get('orders/:id')
  order(): string {
    RedisLogContext.assign({ 'order.id': 7 });
    this.#logger.log('Order placed');
    return 'placed';
  }

  @Get('health')
  health(): string {
    return 'ok';
  }

  @Get('metrics')
  @SkipRequestLog()
  metrics(): string {
    return 'none';
  }
}

async function requested(platform: Platform, log: RedisLogModuleOptions, paths: readonly string[]) {
  const module = { controllers: [AppController] };
  const { url, finish } = await serve({ redis: redis.server, platform, module, log });
  for (const path of paths)
    await (await fetch(url + path, { headers: { 'x-big': 'x'.repeat(4_000) } })).text();
  return finish();
}

@Injectable()
class Jobs {
  readonly #logger = new Logger('Jobs');

  @LogTask('import')
  async import(): Promise<void> {
    RedisLogContext.assign({ 'file.name': 'a.csv' });
    this.#logger.log('row read');
  }
}

describe('Requests of users that are about requests, and what is none', () => {
  it('5: assigning attributes throws nowhere, and works outside of requests (nestjs-pino#803, #1035, #1715, #1020, #1206, #936)', async () => {
    const { finish } = await run(redis);
    const logger = new Logger('Ctx');
    expect(RedisLogContext.assign({ lost: true })).toBe(false);
    await RedisLogContext.run({ tenant: 'acme' }, async () => {
      await Promise.resolve();
      RedisLogContext.assign({ job: 7 });
      logger.log('in a job');
    });
    expect(of('Ctx', await finish())[0]?.attributes).toEqual({ tenant: 'acme', job: 7 });
    for (const platform of PLATFORMS) {
      await redis.client.del('logs');
      const records = await requested(platform, { http: true }, ['/orders/7']);
      for (const record of [...of('AppController', records), ...requestsOf(records)]) {
        expect(record.attributes['order.id']).toBe(7);
      }
    }
  });

  it.each(PLATFORMS)(
    '7: health checks are left out on %s (nestjs-pino#122, #237, #253, #472, #192)',
    async (platform) => {
      const log = { http: { ignore: ['/health'] } };
      const records = await requested(platform, log, ['/health', '/metrics', '/orders/7', '/health']);
      expect(titles(requestsOf(records))).toEqual(['log: GET /orders/:id 200']);
    },
  );

  it.each(PLATFORMS)(
    '14: records of services carry no request but its id, on %s (nestjs-pino#508, #351, #253)',
    async (platform) => {
      const records = await requested(platform, { http: true }, ['/orders/7']);
      const [placed] = of('AppController', records);
      expect(Object.keys(placed?.attributes ?? {}).sort()).toEqual(['order.id', 'request.id']);
      expect(JSON.stringify(records)).not.toContain('xxx');
      await redis.client.del('logs');
      // And without request logging nothing of a request is anywhere.
      const without = await requested(platform, {}, ['/orders/7']);
      expect(requestsOf(without)).toEqual([]);
      expect(of('AppController', without)[0]?.attributes).toEqual({});
    },
  );

  it('15: jobs and commands are logged like requests, and flushed (nestjs-pino#973, #553)', async () => {
    const { app, finish } = await run(redis, {}, { providers: [Jobs] });
    await app.get(Jobs).import();
    app.get(RedisLogTasks).run('command', () => app.get(RedisLogger).log('by hand', 'Command'));
    const records = await finish();
    expect(titles(of('Task', records))).toEqual(['log: import done', 'log: command done']);
    const [row] = of('Jobs', records);
    expect(row?.attributes).toMatchObject({ 'file.name': 'a.csv', 'task.id': expect.any(String) });
    expect(of('Task', records)[0]?.attributes['task.id']).toBe(row?.attributes['task.id']);
  });
});
