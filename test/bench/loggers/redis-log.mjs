// Ours, as an application uses it: a Nest context with RedisLogModule, and a child logger per class.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogModule, RedisLogger } from 'nestjs-redis-log';
import { RESOURCE_ATTRIBUTES } from '../lib/records.mjs';
import { useAsyncContext } from './context.mjs';

/** Every round adds to the stream; trimming keeps the server's memory small. */
const RETENTION = { maxLength: 100_000 };

/** For call sites that alternate: each stream then has entries of one shape; see docs/write-path.md. */
const perContext = (record) => `bench:${record.instrumentationScope.name}`;

export async function openRedisLog({ redis, sites, options, streamPerContext = false }) {
  useAsyncContext();
  class AppModule {}
  const module = RedisLogModule.forRoot({
    connection: redis,
    resource: { attributes: RESOURCE_ATTRIBUTES },
    stream: streamPerContext ? perContext : 'bench',
    console: false,
    retention: RETENTION,
    ...options,
  });
  Module({ imports: [module] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const root = app.get(RedisLogger);
  const loggers = sites.map((site) => root.withContext(site.context));
  return {
    log(i) {
      const at = i % sites.length;
      loggers[at].log(sites[at].message(i), sites[at].attributes(i));
    },
    async settled() {
      const { pending, dropped, timedOut } = await root.flush();
      if (timedOut || pending > 0 || dropped > 0) {
        throw new Error(`not everything was delivered: ${pending} pending, ${dropped} dropped`);
      }
    },
    close: () => app.close(),
    logger: root,
  };
}
