import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Card } from './dto/create-payment.dto.js';

const ANSWERS_AFTER_MS = 15;
/** One connection in so many breaks. */
const BREAKS_EVERY = 12;

/** Stands in for a bank across the network: slow, and not to be relied upon. */
@Injectable()
export class BankClient {
  #charges = 0;

  /** Returns the bank's reference; undefined when the card was declined. */
  async charge(card: Card, amount: number): Promise<string | undefined> {
    const charge = ++this.#charges;
    await delay(ANSWERS_AFTER_MS);
    if (charge % BREAKS_EVERY === 0) {
      const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
      throw new Error('The bank closed the connection', { cause });
    }
    return card === 'expired' ? undefined : `bank-${charge}-${amount}`;
  }
}
