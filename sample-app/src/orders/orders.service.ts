import { setTimeout as delay } from 'node:timers/promises';
import { BadRequestException, Injectable, Logger, NotFoundException } from '@nestjs/common';
import { RedisLogContext } from 'nestjs-redis-log';
import { StockService } from '../stock/stock.service.js';
import { UsersService } from '../users/users.service.js';
import type { CreateOrderDto } from './dto/create-order.dto.js';
import type { Order, SalesReport } from './order.js';

/** The shop is a sample: it forgets its oldest orders rather than grow. */
const MAX_ORDERS = 1_000;
/** The report is the shop's slow route. */
const REPORT_TAKES_MS = 400;

@Injectable()
export class OrdersService {
  readonly #logger = new Logger(OrdersService.name);
  readonly #orders = new Map<number, Order>();
  readonly #users: UsersService;
  readonly #stock: StockService;
  #lastId = 0;

  constructor(users: UsersService, stock: StockService) {
    this.#users = users;
    this.#stock = stock;
  }

  place({ userId, sku, quantity }: CreateOrderDto): Order {
    // From here on every record of this request says whose it is, also those of other services.
    RedisLogContext.assign({ 'user.id': userId });
    const price = this.#stock.priceOf(sku);
    if (price === undefined) throw new BadRequestException(`The shop does not sell ${JSON.stringify(sku)}.`);
    this.#users.find(userId);
    const order = { id: ++this.#lastId, userId, sku, quantity, total: price * quantity };
    this.#stock.take(sku, quantity);
    this.#orders.set(order.id, order);
    this.#orders.delete(order.id - MAX_ORDERS);
    this.#logger.log('Order placed', { orderId: order.id, sku, total: order.total });
    return order;
  }

  find(id: number): Order {
    const order = this.#orders.get(id);
    if (order === undefined) throw new NotFoundException(`There is no order ${id}.`);
    return order;
  }

  async report(): Promise<SalesReport> {
    const started = performance.now();
    await delay(REPORT_TAKES_MS);
    const orders = [...this.#orders.values()];
    const revenue = orders.reduce((sum, { total }) => sum + total, 0);
    const durationMs = Math.round(performance.now() - started);
    this.#logger.warn('The sales report is slow', { durationMs, orders: orders.length });
    return { orders: orders.length, revenue };
  }
}
