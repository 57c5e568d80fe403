import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from '../../../src/index.js';

/** An application that crashes in the way that CRASH names, once it is up. */
const { CRASH = '', URL = '', SPOOL, TIMEOUT = '5000' } = process.env;

class AppModule {}
Module({
  imports: [
    RedisLogModule.forRoot({
      connection: URL,
      stream: 'logs',
      console: false,
      captureCrashes: true,
      shutdownTimeoutMs: Number(TIMEOUT),
      ...(SPOOL === undefined ? {} : { spool: { directory: SPOOL } }),
    }),
  ],
})(AppModule);

class PaymentError extends Error {
  override readonly name = 'PaymentError';
  readonly code = 'E_DECLINED';
}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const logger = app.get(RedisLogger);
logger.log('last words', 'App');
// Something that would keep the process alive.
setInterval(() => undefined, 1_000);

const crashes: Record<string, () => void> = {
  throw: () => {
    throw new PaymentError('card declined');
  },
  reject: () => void Promise.reject(new PaymentError('card declined')),
  'throw a text': () => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw 'only a text';
  },
  'own listener': () => {
    process.on('uncaughtException', (error: Error) => {
      process.stdout.write(`handled ${error.message}\n`);
      void app.close().then(() => process.exit(3));
    });
    throw new PaymentError('card declined');
  },
  'own listener that exits': () => {
    process.prependListener('uncaughtException', () => process.exit(7));
    throw new PaymentError('card declined');
  },
  'own rejection listener': () => {
    process.on('unhandledRejection', (reason: Error) => {
      process.stdout.write(`handled ${reason.message}\n`);
      void app.close().then(() => process.exit(4));
    });
    void Promise.reject(new PaymentError('card declined'));
  },
  twice: () => {
    setImmediate(() => {
      throw new PaymentError('the second one');
    });
    throw new PaymentError('card declined');
  },
  'after close': () => {
    void app.close().then(() => {
      throw new PaymentError('card declined');
    });
  },
};

process.on('exit', (code) => process.stdout.write(`exit hook ${code}\n`));
setTimeout(() => crashes[CRASH]?.(), 50);
