import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createDiagnostics,
  describeError,
  DIAGNOSTICS_CHANNEL,
  maskUrl,
  type DiagnosticEvent,
} from '../../src/diagnostics.js';
import { RedisLogError } from '../../src/errors.js';

function recorder(intervalMs?: number) {
  const lines: string[] = [];
  const clock = { now: 0 };
  const write = (line: string): void => void lines.push(line);
  const options = { write, now: () => clock.now, ...(intervalMs === undefined ? {} : { intervalMs }) };
  return { lines, clock, diagnostics: createDiagnostics(options) };
}

describe('diagnostics', () => {
  afterEach(() => vi.restoreAllMocks());

  it('tell on one line who speaks and how serious it is', () => {
    const { lines, diagnostics } = recorder();
    diagnostics.info('a', 'logs go to redis');
    diagnostics.warn('b', 'queue half full');
    diagnostics.error('c', 'first\nsecond\u001b[31m');
    expect(lines).toEqual([
      '[nestjs-redis-log] logs go to redis',
      '[nestjs-redis-log] warning: queue half full',
      '[nestjs-redis-log] error: first second [31m',
    ]);
  });

  it('tell each key once in an interval, and then how many were left out', () => {
    const { lines, clock, diagnostics } = recorder(1_000);
    for (let i = 0; i < 5; i++) diagnostics.warn('down', 'Redis is away');
    diagnostics.warn('other', 'something else');
    expect(lines).toHaveLength(2);
    clock.now = 999;
    diagnostics.warn('down', 'Redis is away');
    expect(lines).toHaveLength(2);
    clock.now = 1_000;
    diagnostics.warn('down', 'Redis is away');
    expect(lines.at(-1)).toBe(
      '[nestjs-redis-log] warning: Redis is away (and 5 more like this since the last line)',
    );
    clock.now = 2_000;
    diagnostics.warn('down', 'Redis is away');
    expect(lines.at(-1)).toBe('[nestjs-redis-log] warning: Redis is away');
  });

  it('wait ten seconds between two lines of a key unless told otherwise', () => {
    const { lines, clock, diagnostics } = recorder();
    diagnostics.warn('a', 'x');
    clock.now = 9_999;
    diagnostics.warn('a', 'x');
    clock.now = 10_000;
    diagnostics.warn('a', 'x');
    expect(lines).toHaveLength(2);
  });

  it('forget the oldest key, so that keys from outside cannot fill the memory', () => {
    const { lines, diagnostics } = recorder();
    for (let i = 0; i < 257; i++) diagnostics.warn(`stream-${i}`, 'x');
    diagnostics.warn('stream-256', 'still known');
    diagnostics.warn('stream-0', 'forgotten');
    expect(lines).toHaveLength(258);
  });

  it('reach subscribers of the diagnostics channel, whose own diagnostics do not come back to them', () => {
    const { lines, diagnostics } = recorder();
    const events: DiagnosticEvent[] = [];
    const listener = (event: unknown): void => {
      events.push(event as DiagnosticEvent);
      diagnostics.warn(`caused-by-${events.length}`, 'from the subscriber');
    };
    subscribe(DIAGNOSTICS_CHANNEL, listener);
    diagnostics.warn('a', 'x');
    unsubscribe(DIAGNOSTICS_CHANNEL, listener);
    expect(events).toEqual([{ level: 'warn', key: 'a', message: 'x', suppressed: 0 }]);
    expect(lines).toHaveLength(2);
  });

  it('never throw, whatever is passed and however writing fails', () => {
    const write = (): void => {
      throw new Error('EPIPE');
    };
    const broken = createDiagnostics({ write });
    expect(() => broken.error('a', 'x')).not.toThrow();
    const { diagnostics } = recorder();
    expect(() => diagnostics.warn('a', undefined as unknown as string)).not.toThrow();
  });

  it('go to stderr by default, also to a replaced one', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    createDiagnostics().info('a', 'hello %s');
    expect(write.mock.calls[0]?.[0]).toBe('[nestjs-redis-log] hello %s\n');
  });

  it('leave a process alive whose stderr is closed', async () => {
    const hooks = `import { registerHooks } from 'node:module'; registerHooks({ resolve(name, context, next) {
      return next(name.startsWith('./') ? name.replace('.js', '.ts') : name, context); } });`;
    const program = `import { createDiagnostics } from ${JSON.stringify(new URL('../../src/diagnostics.ts', import.meta.url).href)};
      process.stdin.once('data', () => {
        for (let i = 0; i < 10; i++) createDiagnostics().error('key', 'x'.repeat(1_000));
        process.exitCode = 7;
      });
      process.stdout.write('ready');`;
    const child = spawn(process.execPath, [
      '--import',
      `data:text/javascript,${encodeURIComponent(hooks)}`,
      '--input-type=module',
      '--eval',
      program,
    ]);
    await once(child.stdout, 'data');
    child.stderr.destroy();
    await once(child.stderr, 'close');
    child.stdin.end('go');
    const [code] = await once(child, 'exit');
    expect(code).toBe(7);
  });
});

