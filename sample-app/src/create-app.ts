import { type INestApplication, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger } from 'nestjs-redis-log';
import { AppModule } from './app.module.js';

/** The shop, ready to listen. What Nest logs while it boots is kept and written too, with its true time. */
export async function createApp(): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule, { logger: RedisLogger.early(), abortOnError: false });
  app.useLogger(app.get(RedisLogger));
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true }));
  return app;
}
