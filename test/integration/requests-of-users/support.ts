import { ConsoleLogger, type INestApplicationContext, Logger, type ModuleMetadata } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import type { LogRecord } from '../../../src/record/log-record.js';
import type { SharedRedis } from '../../support/use-redis-server.js';
import { storedRecords } from '../nest/support.js';

export interface Running {
  readonly app: INestApplicationContext;
  /** Closes the application and reads what it has stored. */
  finish(): Promise<LogRecord[]>;
}

/** An application as the quick start has it, without a server, that logs to the stream `logs`. */
export async function run(
  redis: SharedRedis,
  log: RedisLogModuleOptions = {},
  module: ModuleMetadata = {},
): Promise<Running> {
  class AppModule {}
  const options: RedisLogModuleOptions = { connection: redis.url, stream: 'logs', console: false, ...log };
  Module({ ...module, imports: [RedisLogModule.forRoot(options), ...(module.imports ?? [])] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: RedisLogger.early(),
    abortOnError: false,
  });
  app.useLogger(app.get(RedisLogger));
  return {
    app,
    finish: async () => {
      await app.close();
      Logger.overrideLogger(new ConsoleLogger());
      return storedRecords(redis.server, 'logs');
    },
  };
}

/** Those of one context. */
export function of(context: string, records: readonly LogRecord[]): LogRecord[] {
  return records.filter(({ instrumentationScope }) => instrumentationScope.name === context);
}
