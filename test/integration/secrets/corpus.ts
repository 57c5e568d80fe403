import { Redis } from 'ioredis';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** Begins every secret; what follows says where it was planted. */
export const SECRET = 'hunter2';

/** Values that applications log, each with secrets in places where they really turn up. */
export function plantedValues(): readonly (readonly [place: string, value: unknown])[] {
  const secret = (place: string): string => `${SECRET}-${place}`;
  return [
    [
      'headers',
      {
        headers: {
          authorization: `Bearer ${secret('authorization')}`,
          Cookie: `session=${secret('cookie')}`,
          'Set-Cookie': [`session=${secret('set-cookie')}; HttpOnly`],
          'X-API-Key': secret('x-api-key'),
          'Proxy-Authorization': secret('proxy'),
        },
      },
    ],
    ['pairs', { headers: new Map([['Authorization', secret('map')]]), list: [['cookie', secret('pair')]] }],
    ['raw headers', { request: { rawHeaders: ['Host', 'h', 'Authorization', secret('raw')] } }],
    [
      'body',
      {
        body: {
          user: { name: 'Ada', password: secret('password'), passwd: secret('passwd'), pwd: secret('pwd') },
          tokens: { token: secret('token'), accessToken: secret('at'), refresh_token: secret('rt') },
          keys: [{ apiKey: secret('api-key'), client_secret: secret('cs'), secret: secret('secret') }],
        },
      },
    ],
    ['deep', { a: { b: { c: { d: { e: [{ f: { password: secret('deep') } }] } } } } }],
    ['dotted', { 'db.password': secret('dotted'), 'http.request.header.cookie': [secret('dotted-cookie')] }],
    ['urls', { url: `redis://app:${secret('url')}@h/0`, all: [`https://${secret('user')}@h`] }],
    [
      'query',
      { url: `https://h/login?user=ada&access_token=${secret('query')}&n=1#token=${secret('hash')}` },
    ],
    ['connection string', { dsn: `Server=db;User Id=sa;Password=${secret('dsn')};` }],
    ['JSON', { payload: JSON.stringify({ user: 'ada', password: secret('json'), token: 7 }) }],
    [
      'JSON in JSON',
      { payload: JSON.stringify({ inner: JSON.stringify({ password: secret('json-json') }) }) },
    ],
    ['raw request', { head: `GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic ${secret('head')}\r\n\r\n` }],
    ['options', { connectionString: secret('cs'), options: { connection: { password: secret('options') } } }],
    ['getter', Object.defineProperty({}, 'password', { get: () => secret('getter'), enumerable: true })],
    ['toJSON', { user: { toJSON: () => ({ password: secret('to-json') }) } }],
    ['buffer', { password: Buffer.from(secret('buffer')) }],
    [
      'other names',
      {
        dbPassword: secret('db'),
        DB_PASSWORD: secret('env'),
        keys: {
          privateKey: secret('private'),
          passphrase: secret('phrase'),
          secretKey: secret('secret-key'),
        },
        headers: { 'x-auth-token': secret('auth'), 'x-amz-security-token': secret('amz') },
        session: { sessionToken: secret('session'), csrfToken: secret('csrf'), jwt: secret('jwt') },
      },
    ],
    [
      'command line',
      `DB_PASSWORD=${secret('assigned')} curl -u app:${secret('curl')} with Bearer ${secret('bearer')}`,
    ],
    ['very deep', nested({ password: secret('very-deep') }, 20)],
    ['long list', [...Array.from({ length: 200 }, (_, n) => n), { password: secret('after-200') }]],
    ['long text', { text: `${'x'.repeat(70_000)} redis://app:${secret('after-70000')}@h` }],
    ['URL', { url: new URL(`https://app:${secret('url-object')}@h/?token=${secret('url-query')}`) }],
    ['Headers', { headers: new Headers({ authorization: `Bearer ${secret('headers-object')}` }) }],
    ['symbol', { [Symbol('state')]: { password: secret('symbol') } }],
    ['request', { req: rawRequest(secret('request')) }],
  ];
}

function nested(value: unknown, levels: number): unknown {
  return levels === 0 ? value : { inner: nested(value, levels - 1) };
}

/** As a server has it. */
function rawRequest(secret: string): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders.push(
    'Authorization',
    `Bearer ${secret}`,
    'Cookie',
    `sid=${secret}`,
    'X-API-Key',
    secret,
  );
  return request;
}

/** Errors with secrets, as libraries make them. */
export function plantedErrors(): readonly (readonly [place: string, error: unknown])[] {
  const secret = (place: string): string => `${SECRET}-error-${place}`;
  const http = Object.assign(new Error('Request failed with status code 401'), {
    code: 'ERR_BAD_REQUEST',
    config: {
      url: `https://api/x?token=${secret('config-url')}`,
      headers: { Authorization: `Bearer ${secret('config')}` },
      auth: { username: 'app', password: secret('auth') },
      data: JSON.stringify({ password: secret('data') }),
    },
    request: { _header: `POST /x HTTP/1.1\r\nauthorization: Bearer ${secret('_header')}\r\n\r\n` },
    response: { headers: { 'set-cookie': [secret('response')] } },
  });
  const reply = Object.assign(new Error('WRONGPASS invalid username-password pair or user is disabled.'), {
    name: 'ReplyError',
    command: { name: 'auth', args: ['app', secret('auth-args')] },
  });
  const message = `connect to postgres://app:${secret('message')}@db:5432/shop failed`;
  return [
    ['message', new Error(message)],
    ['cause', new Error('query failed', { cause: new Error(message, { cause: reply }) })],
    ['several', new AggregateError([new Error(message), reply, http], 'all of them failed')],
    ['HTTP client', http],
    ['command', reply],
    ['driver', Object.assign(new Error('refused'), { connectionString: secret('driver') })],
    [
      'body parser',
      Object.assign(new SyntaxError('bad JSON'), { body: `{"password":"${secret('parser')}"` }),
    ],
    ['thrown text', `login of ada with password=${secret('thrown')} failed`],
    [
      'thrown object',
      { message, password: secret('object'), stack: `Error: ${message}\n    at x (y.js:1:1)` },
    ],
  ];
}

/** Errors that ioredis really makes: of a wrong password, and of a server that is not there. */
export async function redisErrors(url: string): Promise<readonly (readonly [string, unknown])[]> {
  const { hostname, port } = new URL(url);
  const found: [string, unknown][] = [];
  const options = { retryStrategy: () => null, maxRetriesPerRequest: 0, lazyConnect: true } as const;
  for (const target of [
    `redis://app:${SECRET}-wrong@${hostname}:${port}`,
    `redis://:${SECRET}-away@127.0.0.1:1`,
  ]) {
    const redis = new Redis(target, options);
    redis.on('error', (error) => found.push(['ioredis event', error]));
    await redis.connect().catch((error: unknown) => found.push(['ioredis connect', error]));
    await redis.auth(`${SECRET}-auth`).catch((error: unknown) => found.push(['ioredis auth', error]));
    redis.disconnect();
  }
  const redis = new Redis(url, options);
  await redis
    .call('AUTH', 'app', `${SECRET}-call`)
    .catch((error: unknown) => found.push(['ioredis call', error]));
  await redis
    .call('EVAL', "return redis.call('no')", '0', SECRET)
    .catch((error: unknown) => found.push(['ioredis eval', error]));
  redis.disconnect();
  return found;
}
