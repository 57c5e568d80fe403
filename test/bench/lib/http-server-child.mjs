// The hello-world application of `nest new`, on Fastify or Express, with request logging by ours or by nestjs-pino.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LoggerModule, Logger as PinoLogger } from 'nestjs-pino';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { join } from 'node:path';
import pino from 'pino';

class AppController {
  getHello() {
    return 'Hello World!';
  }
}
Get()(
  AppController.prototype,
  'getHello',
  Object.getOwnPropertyDescriptor(AppController.prototype, 'getHello'),
);
Controller()(AppController);

/** What each contestant imports, and its logger. */
const LOGGERS = {
  ours: ({ redis }) => ({
    module: RedisLogModule.forRoot({
      connection: redis,
      stream: 'requests',
      console: false,
      retention: { maxLength: 100_000 },
      http: true,
    }),
    token: RedisLogger,
  }),
  pino: ({ directory }) => ({
    module: LoggerModule.forRoot({ pinoHttp: { stream: pino.destination(join(directory, 'requests.log')) } }),
    token: PinoLogger,
  }),
  none: () => undefined,
};

export async function open({ name, platform, ...where }) {
  const logger = LOGGERS[name](where);
  class AppModule {}
  Module({ imports: logger === undefined ? [] : [logger.module], controllers: [AppController] })(AppModule);
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: false });
  if (logger !== undefined) app.useLogger(app.get(logger.token));
  await app.listen(0, '127.0.0.1');
  let before;
  return {
    port: async () => app.getHttpServer().address().port,
    start: async () => {
      globalThis.gc?.();
      before = process.cpuUsage();
    },
    /** CPU of this process since `start`, in microseconds, what is still to be written included. */
    cpu: async () => {
      if (name === 'ours') await settled(app.get(RedisLogger));
      const { user, system } = process.cpuUsage(before);
      return user + system;
    },
    emitted: async () => (name === 'ours' ? app.get(RedisLogger).stats().emitted : undefined),
  };
}

async function settled(logger) {
  const { pending, dropped, timedOut } = await logger.flush();
  if (timedOut || pending > 0 || dropped > 0) throw new Error('not every record was delivered');
}
