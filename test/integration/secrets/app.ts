// Logs every planted secret in every way there is, and takes requests that hold some. Its arguments: the platform, the URL
// of the Redis that it logs to, that of one which answers, a directory for the spool, and the console's format.
import 'reflect-metadata';
import { Body, Controller, Get, Logger, Module, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import winston from 'winston';
import {
  pinoRedisLog,
  RedisLogContext,
  RedisLogger,
  RedisLogModule,
  RedisLogRecordExporter,
  RedisLogWinstonTransport,
} from '../../../src/index.js';
import { plantedErrors, plantedValues, redisErrors, SECRET } from './corpus.js';

const [, , platform, target = '', answering = '', directory = '', format] = process.argv;
const logger = new Logger('Secrets');
const LISTS = new Set(['pairs', 'raw headers', 'request']);

@Controller()
class LoginController {
  @Get('login')
  get(@Query('password') password: string): never {
    throw new Error(`login with password=${password} failed`);
  }

  @Post('login')
  post(@Body() body: object): string {
    logger.warn('login', { body });
    return 'ok';
  }
}

class AppModule {}
Module({
  controllers: [LoginController],
  imports: [
    RedisLogModule.forRoot({
      connection: target,
      stream: 'logs',
      console: format as 'json' | 'pretty',
      spool: { directory },
      http: { query: true, attributes: (request) => ({ 'request.headers': request.headers }) },
      level: 'verbose',
      shutdownTimeoutMs: 2_000,
    }),
  ],
})(AppModule);

const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: RedisLogger.early() });
app.useLogger(app.get(RedisLogger));
await app.listen(0, '127.0.0.1');

const exporter = app.get(RedisLogRecordExporter);
/** Loggers of others; of what their methods take, only this is needed. */
type Call = (...args: unknown[]) => unknown;
const bridged = [
  pino({ level: 'trace' }, pinoRedisLog({ exporter })),
  winston.createLogger({ level: 'silly', transports: [new RedisLogWinstonTransport({ exporter })] }),
] as unknown as { readonly info: Call; readonly error: Call }[];

for (const [place, value] of plantedValues()) {
  logger.log(place, value);
  logger.log(value);
  // In a text a secret is known by the name before it; of the items of a list there is none.
  if (!LISTS.has(place)) logger.error(JSON.stringify(value));
  logger.debug(() => value);
  RedisLogContext.run({ context: value }, () => logger.log(`in the context: ${place}`));
  for (const other of bridged) other.info(value, place);
}
// Without a context of its own, Nest's logger takes the last text for one.
Logger.log('connecting to', `redis://app:${SECRET}-as-context@h`);
for (const [place, error] of [...plantedErrors(), ...(await redisErrors(answering))]) {
  logger.error(error);
  logger.error(place, error);
  logger.warn(place, { error });
  logger.fatal(place, (error as Error).stack);
  for (const other of bridged) {
    other.error(error);
    other.error({ err: error }, place);
    other.error({ other: error }, place);
  }
}

const url = await app.getUrl();
const headers = {
  authorization: `Bearer ${SECRET}-request`,
  cookie: `session=${SECRET}-request-cookie`,
  'x-api-key': `${SECRET}-request-key`,
  'content-type': 'application/json',
};
await fetch(`${url}/login?password=${SECRET}-in-query&user%5Btoken%5D=${SECRET}-in-list`, { headers });
await fetch(`${url}/nowhere?access_token=${SECRET}-nowhere`, { headers });
for (const body of [JSON.stringify({ password: `${SECRET}-in-body` }), `{"password":"${SECRET}-malformed`]) {
  await fetch(`${url}/login`, { method: 'POST', headers, body });
}
process.stdout.write('done \n');
await app.close();
