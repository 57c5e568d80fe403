import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { ConsoleOutput } from '../../../src/nest/logger/console-output.js';
import { safeRedactor } from '../../../src/nest/logger/logger-core.js';

const SECRET = 'S3CR3T';
const FORMATS = ['pretty', 'json'] as const;
const NO_CONTEXT = {
  style: 'structured',
  context: undefined,
  spanContext: undefined,
  attributes: undefined,
} as const;

/** What is written to stdout and stderr meanwhile, without the time. */
function printedBy(work: () => void): string {
  const printed: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => printed.push(String(text)) > 0),
  );
  try {
    work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed
    .join('')
    .replace(/\d{1,2}\/\d{1,2}\/\d{4}, \d{1,2}:\d\d:\d\d [AP]M/g, '<time>')
    .replace(/"timestamp":\d+/g, '"timestamp":0');
}

/** The value as the message, as a parameter, and as what an error has with it. */
function callsWith(value: unknown): unknown[][] {
  const error = Object.assign(new Error('refused'), { details: value });
  return [
    ['m', { value }, 'Ctx'],
    [value, 'Ctx'],
    ['m', error, 'Ctx'],
    ['m', { error }, 'Ctx'],
    [{ error }, 'Ctx'],
  ];
}

function deep(value: unknown, levels: number): unknown {
  return levels === 0 ? value : { inner: deep(value, levels - 1) };
}

/** As `url.parse()` makes them. */
class Url {
  readonly auth = `user:${SECRET}`;
  readonly href = `https://user:${SECRET}@host/`;
}

class Account {
  [inspect.custom](): string {
    return `Account(${SECRET})`;
  }
}

class Sensitive extends Error {
  readonly #password = SECRET;

  [inspect.custom](): string {
    return `Sensitive ${this.#password}`;
  }

  toJSON(): object {
    return { password: this.#password };
  }
}

function request(): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.rawHeaders.push('Authorization', `Bearer ${SECRET}`, 'Cookie', `sid=${SECRET}`);
  return message;
}

/** Values in which a secret is, and where the copy that is looked at has no place for it. */
const HIDDEN: readonly (readonly [place: string, make: () => unknown])[] = [
  ['below many levels', () => deep({ password: SECRET }, 12)],
  ['below more levels than are looked at', () => deep({ password: SECRET }, 100)],
  ['after many items', () => [...Array.from({ length: 150 }, (_, n) => n), { password: SECRET }]],
  [
    'after many keys',
    () => ({ ...Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`k${n}`, n])), password: SECRET }),
  ],
  ['far into a text', () => ({ text: `${'x'.repeat(70_000)} https://user:${SECRET}@host/` })],
  ['in a URL', () => new URL(`https://user:${SECRET}@host/`)],
  ['in the query of a URL', () => new URL(`https://host/?token=${SECRET}`)],
  ['in an old URL', () => new Url()],
  ['in Headers', () => new Headers({ authorization: `Bearer ${SECRET}` })],
  ['in a Request', () => new Request('https://host/', { headers: { cookie: SECRET } })],
  ['in a request of Node', request],
  ['below a symbol', () => ({ [Symbol('state')]: { password: SECRET } })],
  ['below a symbol of an error', () => Object.assign(new Error('x'), { [Symbol('state')]: SECRET })],
  ['in what an object says of itself', () => new Account()],
  ['in what an error says of itself', () => new Sensitive('x')],
  [
    'behind a proxy',
    () => new Proxy({ password: SECRET }, { ownKeys: () => [], getOwnPropertyDescriptor: () => undefined }),
  ],
  ['in a property of a list', () => Object.assign([1], { password: SECRET })],
  ['in a property of a function', () => Object.assign(() => 1, { password: SECRET })],
  ['in a property of a Map', () => Object.assign(new Map(), { password: SECRET })],
  ['in a promise', () => Promise.resolve({ password: SECRET })],
  ['in a symbol', () => Symbol(`password=${SECRET}`)],
  [
    'in the command of an error inside an error',
    () => Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: [SECRET] } }),
  ],
];

/** Values without one: they look as Nest makes them look. */
const INNOCENT: readonly (readonly [name: string, make: () => unknown])[] = [
  ['a list of 200', () => Array.from({ length: 200 }, (_, n) => n)],
  ['an object of 200 keys', () => Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`k${n}`, n]))],
  ['twelve levels', () => deep('end', 12)],
  ['a long text', () => ({ text: 'x'.repeat(100_000) })],
  ['dates', () => ({ at: new Date(0), never: new Date(NaN) })],
  ['bytes', () => ({ bytes: Buffer.from('hello'), view: new Uint8Array(3) })],
  ['a URL', () => new URL('https://host/path?page=1')],
  ['an expression', () => /ab+/gi],
  [
    'Maps and Sets',
    () => ({
      map: new Map<unknown, unknown>([
        ['k', { v: 1 }],
        [1, 2],
      ]),
      set: new Set(['a', [1]]),
    }),
  ],
  [
    'an instance',
    () =>
      new (class Order {
        readonly id = 7;
        readonly lines = [{ sku: 'a' }];
      })(),
  ],
  [
    'an error',
    () => Object.assign(new TypeError('no', { cause: new Error('deeper') }), { code: 'E_NO', errno: -2 }),
  ],
  ['several errors', () => new AggregateError([new Error('a'), new Error('b')], 'both')],
  ['functions', () => ({ run: () => 1, Type: class Type {} })],
  ['symbols, bigints and nothing', () => ({ s: Symbol('s'), n: null, u: undefined, nan: NaN, yes: true })],
  [
    'what is shared',
    () => {
      const shared = { a: 1 };
      return { one: shared, two: shared };
    },
  ],
  ['no prototype', () => Object.assign(Object.create(null) as object, { a: 1 })],
];

describe('The console that redacts', () => {
  it('is done at once with errors that refer to each other in circles', () => {
    const errors = Array.from({ length: 20 }, (_, at) => new Error(`part ${at}`));
    const all = new AggregateError(errors, 'several');
    for (const error of errors) error.cause = all;
    all.errors.push(...Array.from({ length: 20 }, () => all));
    const output = new ConsoleOutput('json', safeRedactor(undefined));
    const text = printedBy(() => output.print('error', [all], NO_CONTEXT));
    expect(text).toContain('several');
  });

  it.each(HIDDEN)('shows no secret that is %s', (_, make) => {
    const printedWithout: string[] = [];
    for (const format of FORMATS) {
      const output = new ConsoleOutput(format, safeRedactor(undefined));
      const plain = new ConsoleOutput(format, undefined);
      for (const args of callsWith(make())) {
        const printed = printedBy(() => output.print('error', args, NO_CONTEXT));
        expect(printed).not.toContain(SECRET);
        expect(printed).not.toBe('');
        printedWithout.push(printedBy(() => plain.print('error', args, NO_CONTEXT)));
      }
    }
    // It was there to be hidden.
    expect(printedWithout.join('')).toContain(SECRET);
  });

  it.each(INNOCENT)('prints as Nest does where there is no secret: %s', (_, make) => {
    for (const format of FORMATS) {
      const output = new ConsoleOutput(format, safeRedactor(undefined));
      const nest = new ConsoleLogger({ json: format === 'json' });
      for (const [message, ...rest] of callsWith(make())) {
        const expected = printedBy(() => nest.error(message, ...rest));
        expect(printedBy(() => output.print('error', [message, ...rest], NO_CONTEXT))).toBe(expected);
      }
    }
  });
});
