export interface ShopRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What customers do, and how often in 80 requests, which are two seconds of the demo. */
const MIX: readonly (readonly [times: number, make: (n: number, orderId: number) => ShopRequest])[] = [
  [22, (n) => ({ method: 'GET', path: `/users/${1 + (n % 3)}` })],
  [18, (_, orderId) => ({ method: 'GET', path: `/orders/${orderId}` })],
  [20, (n) => placeOrder(n)],
  [11, (_, orderId) => ({ method: 'POST', path: '/payments', body: { orderId, card: 'visa' } })],
  // The slow route.
  [1, () => ({ method: 'GET', path: '/orders/report' })],
  // Mistakes of the client: 404, 400 (by the validation), 400 (by the shop), 402 and 404.
  [2, () => ({ method: 'GET', path: '/users/404' })],
  [2, () => ({ method: 'POST', path: '/orders', body: { userId: 'me', quantity: 99 } })],
  [1, () => ({ method: 'POST', path: '/orders', body: { userId: 1, sku: 'unicorn', quantity: 1 } })],
  [1, (_, orderId) => ({ method: 'POST', path: '/payments', body: { orderId, card: 'expired' } })],
  [1, () => ({ method: 'GET', path: '/wp-login.php' })],
  // A bug of the shop: 500. Another 500 comes from the bank, which breaks off one payment in twelve.
  [1, () => ({ method: 'GET', path: '/users/7/label' })],
];

const CYCLE = MIX.flatMap(([times, make]) => Array.from({ length: times }, () => make));
/** Has no factor in common with the length of the cycle: every kind comes up, well mixed, and always the same. */
const STRIDE = 31;

/** The request number `n`. `orderId` is an order that exists; undefined before there is one. */
export function requestAt(n: number, orderId: number | undefined): ShopRequest {
  const make = CYCLE[(n * STRIDE) % CYCLE.length];
  return make === undefined || orderId === undefined ? placeOrder(n) : make(n, orderId);
}

function placeOrder(n: number): ShopRequest {
  const sku = ['mug', 'notebook', 'lamp'][n % 3];
  return { method: 'POST', path: '/orders', body: { userId: 1 + (n % 3), sku, quantity: 1 + (n % 2) } };
}
