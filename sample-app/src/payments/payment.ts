export interface Payment {
  readonly orderId: number;
  /** In cents. */
  readonly amount: number;
  /** The bank's own reference. */
  readonly reference: string;
}

/** The bank could not be asked: whether the card is good nobody knows. */
export class PaymentFailedError extends Error {
  override readonly name = 'PaymentFailedError';
  readonly orderId: number;

  constructor(orderId: number, cause: unknown) {
    super(`The payment of order ${orderId} failed`, { cause });
    this.orderId = orderId;
  }
}
