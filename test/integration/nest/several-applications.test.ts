import 'reflect-metadata';
import {
  ConsoleLogger,
  type INestApplicationContext,
  Logger,
  type LoggerService,
  Module,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { afterEach, describe, expect, it } from 'vitest';
import { useRedisServer } from '../../support/use-redis-server.js';
import { lines, saidDuring, storedRecords } from './support.js';

const redis = useRedisServer();
afterEach(() => Logger.overrideLogger(new ConsoleLogger()));

async function start(
  stream: string,
  logger: LoggerService | false = false,
): Promise<INestApplicationContext> {
  class AppModule {}
  const imports = [RedisLogModule.forRoot({ connection: redis.url, console: false, stream })];
  Module({ imports })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  if (logger === false) app.useLogger(app.get(RedisLogger));
  return app;
}

describe('When one of several applications in a process is closed, what Nest logs', () => {
  const log = (text: string): void => new Logger('Test').log(text);
  const stored = async (stream: string): Promise<readonly string[]> =>
    lines(await storedRecords(redis.server, stream)).filter((line) => line.startsWith('Test'));

  it.each([
    ['goes to the one that runs on, if the closed one had set the logger last', () => false as const],
    ['the same where the closed one had only its early logger', () => RedisLogger.early()],
  ])('%s', async (_, loggerOfSecond) => {
    const first = await start('first');
    const second = await start('second', loggerOfSecond());
    log('both run');
    await second.close();
    log('the second is closed');
    await first.close();
    expect(await stored('second')).toEqual(['Test: both run']);
    expect(await stored('first')).toEqual(['Test: the second is closed']);
  });

  it('stays with the one that set the logger last, if that is another', async () => {
    const first = await start('first');
    const second = await start('second');
    await first.close();
    log('the first is closed');
    await second.close();
    expect(await stored('second')).toEqual(['Test: the first is closed']);
  });

  it('is refused and told once nobody is left', async () => {
    const first = await start('first');
    const second = await start('second');
    await second.close();
    await first.close();
    expect((await saidDuring(async () => log('nobody is left'))).join('')).toContain('nobody is left');
    expect(first.get(RedisLogger).stats().dropped).toEqual({ closed: 1 });
  });
});
