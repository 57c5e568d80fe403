import { ConsoleLogger, type INestApplication, type LogLevel } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Logger as PinoNestLogger, LoggerModule, NativeLogger, PinoLogger } from 'nestjs-pino';
import { WinstonModule } from 'nest-winston';
import { RedisLogContext, RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { Writable } from 'node:stream';
import winston from 'winston';
import type { SharedRedis } from '../../support/use-redis-server.js';
import { type Platform } from '../nest-http/support.js';
import { storedRecords } from '../nest/support.js';
import { type Kept, Lines } from './lines.js';
import { shopWith } from './shop.js';

export interface Started {
  readonly app: INestApplication;
  /** Runs work with attributes for everything that it logs, as the logger has it; undefined where it has no such thing. */
  readonly inContext: ((attributes: object, work: () => void) => void) | undefined;
  /** Sets the level while the application runs. */
  setLevel(level: 'warn'): void;
  /** What was written. The application is closed by then. */
  records(): Promise<readonly Kept[]>;
}

export interface Contestant {
  readonly name: string;
  start(platform: Platform, redis: SharedRedis): Promise<Started>;
}

const ALL: LogLevel[] = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'];

/** Each as its documentation sets it up, with JSON, every level, and its own option for what a row asks for. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: 'nestjs-redis-log', start: startOurs },
  { name: "Nest's ConsoleLogger", start: startConsole },
  { name: 'nestjs-pino `Logger`', start: (platform) => startPino(platform, PinoNestLogger) },
  { name: 'nestjs-pino `NativeLogger`', start: (platform) => startPino(platform, NativeLogger) },
  { name: 'nest-winston', start: startWinston },
];

async function startOurs(platform: Platform, redis: SharedRedis): Promise<Started> {
  await redis.client.del('logs');
  const module = RedisLogModule.forRoot({
    connection: redis.url,
    stream: 'logs',
    console: false,
    level: 'verbose',
    levels: { Quiet: 'error' },
    http: { ignore: ['/health'] },
  });
  const app = await NestFactory.create(shopWith([module]), adapter(platform), {
    logger: RedisLogger.early(),
  });
  app.useLogger(app.get(RedisLogger));
  return {
    app,
    inContext: (attributes, work) => RedisLogContext.run({ ...attributes }, work),
    setLevel: (level) => app.get(RedisLogger).setLogLevels([level]),
    records: async () =>
      (await storedRecords(redis.server, 'logs')).map((record) => ({
        text: JSON.stringify({ ...record, resource: undefined, context: record.instrumentationScope.name }),
        time: record.hrTime[0] * 1_000 + record.hrTime[1] / 1e6,
        requestId: record.attributes['request.id'],
      })),
  };
}

async function startConsole(platform: Platform): Promise<Started> {
  const lines = new Lines();
  class Captured extends ConsoleLogger {
    protected override printAsJson(...args: Parameters<ConsoleLogger['printAsJson']>): void {
      lines.capture(() => super.printAsJson(...args));
    }
  }
  const logger = new Captured({ json: true, logLevels: ALL });
  const app = await NestFactory.create(shopWith([]), adapter(platform), { logger });
  const setLevel = (level: LogLevel): void => logger.setLogLevels([level]);
  return { app, inContext: undefined, setLevel, records: async () => lines.records() };
}

/** nestjs-pino has one pino for the whole process, and so one destination. */
let pinoLines = new Lines();
const pinoStream = { write: (line: string): void => pinoLines.add(line) };

interface PinoRequest {
  readonly url?: string | undefined;
  readonly originalUrl?: string;
}

async function startPino(
  platform: Platform,
  token: typeof PinoNestLogger | typeof NativeLogger,
): Promise<Started> {
  const lines = (pinoLines = new Lines());
  const ignore = (request: PinoRequest): boolean => (request.originalUrl ?? request.url) === '/health';
  const pinoHttp = { level: 'trace', stream: pinoStream, autoLogging: { ignore } };
  // Its default routes match nothing on the Fastify of today's Nest.
  const module = LoggerModule.forRoot(
    platform === 'fastify' ? { pinoHttp, forRoutes: ['/*splat'] } : { pinoHttp },
  );
  const app = await NestFactory.create(shopWith([module]), adapter(platform), { bufferLogs: true });
  app.useLogger(app.get(token));
  PinoLogger.root.level = 'trace';
  const logger = await app.resolve(PinoLogger);
  return {
    app,
    inContext: (bindings, work) => logger.runInContext(work, { bindings: { ...bindings } }),
    setLevel: (level) => (PinoLogger.root.level = level),
    records: async () => lines.records(),
  };
}

async function startWinston(platform: Platform): Promise<Started> {
  const lines = new Lines();
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.add(String(chunk));
      done();
    },
  });
  const instance = winston.createLogger({
    level: 'silly',
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream })],
  });
  const app = await NestFactory.create(shopWith([]), adapter(platform), {
    logger: WinstonModule.createLogger({ instance }),
  });
  const setLevel = (level: string): void => {
    instance.level = level;
  };
  return { app, inContext: undefined, setLevel, records: async () => lines.records() };
}

function adapter(platform: Platform): ExpressAdapter | FastifyAdapter {
  return platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}
