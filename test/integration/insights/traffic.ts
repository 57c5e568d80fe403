import { messageTemplate } from 'nestjs-redis-log/core';

/** Lines as an HTTP application logs them: their statement, and how often it comes up among the others. */
const STATEMENTS: readonly (readonly [weight: number, text: (n: number) => string])[] = [
  [400, (n) => `GET /orders/${n} 200 ${n % 931}ms`],
  [300, (n) => `GET /products/${hex(n)}/reviews 200 ${n % 733}ms`],
  [150, (n) => `POST /orders 201 ${n % 377}ms - user ${n}`],
  [120, (n) => `User ${n} signed in from 10.${n % 200}.${n % 251}.${n % 17}`],
  [100, (n) => `Cache miss for key "product:${n}"`],
  [90, (n) => `Query took ${n % 1_999}ms: SELECT * FROM orders WHERE id = ${n}`],
  [80, (n) => `Published event ${uuid(n)} to topic orders.placed`],
  [70, (n) => `Payment pay_${hex(n)}${hex(n + 7)} authorised after ${n % 911} ms`],
  [60, (n) => `Sent confirmation to customer${n}@example.org`],
  [50, (n) => `Stock of SKU-${n % 4_000} is down to ${n % 40}`],
  [40, (n) => `Retrying job ${uuid(n)}, attempt ${n % 5}`],
  [30, (n) => `Session ${hex(n)}${hex(n * 3)} expired`],
  [25, (n) => `Rate limit of client 192.168.${n % 255}.${n % 251} exceeded`],
  [20, (n) => `Connection to 10.0.0.${n % 250}:5432 was lost, trying again in ${n % 30}s`],
  [15, (n) => `Slow request: GET /reports/${n} took ${2_000 + (n % 9_000)}ms`],
  [12, (n) => `Validation failed for field 'items[${n % 9}].quantity'`],
  [10, (n) => `Webhook delivery to "https://example.org/${n}" failed with status ${n % 2 === 0 ? 500 : 502}`],
  [8, (n) => `Coupon '${hex(n)}' is not valid for order ${n}`],
  [6, (n) => `Worker ${n % 16} processed ${n % 500} messages`],
  [5, (n) => `Health check took ${n % 90}ms`],
  [4, (n) => `Imported ${n % 7_000} rows in ${n % 31}s`],
  [3, () => 'Configuration was reloaded'],
  [2, (n) => `Disk usage is at ${n % 100}%`],
  [1, (n) => `Deadlock found when updating order ${n}`],
];
const SUM = STATEMENTS.reduce((sum, [weight]) => sum + weight, 0);

function hex(n: number): string {
  return (0x1_a000_000 + ((n * 2_654_435_761) % 0xfff_ffff)).toString(16);
}

function uuid(n: number): string {
  const digits = hex(n) + hex(n + 1) + hex(n + 2) + hex(n + 3);
  return digits
    .slice(0, 32)
    .padEnd(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same lines for the same numbers; a linear congruential generator is random enough here. */
export function* httpLines(count: number, seed = 1): Generator<string> {
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let at = state % SUM;
    const statement = STATEMENTS.find(([weight]) => (at -= weight) < 0);
    yield statement?.[1](1_000 + (state >>> 5)) ?? '';
  }
}

/** How often each template comes up, the most frequent first: counted without Redis. */
export function countOffline(lines: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const template = messageTemplate(line);
    counts.set(template, (counts.get(template) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
