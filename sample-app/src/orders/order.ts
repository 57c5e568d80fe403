export interface Order {
  readonly id: number;
  readonly userId: number;
  readonly sku: string;
  readonly quantity: number;
  /** In cents. */
  readonly total: number;
}

export interface SalesReport {
  readonly orders: number;
  /** In cents. */
  readonly revenue: number;
}
