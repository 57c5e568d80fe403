import {
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  Res,
} from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** How long the application takes to start after its first line. */
export const BOOT_MS = 150;

/** Emits `seen` when the server has seen that the client of `/slow` went. */
export const brokenOff = new EventEmitter();

@Injectable()
class Boot implements OnApplicationShutdown {
  readonly #logger = new Logger('Boot');

  onModuleInit(): Promise<void> {
    this.#logger.log(`row-boot ${Date.now()}`);
    return delay(BOOT_MS);
  }

  onApplicationShutdown(): void {
    this.#logger.warn('row-shutdown');
  }
}

@Controller()
class OrdersController {
  readonly #logger = new Logger('OrdersController');

  @Get('orders/:id')
  async order(): Promise<string> {
    await delay(5);
    this.#logger.log('row-in-request');
    return 'placed';
  }

  @Get('fail')
  fail(): never {
    throw new TypeError('row-request-error');
  }

  @Get('health')
  health(): string {
    return 'ok';
  }

  /** Its client goes before the end. */
  @Get('slow')
  slow(@Res() response: { raw?: SlowResponse } & SlowResponse): void {
    const raw = response.raw ?? response;
    raw.once('close', () => brokenOff.emit('seen'));
    raw.write('a part of it ');
  }
}

interface SlowResponse {
  once(event: string, listener: () => void): unknown;
  write(text: string): unknown;
}

/** The application that each logger is put into. */
export function shopWith(imports: NonNullable<ModuleMetadata['imports']>): new () => object {
  class ShopModule {}
  Module({ imports, controllers: [OrdersController], providers: [Boot] })(ShopModule);
  return ShopModule;
}
