import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { aclRules, RedisLogWriter } from 'nestjs-redis-log/core';
import { LogInsights } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { numbered, write } from '../reader/writing.js';
import { startCounting, STREAM, whenCounted } from './support.js';

const redis = useRedisServer();
const QUIET = { logger: false, abortOnError: false } as const;

describe('Messages are counted', () => {
  it('in a Cluster, on the node of the stream', { timeout: 60_000 }, async () => {
    await using cluster = await startRedisCluster();
    const connection = { cluster: cluster.startupNodes };
    for (const stream of ['logs:a', 'logs:b', 'logs:c']) {
      await write({ connection, stream }, numbered('n', 40));
      await using counting = startCounting({ connection, stream });
      await counting.reaches(40);
      await using insights = new LogInsights({ connection, stream });
      expect((await insights.common('orders', 'info', '1h')).messages).toMatchObject([
        { template: 'n <n>', count: 40 },
      ]);
    }
  });

  it('of a stream in partitions as of one', async () => {
    const where = { connection: redis.url, stream: STREAM, partitions: 3 };
    await using writer = new RedisLogWriter({ ...where, service: { name: 'orders' } });
    for (let i = 0; i < 300; i++) {
      const traceId = i.toString(16).padStart(32, '1');
      const spanContext = { traceId, spanId: '17ad6b7169203331', traceFlags: 1 };
      writer.emit({ body: `Order ${i} was paid`, severityNumber: 9, spanContext });
    }
    await writer.flush();
    await using counting = startCounting(where);
    await counting.reaches(300);
    await using insights = new LogInsights(where);
    const lengths = await Promise.all(insights.streams.map((stream) => redis.client.xlen(stream)));
    expect(lengths.filter((length) => length > 0)).toHaveLength(3);
    expect((await insights.common('orders', 'info', '1h')).messages).toMatchObject([
      { template: 'Order <n> was paid', count: 300, share: 1 },
    ]);
    expect((await insights.recent('orders', 'info', { limit: 10 })).entries).toHaveLength(10);
  });

  it('under the prefix of the connection, and in its database', async () => {
    const { host, port } = redis.server;
    const connection = { host, port, keyPrefix: 'shop:', db: 3 };
    await write({ connection, stream: STREAM }, numbered('n', 10));
    await using counting = startCounting({ connection });
    await counting.reaches(10);
    await using insights = new LogInsights({ connection, stream: STREAM });
    expect((await insights.common('orders', 'info', '1h')).total).toBe(10);
    const client = redis.server.client({ db: 3 });
    expect(await client.keys('*insights*')).toHaveLength(5);
    expect(await client.keys('{shop:logs:orders}:insights*')).toHaveLength(5);
    expect(await redis.client.keys('*')).toEqual([]);
  });

  it('with the rights of a consumer, and looked at with those of a viewer', async () => {
    await write({ connection: redis.url, stream: STREAM }, numbered('n', 10));
    const as = async (role: 'consumer' | 'viewer'): Promise<string> => {
      const rules = aclRules({ role, stream: STREAM });
      await redis.client.call('ACL', 'SETUSER', role, 'on', '>secret', ...rules);
      return redis.url.replace('redis://', `redis://${role}:secret@`);
    };
    await redis.client.call('ACL', 'LOG', 'RESET');
    await using counting = startCounting({ connection: await as('consumer'), maxTemplates: 10 });
    await counting.reaches(10);
    // So many that some make room.
    const words = Array.from({ length: 20 }, (_, i) => ({ body: 'x'.repeat(i + 1), severityNumber: 9 }));
    await write({ connection: redis.url, stream: STREAM }, words);
    await counting.reaches(30);
    await using insights = new LogInsights({ connection: await as('viewer'), stream: STREAM });
    expect((await insights.common(undefined, undefined, '1h')).total).toBe(30);
    expect((await insights.recent('orders', 'info', { limit: 5 })).entries).toHaveLength(5);
    expect(await redis.client.call('ACL', 'LOG')).toEqual([]);
  });

  it('or not, where a key of theirs holds something else: then nothing is acknowledged', async () => {
    await write({ connection: redis.url, stream: STREAM }, numbered('n', 10));
    await redis.client.set(`{${STREAM}}:insights:seen`, 'mine');
    await using counting = startCounting({ connection: redis.url });
    await until(() => counting.lines.some((line) => line.includes('cannot be counted: WRONGTYPE')));
    await redis.client.del(`{${STREAM}}:insights:seen`);
    await counting.reaches(10);
    expect(counting.counter.stats().counted).toBe(10);
  });
});

describe('RedisLogModule', () => {
  @Injectable()
  class Support {
    readonly insights: LogInsights;
    constructor(@Inject(LogInsights) insights: LogInsights) {
      this.insights = insights;
    }
  }

  const start = (options: RedisLogModuleOptions): ReturnType<typeof NestFactory.createApplicationContext> => {
    const log = RedisLogModule.forRoot({
      connection: redis.url,
      service: { name: 'orders' },
      console: false,
      ...options,
    });
    class AppModule {}
    Module({ imports: [log], providers: [Support] })(AppModule);
    return NestFactory.createApplicationContext(AppModule, QUIET);
  };

  it('counts what the application logs, where it is asked to, and provides LogInsights', async () => {
    const app = await start({ insights: { bucketMs: 60_000 } });
    const logger = app.get(RedisLogger);
    for (let i = 0; i < 5; i++) logger.warn(`Stock of article ${i} is low`);
    const { insights } = app.get(Support);
    await whenCounted(insights, 5);
    expect((await insights.common('orders', 'warn', '5m')).messages).toMatchObject([
      { template: 'Stock of article <n> is low', count: 5 },
    ]);
    expect(await redis.client.hget(`{${STREAM}}:insights`, 'bucketMs')).toBe('60000');
    await app.close();
    await until(async () => !String(await redis.client.client('LIST')).includes('name=nestjs-redis-log'));
  });

  it('counts nothing unasked, and LogInsights connects with its first call', async () => {
    const app = await start({});
    const { insights } = app.get(Support);
    app.get(RedisLogger).warn('Stock is low');
    await app.get(RedisLogger).flush();
    expect(String(await redis.client.client('LIST'))).not.toContain('nestjs-redis-log-insights');
    expect((await insights.recent('orders', 'warn')).entries).toHaveLength(1);
    expect((await insights.common('orders', 'warn', '1h')).countedSince).toBeUndefined();
    expect(await redis.client.xinfo('GROUPS', STREAM)).toEqual([]);
    await app.close();
  });

  it('refuses to count what has no records', async () => {
    await expect(start({ insights: true, format: 'json' })).rejects.toThrow(
      'insights: can count records of the format "fields" only',
    );
    await expect(start({ insights: { bucketMS: 5 } as never })).rejects.toThrow('Did you mean bucketMs?');
  });
});
