import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';

/** Prices in cents. */
const PRICES: ReadonlyMap<string, number> = new Map([
  ['mug', 1_250],
  ['notebook', 690],
  ['lamp', 4_900],
]);

const FULL = 40;
const LOW = 10;
const CHECK_EVERY_MS = 2_000;

@Injectable()
export class StockService {
  readonly #logger = new Logger(StockService.name);
  readonly #left = new Map([...PRICES.keys()].map((sku) => [sku, FULL]));

  /** Undefined for what the shop does not sell. */
  priceOf(sku: string): number | undefined {
    return PRICES.get(sku);
  }

  take(sku: string, quantity: number): void {
    this.#left.set(sku, Math.max(0, (this.#left.get(sku) ?? 0) - quantity));
  }

  /** The scheduled job: it runs outside of any request, so its records have no trace. */
  @Interval(CHECK_EVERY_MS)
  restock(): void {
    this.#logger.log('Stock checked', { left: Object.fromEntries(this.#left) });
    for (const [sku, left] of this.#left) {
      if (left >= LOW) continue;
      this.#logger.warn('Stock was low, and is filled up', { sku, left });
      this.#left.set(sku, FULL);
    }
  }
}