describe('maskUrl', () => {
  it.each([
    ['redis://host:6379/0', 'redis://host:6379/0'],
    ['redis://user:secret@host:6379/0', 'redis://***@host:6379/0'],
    ['rediss://:secret@host', 'rediss://***@host'],
    ['redis://:se@cr:et/@host', 'redis://***@host'],
    ['redis://host?password=secret', 'redis://host?***'],
    ['redis://host#secret', 'redis://host?***'],
    ['redis://[::1]:6379', 'redis://[::1]:6379'],
    ['redis://:secret', 'redis://***'],
    ['redis://user:secret', 'redis://***'],
    ['host:6379', 'host:6379'],
    ['localhost', 'localhost'],
    ['/run/redis.sock', '/run/redis.sock'],
    ['user:secret@host', '***@host'],
    ['secret', '***'],
    ['', '***'],
  ])('shows %j as %j', (text, expected) => {
    expect(maskUrl(text)).toBe(expected);
  });

  it('never shows a password that stands before the host, encoded or not', () => {
    const password = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => `<${text}>`);
    fc.assert(
      fc.property(password, fc.boolean(), (secret, encoded) => {
        const written = encoded ? encodeURIComponent(secret) : secret;
        expect(maskUrl(`redis://user:${written}@host:6379/1`)).toBe('redis://***@host:6379/1');
      }),
    );
  });
});

describe('describeError', () => {
  function replyError(message: string): Error {
    return Object.assign(new Error(message), {
      name: 'ReplyError',
      command: { name: 'auth', args: ['default', 'hunter2'] },
    });
  }

  it('explains what Redis answered, without the answer', () => {
    const wrong = describeError(replyError('WRONGPASS invalid username-password pair or user is disabled.'));
    expect(wrong).toMatch(/^ReplyError WRONGPASS \(.*password is wrong.*\)$/);
    const leaking = describeError(replyError("WRONGTYPE the body was {'password':'hunter2'}"));
    expect(leaking).toMatch(/^ReplyError WRONGTYPE \(.*\)$/);
    for (const code of ['NOAUTH', 'NOPERM', 'LOADING', 'OOM', 'READONLY']) {
      expect(describeError(replyError(`${code} hunter2`))).toMatch(
        new RegExp(`^ReplyError ${code} \\(.+\\)$`),
      );
    }
    expect(describeError(replyError('-OOM command not allowed'))).toContain(
      'OOM (the server is at maxmemory',
    );
  });

  it('tells where nothing answered, from a real refused connection', async () => {
    const redis = new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true, retryStrategy: () => null });
    const failed = once(redis, 'error');
    await redis.connect().catch(() => undefined);
    const [error] = await failed;
    expect(describeError(error)).toMatch(/^Error ECONNREFUSED 127\.0\.0\.1:1 \(nothing listens there/);
  });

  it('looks into errors that wrap others', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', address: '::1', port: 6379 });
    const all = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
    expect(describeError(all)).toContain('AggregateError ECONNREFUSED ::1:6379 (');
    const cluster = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: refused });
    expect(describeError(cluster)).toContain('ECONNREFUSED ::1:6379 (');
    expect(describeError(new Error('x', { cause: refused }))).toContain('ECONNREFUSED ::1:6379 (');
  });

  it.each(['ENOTFOUND', 'ETIMEDOUT', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT'])(
    'explains %s',
    (code) => {
      const error = Object.assign(new Error('x'), { code, hostname: 'redis.example' });
      expect(describeError(error)).toMatch(new RegExp(`^Error ${code} redis\\.example \\(.+\\)$`));
    },
  );

  it('shows constant messages of ioredis whole', () => {
    expect(describeError(new Error('Connection is closed.'))).toBe(
      'Error: Connection is closed. (not connected to Redis at this moment)',
    );
  });

  it('shows messages of this package whole, since they hold no secrets', () => {
    const error = new RedisLogError('REDIS_LOG_CLOSED', 'The writer is closed.');
    expect(describeError(error)).toBe('REDIS_LOG_CLOSED: The writer is closed.');
  });

  it('reduces every other error to name, code and first word', () => {
    const typed = Object.assign(new TypeError('Cannot read hunter2'), { code: 'ERR_X' });
    expect(describeError(typed)).toBe('TypeError ERR_X Cannot');
    expect(describeError(replyError("ERR unknown command 'hunter2'"))).toBe('ReplyError ERR');
    expect(describeError(new Error('{"password":"hunter2"} rejected'))).toBe('Error');
    expect(describeError(new Error('hunter'))).toBe('Error');
  });

  it('takes nothing over from fields that hold something else than they should', () => {
    const odd = { name: 'hunter2 x', code: 'hunter2', address: 'hunter2 x', message: 5 };
    expect(describeError(odd)).toBe('Error');
    const place = { code: 'ECONNREFUSED', address: 'redis://:hunter2@h', port: 'hunter2' };
    expect(describeError(place)).not.toContain('hunter2');
  });

  it('names what was thrown instead of an error', () => {
    expect(describeError('hunter2')).toBe('a thrown string');
    expect(describeError(null)).toBe('a thrown null');
    expect(describeError(undefined)).toBe('a thrown undefined');
  });

  it('never throws, whatever was thrown', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const trap = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('hunter2');
      },
    });
    expect(describeError(revoked.proxy)).toBe('an error that cannot be read');
    expect(describeError(trap)).toBe('an error that cannot be read');
    const circle = new Error('x');
    Object.assign(circle, { cause: circle, errors: [circle] });
    expect(describeError(circle)).toBe('Error');
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) => describeError(value).length > 0),
    );
  });
});
