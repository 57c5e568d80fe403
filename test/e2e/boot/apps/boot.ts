import 'reflect-metadata';
import {
  Injectable,
  Logger,
  Module,
  type DynamicModule,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisLogger, RedisLogModule } from '../../../../src/index.js';

/*
 * An application that boots, or fails to, as the argument says. The stream is `logs:boot`; the time at which a line was
 * logged is in its message, to be compared with the time of the record.
 */

const [, , how = 'fine'] = process.argv;
const withRedisLog = RedisLogModule.forRoot({ stream: 'logs:boot' });

@Injectable()
class Slow {
  readonly #logger = new Logger(Slow.name);
  constructor() {
    this.#logger.log(`made at ${Date.now()}`);
    this.#logger.warn('with parameters', { orderId: 7, password: 'geheim' });
  }
}

@Injectable()
class Unlucky {
  constructor() {
    throw Object.assign(new TypeError('no luck', { cause: new Error('out of stock') }), { code: 'E_LUCK' });
  }
}

@Injectable()
class FailingHook implements OnModuleInit {
  onModuleInit(): Promise<never> {
    return Promise.reject(new RangeError('hook failed'));
  }
}

const wait: Provider = {
  provide: 'wait',
  useFactory: () => new Promise((resolve) => setTimeout(resolve, 150)),
};
const failingOptions = RedisLogModule.forRootAsync({
  useFactory: () => Promise.reject(new Error('no configuration')),
});
const badOptions = RedisLogModule.forRoot({ sendTimeoutMs: 0, redact: ['a['] });

const APPS: Readonly<Record<string, { imports: DynamicModule[]; providers: Provider[] }>> = {
  fine: { imports: [withRedisLog], providers: [Slow, wait] },
  constructor: { imports: [withRedisLog], providers: [Slow, Unlucky] },
  hook: { imports: [withRedisLog], providers: [Slow, FailingHook] },
  'options-factory': { imports: [failingOptions], providers: [Slow] },
  'bad-options': { imports: [badOptions], providers: [Slow] },
  'no-module': { imports: [], providers: [Slow] },
};

class AppModule {}
Module(APPS[how.replace(/:.*/, '')] ?? {})(AppModule);

if (how === 'fine:buffered') {
  const app = await NestFactory.create(AppModule, { bufferLogs: true });
  app.useLogger(app.get(RedisLogger));
  await app.init();
  await app.close();
} else if (how === 'no-module:http') {
  const app = await NestFactory.create(AppModule, { logger: RedisLogger.early() });
  await app.listen(0, '127.0.0.1');
  new Logger('Main').log('after the boot');
  await app.close();
} else {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: RedisLogger.early() });
  if (how !== 'no-module') app.useLogger(app.get(RedisLogger));
  await app.close();
}
