import { runInNewContext } from 'node:vm';

/** Values of every kind that people hand to a logger. Made once, so that two loggers get the very same ones. */

export class Order {
  readonly id = 7;
  readonly state = 'open';
}

class Payment {
  readonly amount = 12n;

  toJSON(): object {
    return { paid: true };
  }
}

export class PaymentDeclined extends Error {
  override readonly name = 'PaymentDeclined';
  readonly code = 'E_DECLINED';
  readonly status = 402;
  readonly details = { left: 'out' };
}

export const error = new Error('boom');
export const typeError = new TypeError('not a function');
export const withCode = Object.assign(new Error('connect ECONNREFUSED'), {
  code: 'ECONNREFUSED',
  errno: -111,
});
export const declined = new PaymentDeclined('card declined', { cause: withCode });
class PaymentTimeout extends Error {}
export const unnamedClass = Object.assign(new PaymentTimeout('too late'), { type: 'timeout' });
export const aggregate = new AggregateError([error, declined, 'a text'], 'three failed');
export const emptyError = new Error('');
export const textCause = new Error('outer', { cause: 'the inner reason' });
export const nullCause = new Error('outer', { cause: null });
export const objectCause = new Error('outer', { cause: { reason: 'quota', left: 0 } });
export const selfCause: Error = new Error('its own cause');
selfCause.cause = selfCause;
export const withoutStack = Object.assign(new Error('no stack'), { stack: undefined });
export const deepCause = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'].reduce<Error>(
  (cause, text) => new Error(text, { cause }),
  new Error('root'),
);
export const foreignError = runInNewContext("new TypeError('from another realm')") as Error;
export const foreignObject = runInNewContext('({ realm: "other", n: 1 })') as object;

export const stack = String(error.stack);
export const emptyMessageStack = '\n    at handler (/app/main.js:10:5)';
export const multilineStack = 'Error: first line\nsecond line\n    at handler (/app/main.js:10:5)';
export const tabbedStack = 'Error: x\n\tat handler (/app/main.js:10:5)';
export const almostStack = 'Error: x\n    at handler (native)';

export const order = new Order();
export const payment = new Payment();
export const date = new Date('2026-01-02T03:04:05.678Z');
export const map = new Map<string, unknown>([['a', { b: 1 }]]);
export const set = new Set([1, 'two']);
export const withoutPrototype = Object.assign(Object.create(null) as object, { bare: true });
export const derivedObject = Object.create(
  { inherited: 1 },
  { own: { value: 2, enumerable: true } },
) as object;
export const circular: Record<string, unknown> = { name: 'loop' };
circular['self'] = circular;
export const listOfErrors = [error, declined];
export const withDeepError = { request: { result: { err: declined } } };
export const regexp = /^a+$/i;
export const url = new URL('https://example.com/orders?page=2');
export const withError = { orderId: 1, err: declined };
export const withFunctions = { keep: 1, run: () => 2, made: Order };
export const withOdd = { nothing: undefined, nil: null, nan: Number.NaN, big: 10n, when: date, tags: ['a'] };
export const withReserved = { message: 'mine', level: 'mine', context: 'mine', stack: 'mine', error: 'mine' };
export const getter = {
  get total(): number {
    return 3;
  },
};

export const lazyText = (): string => 'made late';
export const lazyObject = (): object => ({ made: 'late' });
export const lazyLazy = () => lazyText;
export const lazyError = (): Error => declined;
export const lazyClass = () => Order;
export const lazyUndefined = (): undefined => undefined;
export function declaredLazy(this: unknown): string {
  return `this is ${typeof this}`;
}
