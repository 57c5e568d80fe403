import { HttpException, HttpStatus, Injectable } from '@nestjs/common';
import { InjectRedisLogger, RedisLogContext, RedisLogger } from 'nestjs-redis-log';
import { OrdersService } from '../orders/orders.service.js';
import { BankClient } from './bank.client.js';
import type { CreatePaymentDto } from './dto/create-payment.dto.js';
import { type Payment, PaymentFailedError } from './payment.js';

@Injectable()
export class PaymentsService {
  readonly #orders: OrdersService;
  readonly #bank: BankClient;
  readonly #logger: RedisLogger;

  /** The logger comes by injection here, and has this class as its context; elsewhere it is Nest's own. */
  constructor(orders: OrdersService, bank: BankClient, @InjectRedisLogger() logger: RedisLogger) {
    this.#orders = orders;
    this.#bank = bank;
    this.#logger = logger;
  }

  async pay({ orderId, card }: CreatePaymentDto): Promise<Payment> {
    RedisLogContext.assign({ 'order.id': orderId });
    const { total: amount } = this.#orders.find(orderId);
    const reference = await this.#charge(orderId, () => this.#bank.charge(card, amount));
    if (reference === undefined) {
      this.#logger.warn('Card declined', { card });
      throw new HttpException('The card was declined.', HttpStatus.PAYMENT_REQUIRED);
    }
    this.#logger.log('Order paid', { amount, reference });
    return { orderId, amount, reference };
  }

  async #charge<T>(orderId: number, charge: () => Promise<T>): Promise<T> {
    try {
      return await charge();
    } catch (error) {
      throw new PaymentFailedError(orderId, error);
    }
  }
}
