import 'reflect-metadata';
import { ConsoleLogger, type INestApplicationContext, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { storedRecords } from '../nest/support.js';

let redis: RedisServer;
let app: INestApplicationContext | undefined;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());
afterEach(async () => {
  vi.restoreAllMocks();
  await app?.close();
  app = undefined;
});

async function start(options: RedisLogModuleOptions): Promise<RedisLogger> {
  class AppModule {}
  Module({
    imports: [
      RedisLogModule.forRoot({ connection: redis.url, stream: 'logs', level: 'verbose', ...options }),
    ],
  })(AppModule);
  app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  return app.get(RedisLogger);
}

/** What is written to stdout and stderr meanwhile, without what differs from one moment to the next. */
function printedBy(work: () => void): string[] {
  const printed: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi
      .spyOn(process[name], 'write')
      .mockImplementation((text) => printed.push(`${name} ${String(text)}`) > 0),
  );
  try {
    work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed.map((line) =>
    line
      .replace(/\d{1,2}\/\d{1,2}\/\d{4}, \d{1,2}:\d\d:\d\d [AP]M/g, '<time>')
      .replace(/"timestamp":\d+/g, '"timestamp":0')
      .replace(/\+\d+ms/g, '+0ms'),
  );
}

const error = new Error('refused', { cause: new TypeError('deeper') });

function callAll(logger: LoggerService): void {
  logger.log('a message', 'Ctx');
  logger.log('with parameters', { orderId: 7, list: [1, 2] }, 'Ctx');
  logger.log({ an: 'object' }, 'Ctx');
  logger.warn('without a context');
  logger.error(error, undefined, 'Ctx');
  logger.error('failed', error, 'Ctx');
  logger.fatal?.('dead', error.stack, 'Ctx');
  logger.debug?.(() => 'lazy', 'Ctx');
  logger.verbose?.('a map', new Map([['k', 1]]), 'Ctx');
}

describe('The console beside Redis', () => {
  it.each(['pretty', 'json'] as const)(
    'prints what Nest itself would print, line by line: %s',
    async (console) => {
      const logger = await start({ console });
      const nest = new ConsoleLogger({ json: console === 'json', logLevels: ['verbose'] });
      const expected = printedBy(() => callAll(nest));
      expect(expected.length).toBeGreaterThanOrEqual(9);
      expect(printedBy(() => callAll(logger))).toEqual(expected);
      await logger.flush();
      expect(await storedRecords(redis, 'logs')).toHaveLength(10);
    },
  );

  it.each(['pretty', 'json'] as const)('shows no secret, wherever it is in a call: %s', async (console) => {
    const logger = await start({ console });
    const secret = 'S3CR3T';
    const url = `redis://user:${secret}@host`;
    const cause = Object.assign(new Error(`cannot reach ${url}`), {
      config: { headers: { cookie: secret } },
    });
    const outer = Object.assign(new Error(`failed: ${url}`, { cause }), { password: secret });
    class Login {
      readonly user = 'ann';
      readonly password = secret;
    }
    const printed = printedBy(() => {
      logger.error(outer, undefined, 'Ctx');
      logger.error('with an error', outer, 'Ctx');
      logger.error('with a stack', outer.stack, 'Ctx');
      logger.error(new AggregateError([cause], 'all of them'), undefined, 'Ctx');
      logger.log([{ password: secret }], 'Ctx');
      logger.log('an instance', new Login(), 'Ctx');
      logger.log(new Map([['token', secret]]), 'Ctx');
      logger.log('a number too large', { big: 1n, err: outer, token: secret }, 'Ctx');
      logger.log(`in the text ${url}`, 'Ctx');
    });
    expect(printed.length).toBeGreaterThanOrEqual(9);
    expect(printed.join('')).not.toContain(secret);
    expect(printed.join('')).toContain('cannot reach redis://[Redacted]@host');
    expect(printed.join('')).toContain('ann');
    await logger.flush();
    expect(
      JSON.stringify(await storedRecords(redis, 'logs'), (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    ).not.toContain(secret);
  });

  it('shows a marker and never the secret, like the record, when the censor fails', async () => {
    const logger = await start({
      console: 'json',
      redact: {
        paths: ['card.number'],
        censor: () => {
          throw new Error('censor failed');
        },
      },
    });
    const printed = printedBy(() => {
      logger.log('paid', { card: { number: '4111' }, password: 'S3CR3T', url: 'redis://u:S3CR3T@h' }, 'Ctx');
    });
    await logger.flush();
    const [record] = await storedRecords(redis, 'logs');
    expect(record?.attributes).toEqual({
      card: { number: '[Redaction failed]' },
      password: '[Redaction failed]',
      url: expect.stringContaining('@h'),
    });
    for (const text of [printed.join(''), JSON.stringify(record)]) {
      expect(text).toContain('[Redaction failed]');
      expect(text).not.toMatch(/4111|S3CR3T/);
    }
  });
});
