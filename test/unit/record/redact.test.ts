import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Censor } from '../../../src/options/types.js';
import type { Attributes } from '../../../src/record/log-record.js';
import { Normalizer } from '../../../src/record/normalize.js';
import { compileRedactor, SAFE_REDACT_PATHS } from '../../../src/record/redact.js';

function redacted(source: object, paths: readonly string[], censor: Censor = '[Redacted]'): Attributes {
  const attributes: Attributes = {};
  new Normalizer().attributes(source, attributes);
  compileRedactor({ paths, censor }).redact(attributes);
  return attributes;
}

const safe = compileRedactor({ paths: SAFE_REDACT_PATHS, censor: '[Redacted]' });

const NO_PATHS = [
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a*',
  'a[',
  'a[b]',
  'a["b]',
  'a[]',
  'a[*]b',
  'a.[0]',
  '**',
  '**.a.b',
  '**.*',
  '**.*-',
  '**.*a*',
  '**.*a.b',
  '**a',
  '**.-',
  'a.**.b',
];

describe('paths that a user names', () => {
  const R = '[Redacted]';
  it.each<[string, object, object]>([
    [
      'password',
      { password: 1, Password: 2, a: { password: 3 } },
      { password: R, Password: 2, a: { password: 3 } },
    ],
    ['a.b.c', { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: R, d: 2 } } }],
    ['a[*].b', { a: [{ b: 1 }, { c: 2 }, { b: null }] }, { a: [{ b: R }, { c: 2 }, { b: R }] }],
    ['a[1].b', { a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }, { b: R }] }],
    [
      '*.secret',
      { a: { secret: 1 }, secret: 2, b: { c: { secret: 3 } } },
      { a: { secret: R }, secret: 2, b: { c: { secret: 3 } } },
    ],
    ['a.*', { a: { b: 1, c: { d: 2 } }, e: 3 }, { a: { b: R, c: R }, e: 3 }],
    ['a[*]', { a: [1, { b: 2 }] }, { a: [R, R] }],
    ['*.*.c', { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: R, d: 2 } } }],
    ['["x-y"]', { 'x-y': 1, x: { y: 2 } }, { 'x-y': R, x: { y: 2 } }],
    ['a["b.c"].d', { a: { 'b.c': { d: 1 } } }, { a: { 'b.c': { d: R } } }],
    ["a['b]'].c", { a: { 'b]': { c: 1 } } }, { a: { 'b]': { c: R } } }],
    ['user.email', { 'user.email': 1, user: { email: 2 } }, { 'user.email': R, user: { email: R } }],
    [
      '["__proto__"].x',
      JSON.parse('{"__proto__":{"x":1}}') as object,
      JSON.parse(`{"__proto__":{"x":"${R}"}}`) as object,
    ],
    ['missing.path', { a: 1 }, { a: 1 }],
  ])('%s', (path, source, expected) => {
    expect(JSON.stringify(redacted(source, [path]))).toBe(JSON.stringify(expected));
  });

  it('hold together: a wildcard does not keep a longer path from matching', () => {
    expect(redacted({ a: { b: 1, c: { d: 2, e: 3 } } }, ['*.b', 'a.c.d', 'a.*.e'])).toEqual({
      a: { b: '[Redacted]', c: { d: '[Redacted]', e: '[Redacted]' } },
    });
  });

  it.each(NO_PATHS)('are refused when they are none: %j', (path) => {
    let thrown: unknown;
    try {
      compileRedactor({ paths: [path], censor: 'x' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'REDIS_LOG_INVALID_OPTIONS', subject: 'redact' });
    expect(String(thrown)).toContain(`redact: "${path}" is no path: `);
  });

  it('are refused, like the censor, when they are no texts', () => {
    expect(() => compileRedactor({ paths: [7 as unknown as string], censor: 'x' })).toThrow('a number');
    expect(() => compileRedactor({ paths: [], censor: 7 as unknown as string })).toThrow('redact.censor');
  });
});

