import type { Cluster } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { isRedisLogError, type RedisLogError } from '../../../src/errors.js';
import {
  resolveLoggerOptions,
  resolveModuleOptions,
  resolveWriterOptions,
} from '../../../src/options/resolve.js';

/** What a user in plain JavaScript may hand in. */
type Anything = Parameters<typeof resolveWriterOptions>[0];

function failure(action: () => unknown): RedisLogError {
  try {
    action();
  } catch (error) {
    if (isRedisLogError(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function refusal(options: unknown, environment: NodeJS.ProcessEnv = {}): RedisLogError {
  return failure(() => resolveModuleOptions(options, environment, false));
}

describe('one error', () => {
  it('lists every problem of options and environment on a line of its own', () => {
    const error = refusal(
      { conection: 'x', batch: { maxRecords: 0, maxByte: 1 }, level: 'info', http: 'yes', stream: '' },
      { REDIS_LOG_ENABLED: 'yes', REDIS_LOG_MAX_LENGTH: '1e6', OTEL_RESOURCE_ATTRIBUTES: 'novalue' },
    );
    const lines = error.message.split('\n');
    expect(error.code).toBe('REDIS_LOG_INVALID_OPTIONS');
    expect(lines[0]).toBe('The options of nestjs-redis-log have 9 problems:');
    expect(lines).toHaveLength(10);
    const subjects = ['conection', 'batch.maxRecords', 'batch.maxByte', 'level', 'http', 'stream'];
    const variables = [
      'REDIS_LOG_ENABLED (enabled)',
      'REDIS_LOG_MAX_LENGTH (retention.maxLength)',
      'OTEL_RESOURCE_ATTRIBUTES',
    ];
    for (const subject of [...subjects, ...variables]) {
      expect(lines.filter((line) => line.startsWith(`- ${subject}: `))).toHaveLength(1);
    }
  });

  it('says what was given, what is allowed and what to do', () => {
    expect(refusal({ batch: { maxRecords: 0 } }).message).toContain(
      '- batch.maxRecords: got 0. Give a whole number from 1 to 5,000, or leave it out.',
    );
    expect(refusal({}, { REDIS_LOG_CONSOLE: 'prety' }).message).toContain(
      '- REDIS_LOG_CONSOLE (console): got "prety". Give pretty, json or false, or unset it.',
    );
  });

  it('names its first problem as the subject', () => {
    expect(refusal({ connect: 'never', format: 'xml' }).subject).toBe('format');
  });
});

describe('an unknown option', () => {
  it.each([
    ['strem', 'strem: unknown option. Did you mean stream?'],
    ['sendTimeoutMS', 'sendTimeoutMS: unknown option. Did you mean sendTimeoutMs?'],
    ['maxLength', 'maxLength: unknown option. Did you mean retention.maxLength?'],
    ['somethingElse', 'known here are connection, service, stream'],
  ])('%s is answered with what may be meant', (key, expected) => {
    expect(refusal({ [key]: 1 }).message).toContain(expected);
  });

  it.each(['service', 'retention', 'batch', 'queue', 'redact'])('inside %s is a problem too', (group) => {
    const inner = group === 'redact' ? { paths: [], nonsense: 1 } : { nonsense: 1 };
    expect(refusal({ [group]: inner }).message).toContain(
      `- ${group}.nonsense: unknown option. Leave it out`,
    );
  });

  it('in a group is told apart from one that stands in the wrong place', () => {
    expect(refusal({ batch: { queue: {} } }).message).toContain('queue stands beside it, not inside');
  });

  it('of the module is not taken by the writer, and the other way round', () => {
    const logger = failure(() => resolveWriterOptions({ level: 'log' } as Anything, {}));
    expect(logger.message).toContain('- level: unknown option. Only RedisLogModule takes it');
    const writer = failure(() => resolveLoggerOptions({ stream: 'x' } as Anything as object, {}, false));
    expect(writer.message).toContain('- stream: unknown option.');
  });

  it('with an odd name is quoted, so that it cannot forge a line', () => {
    const { message } = refusal({ 'a\n- stream: fine': 1 });
    expect(message.split('\n')).toHaveLength(2);
  });
});

const WRONG: readonly [subject: string, options: object][] = [
  ['connection', { connection: 5 }],
  ['service', { service: 'orders' }],
  ['service.name', { service: { name: ' ' } }],
  ['service.version', { service: { version: 1 } }],
  ['stream', { stream: 'a}b' }],
  ['stream', { stream: '{}a' }],
  ['stream', { stream: 5 }],
  ['stream', { service: { name: 'a}b' } }],
  ['retention', { retention: true }],
  ['retention.maxLength', { retention: { maxLength: 0 } }],
  ['retention.maxAgeMs', { retention: { maxAgeMs: Number.NaN } }],
  ['batch', { batch: null }],
  ['batch', { batch: [] }],
  ['batch.maxRecords', { batch: { maxRecords: 5_001 } }],
  ['batch.maxBytes', { batch: { maxBytes: 1_023 } }],
  ['batch.maxDelayMs', { batch: { maxDelayMs: -1 } }],
  ['batch.maxInFlight', { batch: { maxInFlight: 65 } }],
  ['queue.maxRecords', { queue: { maxRecords: 1.5 } }],
  ['queue.maxBytes', { queue: { maxBytes: '64MB' } }],
  ['queue.overflow', { queue: { overflow: 'block' } }],
  ['queue.maxRecords', { queue: { maxRecords: 10 }, batch: { maxRecords: 11 } }],
  ['queue.maxBytes', { queue: { maxBytes: 1_024 }, batch: { maxBytes: 1_025 } }],
  ['sendTimeoutMs', { sendTimeoutMs: 0 }],
  ['shutdownTimeoutMs', { shutdownTimeoutMs: Infinity }],
  ['delivery', { delivery: 'at-most-once' }],
  ['acknowledge', { acknowledge: 'never' }],
  ['format', { format: { target: 'stream' } }],
  ['attributes', { attributes: 'flat' }],
  ['attributes[1]', { attributes: ['a', ''] }],
  ['redact', { redact: 'password' }],
  ['redact.paths', { redact: {} }],
  ['redact.censor', { redact: { paths: [], censor: 5 } }],
  ['connect', { connect: true }],
  ['resource', { resource: { 'service.name': 'x' } }],
  ['level', { level: 'trace' }],
  ['levels', { levels: 'warn' }],
  ['levels.Orders', { levels: { Orders: 'loud' } }],
  ['console', { console: true }],
  ['enabled', { enabled: 'yes' }],
  ['isGlobal', { isGlobal: 1 }],
  ['exporter', { exporter: {} }],
];

describe('a value that is not allowed', () => {
  it.each(WRONG)('is refused for %s: %j', (subject, options) => {
    const { message } = refusal(options);
    expect(message).toContain('have 1 problem:');
    expect(message).toContain(`\n- ${subject}: `);
  });

  it.each([5, null, 'redis://h', []])('is refused in the place of all options: %j', (options) => {
    expect(refusal(options).message).toContain('- options: got ');
  });

  it.each([
    ['OTEL_SERVICE_NAME', 'a}b', 'stream'],
    ['REDIS_LOG_URL', 'cache:6379', 'REDIS_LOG_URL (connection)'],
    ['REDIS_URL', 'amqp://cache', 'REDIS_URL (connection)'],
    ['REDIS_LOG_STREAM', 'a}b', 'REDIS_LOG_STREAM (stream)'],
    ['REDIS_LOG_LEVEL', 'info', 'REDIS_LOG_LEVEL (level)'],
    ['NEST_LOG_LEVEL', '>=info', 'NEST_LOG_LEVEL (level)'],
    ['REDIS_LOG_MAX_AGE_MS', '1d', 'REDIS_LOG_MAX_AGE_MS (retention.maxAgeMs)'],
    ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', '0x10', 'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE (batch.maxRecords)'],
    ['OTEL_BLRP_SCHEDULE_DELAY', '-1', 'OTEL_BLRP_SCHEDULE_DELAY (batch.maxDelayMs)'],
    ['OTEL_BLRP_MAX_QUEUE_SIZE', '1.5', 'OTEL_BLRP_MAX_QUEUE_SIZE (queue.maxRecords)'],
    ['OTEL_BLRP_EXPORT_TIMEOUT', '10s', 'OTEL_BLRP_EXPORT_TIMEOUT (sendTimeoutMs)'],
    ['REDIS_LOG_SHUTDOWN_TIMEOUT_MS', 'soon', 'REDIS_LOG_SHUTDOWN_TIMEOUT_MS (shutdownTimeoutMs)'],
    ['REDIS_LOG_DELIVERY', 'once', 'REDIS_LOG_DELIVERY (delivery)'],
    ['REDIS_LOG_FORMAT', 'xml', 'REDIS_LOG_FORMAT (format)'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz', 'OTEL_RESOURCE_ATTRIBUTES'],
    ['OTEL_RESOURCE_ATTRIBUTES', '=b', 'OTEL_RESOURCE_ATTRIBUTES'],
  ])('is refused by the name of its variable: %s=%s', (variable, text, subject) => {
    const { message } = refusal({}, { [variable]: text });
    expect(message).toContain('have 1 problem:');
    expect(message).toContain(`\n- ${subject}: `);
  });
});

describe('http', () => {
  it('may be on, off, or say more', () => {
    const http = { ignore: ['/health', /^\/internal/], requestId: { header: 'X-Trace' }, query: true };
    for (const given of [true, false, {}, http, { requestId: false }]) {
      expect(() => resolveModuleOptions({ http: given }, {}, false)).not.toThrow();
    }
    expect(resolveModuleOptions({ http }, {}, false).logger.http).toEqual({
      ignore: http.ignore,
      ignoreIf: undefined,
      level: undefined,
      attributes: undefined,
      requestId: { header: 'x-trace', generate: undefined },
      query: true,
    });
  });

  it.each([
    ['http', { http: 'on' }],
    ['http.ignore', { http: { ignore: '/health' } }],
    ['http.ignore[0]', { http: { ignore: [7] } }],
    ['http.level', { http: { level: 'warn' } }],
    ['http.ignor', { http: { ignor: [] } }],
    ['http.requestId', { http: { requestId: true } }],
    ['http.requestId.header', { http: { requestId: { header: 'two words' } } }],
  ])('is refused with its place: %s', (subject, options) => {
    const { message } = refusal(options);
    expect(message).toContain('have 1 problem:');
    expect(message).toContain(`\n- ${subject}: `);
  });
});

describe('acknowledge', () => {
  const cluster = [{ host: '127.0.0.1', port: 7_000 }];
  const client = { duplicate: () => {}, options: {}, nodes: () => [] } as unknown as Cluster;

  it.each([
    ['replicated', { cluster }],
    ['fsynced', { cluster }],
    ['replicated', client],
  ] as const)('is refused where a Cluster cannot say it: %s', (acknowledge, connection) => {
    const { message } = refusal({ acknowledge, connection });
    expect(message).toContain('have 1 problem:');
    expect(message).toContain(`\n- acknowledge: "${acknowledge}" cannot be had from a Cluster.`);
  });

  it.each([
    [{ acknowledge: 'replicated', connection: 'redis://cache' }],
    [{ acknowledge: 'fsynced', connection: { sentinels: [{ host: 'a', port: 1 }], name: 'm' } }],
    [{ acknowledge: 'written', connection: { cluster } }],
  ] as const)('is accepted elsewhere: %j', (options) => {
    expect(resolveModuleOptions(options, {}, false).writer.acknowledge).toBe(options.acknowledge);
  });
});

describe('a message', () => {
  const SECRET = 'hunter2';

  it.each([
    `redis://user:${SECRET}@`,
    `redis://user:${SECRET}@host:port`,
    `redis://user:${SECRET}#@host:6379/x`,
    `redis://user:%zz${SECRET}@host`,
    `redis://:${SECRET}`,
    `amqp://user:${SECRET}@host`,
    `user:${SECRET}@host:6379`,
    `:${SECRET}`,
    SECRET,
    `redis://host/x?password=${SECRET}`,
    `redis://host/x#${SECRET}`,
  ])('never holds the password of a connection: %s', (connection) => {
    const fromOption = refusal({ connection });
    const fromEnvironment = refusal({}, { REDIS_LOG_URL: connection });
    for (const { message, stack, cause } of [fromOption, fromEnvironment]) {
      expect(`${message} ${stack} ${String(cause)}`).not.toContain(SECRET);
    }
  });

  it.each([
    { connection: { url: `redis://:${SECRET}@h` } },
    { connection: { cluster: [], password: SECRET } },
    { connection: [`redis://:${SECRET}@h`] },
    { connection: new URL(`redis://:${SECRET}@h`) },
    { stream: `redis://:${SECRET}@h}` },
    { level: `redis://:${SECRET}@h` },
    { batch: { maxRecords: { password: SECRET } } },
    { password: SECRET },
    { [`redis://:${SECRET}@h`]: true },
  ])('never holds a password from the wrong place: %#', (options) => {
    expect(refusal(options).message).not.toContain(SECRET);
  });

  it('cuts long values', () => {
    const { message } = refusal({ level: 'x'.repeat(10_000) });
    expect(message.length).toBeLessThan(400);
  });
});
