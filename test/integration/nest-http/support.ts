import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogRecord } from '../../../src/record/log-record.js';
import type { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { storedRecords } from '../nest/support.js';

export type Platform = 'express' | 'fastify';
export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

export interface Served {
  readonly app: INestApplication;
  readonly url: string;
  /** Closes the application and reads what it has stored. */
  finish(): Promise<LogRecord[]>;
}

export interface ServeOptions {
  readonly redis: RedisServer;
  readonly platform: Platform;
  readonly module: ModuleMetadata;
  readonly log?: RedisLogModuleOptions;
  readonly configure?: (app: INestApplication) => void;
  readonly adapter?: ExpressAdapter | FastifyAdapter;
}

/** An application of the module given, which logs to the stream `logs` and listens on a free port. */
export async function serve({ redis, platform, module, ...rest }: ServeOptions): Promise<Served> {
  const { log = { http: true }, configure, adapter } = rest;
  class AppModule {}
  const options: RedisLogModuleOptions = { connection: redis.url, stream: 'logs', console: false, ...log };
  Module({ ...module, imports: [RedisLogModule.forRoot(options), ...(module.imports ?? [])] })(AppModule);
  const server = adapter ?? (platform === 'express' ? new ExpressAdapter() : new FastifyAdapter());
  const app = await NestFactory.create(AppModule, server, { logger: false, abortOnError: false });
  app.useLogger(app.get(RedisLogger));
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    finish: async () => {
      await app.close();
      return storedRecords(redis, 'logs');
    },
  };
}

/** Those of requests. */
export function requestsOf(records: readonly LogRecord[]): LogRecord[] {
  return records.filter(({ instrumentationScope }) => instrumentationScope.name === 'HTTP');
}

/** Resolves once the stream has the record of a request. */
export async function untilRequested(redis: RedisServer): Promise<void> {
  await until(async () => requestsOf(await storedRecords(redis, 'logs')).length > 0, {
    what: 'the record of the request',
  });
}

/** `level: text` of each. */
export function titles(records: readonly LogRecord[]): string[] {
  return records.map(({ severityText, body }) => `${severityText}: ${String(body)}`);
}

/** A request that is answered bit by bit; the client may go at any time. */
export function open(url: string): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => resolve({ request, response }));
    request.on('error', reject);
  });
}
