import 'reflect-metadata';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { appendFileSync } from 'node:fs';
import { RedisLogger, RedisLogModule } from '../../../../src/index.js';

/*
 * A server whose requests log. Every record is written down in the file of the first argument before it is logged, so
 * that whatever was logged is known even if the process is killed in the next moment.
 */

const [, , file = ''] = process.argv;
let count = 0;

@Injectable()
class Orders implements OnApplicationShutdown {
  readonly #logger = new Logger(Orders.name);

  log(text: string): void {
    const line = `${++count} ${text}`;
    appendFileSync(file, `${line}\n`);
    this.#logger.log(line, { count, customer: { id: 7, name: 'Ada' } });
  }

  async onApplicationShutdown(): Promise<void> {
    this.log('shutdown hook');
    await new Promise(setImmediate);
    this.log('shutdown hook, later');
  }
}

@Controller()
class OrdersController {
  @Inject(Orders) private readonly orders!: Orders;

  @Get()
  async place(): Promise<string> {
    this.orders.log('before');
    await new Promise(setImmediate);
    for (let n = 0; n < 20; n++) this.orders.log('within');
    return 'ok';
  }
}

class AppModule {}
Module({ imports: [RedisLogModule.forRoot()], controllers: [OrdersController], providers: [Orders] })(
  AppModule,
);

const app = await NestFactory.create(AppModule, { logger: RedisLogger.early() });
app.useLogger(app.get(RedisLogger));
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.stdout.write(`listening ${await app.getUrl()}\n`);