describe('the safe list', () => {
  it('finds the names of credentials at any depth, in any case, with or without - and _', () => {
    const source = {
      Authorization: 's',
      'PROXY-AUTHORIZATION': 's',
      Cookie: ['s'],
      'set-cookie': { a: 's' },
      pwd: 's',
      passwd: 's',
      list: [
        { accessToken: 's' },
        { refresh_token: 's', deep: { id_token: 's', clientSecret: 's', token: 's' } },
      ],
      api: { apiKey: 's', api_key: 's', 'X-API-Key': 's', APIKEY: 's' },
      db: { connectionString: 's', secret: 's' },
    };
    const attributes = redacted(source, SAFE_REDACT_PATHS);
    expect(JSON.stringify(attributes)).not.toContain('"s"');
  });

  it('finds them as the end of a longer name', () => {
    const source = {
      dbPassword: 's',
      DB_PASSWORD: 's',
      'user-password': 's',
      nested: [{ privateKey: 's', PASSPHRASE: 's', aws: { secretKey: 's', secret_access_key: 's' } }],
      sessionToken: 's',
      csrfToken: 's',
      'x-auth-token': 's',
      'http.request.header.x-amz-security-token': ['s'],
      jwt: 's',
    };
    expect(JSON.stringify(redacted(source, SAFE_REDACT_PATHS))).not.toContain('"s"');
    expect(redacted({ password_: 's', 'token--': 's', a_: 1 }, SAFE_REDACT_PATHS)).toEqual({
      password_: '[Redacted]',
      'token--': '[Redacted]',
      a_: 1,
    });
    expect(redacted({ HASŁO: 's' }, ['**.hasło'])).toEqual({ HASŁO: '[Redacted]' });
    expect(redacted({ homeIban: 's', iban: 's', ibanCount: 1 }, ['**.*iban'])).toEqual({
      homeIban: '[Redacted]',
      iban: '[Redacted]',
      ibanCount: 1,
    });
  });

  it('finds them as the last part of a dotted attribute name', () => {
    const source = {
      'http.request.header.authorization': ['Bearer x'],
      'db.password': 'x',
      'token.count': 5,
    };
    expect(redacted(source, SAFE_REDACT_PATHS)).toEqual({
      'http.request.header.authorization': '[Redacted]',
      'db.password': '[Redacted]',
      'token.count': 5,
    });
  });

  it('finds them among the pairs of a Map or of a list of headers', () => {
    const source = {
      map: new Map<unknown, unknown>([
        [1, 'kept'],
        ['password', 'x'],
      ]),
      headers: [
        ['accept', '*/*'],
        ['Cookie', 'sid=1'],
      ],
      fields: ['password', 'token'],
    };
    expect(redacted(source, SAFE_REDACT_PATHS)).toEqual({
      map: [
        [1, 'kept'],
        ['password', '[Redacted]'],
      ],
      headers: [
        ['accept', '*/*'],
        ['Cookie', '[Redacted]'],
      ],
      fields: ['password', 'token'],
    });
  });

  it('takes credentials out of URLs in values, messages and stacks', () => {
    const source = { error: new Error('connect redis://u:hunter2@h failed'), urls: ['amqp://u:hunter2@h/v'] };
    const attributes = redacted(source, SAFE_REDACT_PATHS);
    expect(JSON.stringify(attributes)).not.toContain('hunter2');
    expect(attributes['urls']).toEqual(['amqp://[Redacted]@h/v']);
    expect(safe.text('connect redis://u:hunter2@h')).toBe('connect redis://[Redacted]@h');
  });

  it('leaves alone what merely resembles a credential', () => {
    const source = {
      tokens: 12,
      tokenCount: 3,
      usage: { completion_tokens: 5 },
      passwordResetAt: '2026-01-01',
      passwordChanged: true,
      hasPassword: false,
      token: null,
      accessKeyId: 'AKIA',
      secretary: 'Ann',
      cookies: 2,
      path: '/login',
      mail: 'a@b.example',
    };
    expect(redacted(source, SAFE_REDACT_PATHS)).toEqual(source);
  });

  it('lets no planted secret through, however it is nested and spelled', () => {
    const names = SAFE_REDACT_PATHS.filter((path) => path.startsWith('**.')).map((path) => path.slice(3));
    const spelled = fc
      .tuple(fc.constantFrom(...names), fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }))
      .map(([name, upper]) =>
        Array.from(name, (char, at) => (upper[at] === true ? char.toUpperCase() : char)).join(''),
      );
    const layer = fc.constantFrom<(value: unknown) => unknown>(
      (value) => ({ nested: value, other: 1 }),
      (value) => [0, value],
      (value) => new Map([['entry', value]]),
      (value) => new Set([value]),
      (value) => Object.assign(new Error('x'), { details: value }),
      (value) => ({ toJSON: () => value }),
    );
    const planted = fc.constantFrom<(name: string) => unknown>(
      (name) => ({ [name]: 'S3CR3T' }),
      (name) => ({ [`http.request.header.${name}`]: ['S3CR3T'] }),
      (name) => ({ [name]: { inside: ['S3CR3T'] } }),
      (name) =>
        new Map<unknown, unknown>([
          [name, 'S3CR3T'],
          [{}, 1],
        ]),
      () => new URL('https://S3CR3T:S3CR3T@example.org'),
      () => 'see postgres://S3CR3T@db/x and redis://:S3CR3T@h',
    );
    fc.assert(
      fc.property(spelled, planted, fc.array(layer, { maxLength: 5 }), (name, plant, layers) => {
        const tree = layers.reduce((value, wrap) => wrap(value), plant(name));
        const attributes: Attributes = {};
        new Normalizer().attributes({ tree }, attributes);
        safe.redact(attributes);
        expect(JSON.stringify(attributes)).not.toContain('S3CR3T');
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is not named', () => {
  it('is not touched: without paths of the safe list no key and no URL is censored', () => {
    const source = { password: 'x', url: 'redis://u:p@h', a: { b: 1, c: [1] } };
    expect(redacted(source, ['a.b'])).toEqual({ ...source, a: { b: '[Redacted]', c: [1] } });
    expect(redacted(source, [])).toEqual(source);
    expect(compileRedactor({ paths: ['a.b'], censor: 'x' }).text('redis://u:p@h')).toBe('redis://u:p@h');
  });

  it('is right for every key name, however many different ones there are', () => {
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < 6_000; id++) {
        const attributes: Attributes = { [`user-${id}`]: 'kept', [`row${id}.token`]: 'gone' };
        safe.redact(attributes);
        expect(attributes[`user-${id}`] === 'kept' && attributes[`row${id}.token`] === '[Redacted]').toBe(
          true,
        );
      }
    }
  });
});

describe('the censor', () => {
  it('may be a function of the value and its path', () => {
    const seen: unknown[] = [];
    const censor: Censor = (value, path) => {
      seen.push([value, path]);
      return `${path.join('/')}:${String(value).length}`;
    };
    const source = { users: [{ card: '4111' }], token: 'abc', pairs: [['cookie', 'xy']] };
    expect(redacted(source, ['users[*].card', '**.token', '**.cookie'], censor)).toEqual({
      users: [{ card: 'users/0/card:4' }],
      token: 'token:3',
      pairs: [['cookie', 'pairs/0/1:2']],
    });
    expect(seen).toContainEqual(['4111', ['users', '0', 'card']]);
  });

  it('may return anything: it is normalised; undefined removes a property', () => {
    const answers: unknown[] = [5n, new Map([['a', 1]]), undefined];
    expect(redacted({ a: 1, b: 2, c: 3, d: 4 }, ['a', 'b', 'c'], () => answers.shift())).toStrictEqual({
      a: '5',
      b: { a: 1 },
      d: 4,
    });
    expect(redacted({ a: [1, 2] }, ['a[0]'], () => undefined)).toEqual({ a: [null, 2] });
  });

  it('never lets the secret through when it fails, and leaves the rest of the record alone', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const failing: Censor = () => {
        throw new Error('no');
      };
      const late: Censor = () => Promise.reject(new Error('late'));
      for (const censor of [failing, late]) {
        expect(redacted({ a: { token: 'S3CR3T', b: 1 } }, ['**.token'], censor)).toEqual({
          a: { token: '[Redaction failed]', b: 1 },
        });
      }
      // Node reports rejections that nobody took once the microtasks are done: an immediate comes after that.
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });

  it('may log a record of its own, which is redacted too', () => {
    const inner: Attributes[] = [];
    const redactor = compileRedactor({
      paths: ['**.token', '**.card'],
      censor: (_, path) => {
        const attributes: Attributes = { list: [{ card: 'S3CR3T' }] };
        if (path.includes('token')) {
          redactor.redact(attributes);
          inner.push(attributes);
        }
        return path.join('.');
      },
    });
    const outer: Attributes = { a: { b: { token: 'S3CR3T', card: 'S3CR3T' } } };
    redactor.redact(outer);
    expect(outer).toEqual({ a: { b: { token: 'a.b.token', card: 'a.b.card' } } });
    expect(inner).toEqual([{ list: [{ card: 'list.0.card' }] }]);
  });
});

describe('a tree that was not normalised', () => {
  it('fails closed, attribute by attribute', () => {
    const loop: Attributes = { token: 'S3CR3T' };
    loop['self'] = loop;
    const attributes: Attributes = {
      loop,
      frozen: Object.freeze({ token: 'S3CR3T' }),
      fine: { token: 'S3CR3T' },
    };
    safe.redact(attributes);
    expect(attributes).toEqual({
      loop: '[Redaction failed]',
      frozen: '[Redaction failed]',
      fine: { token: '[Redacted]' },
    });
  });
});
