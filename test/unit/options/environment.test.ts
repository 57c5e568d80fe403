import { describe, expect, it } from 'vitest';
import { parseLevel } from '../../../src/options/levels.js';
import { resolveModuleOptions } from '../../../src/options/resolve.js';

function resolve(environment: NodeJS.ProcessEnv) {
  const { writer, logger } = resolveModuleOptions(undefined, environment, false);
  return { ...writer, ...logger };
}

const CASES: readonly [variable: string, text: string, expected: object][] = [
  ['REDIS_LOG_URL', 'rediss://cache:6380/1', { connection: 'rediss://cache:6380/1' }],
  ['REDIS_URL', 'redis://cache', { connection: 'redis://cache' }],
  ['OTEL_SERVICE_NAME', 'shop', { service: { name: 'shop' }, stream: 'logs:shop' }],
  ['REDIS_LOG_STREAM', '{team}:logs', { stream: '{team}:logs', defaultStream: '{team}:logs' }],
  ['REDIS_LOG_LEVEL', 'debug', { level: 'debug' }],
  ['NEST_LOG_LEVEL', '>=warn', { level: 'warn' }],
  ['REDIS_LOG_MAX_LENGTH', '5000', { retention: { maxLength: 5_000 } }],
  ['REDIS_LOG_MAX_AGE_MS', '86400000', { retention: { maxLength: 1_000_000, maxAgeMs: 86_400_000 } }],
  ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', '512', { batch: { maxRecords: 512 } }],
  ['OTEL_BLRP_SCHEDULE_DELAY', '1000', { batch: { maxDelayMs: 1_000 } }],
  ['OTEL_BLRP_MAX_QUEUE_SIZE', '2048', { queue: { maxRecords: 2_048 } }],
  ['OTEL_BLRP_EXPORT_TIMEOUT', '30000', { sendTimeoutMs: 30_000 }],
  ['REDIS_LOG_SHUTDOWN_TIMEOUT_MS', '9000', { shutdownTimeoutMs: 9_000 }],
  ['REDIS_LOG_DELIVERY', 'at-least-once', { delivery: 'at-least-once' }],
  ['REDIS_LOG_SPOOL', 'false', { spool: false }],
  ['REDIS_LOG_FORMAT', 'json', { format: 'json' }],
  ['REDIS_LOG_CONSOLE', 'pretty', { console: 'pretty', consoleIsDefault: false }],
  ['REDIS_LOG_CONSOLE', 'JSON', { console: 'json', consoleIsDefault: false }],
  ['REDIS_LOG_CONSOLE', 'false', { console: false, consoleIsDefault: false }],
  ['REDIS_LOG_ENABLED', 'false', { enabled: false }],
  ['REDIS_LOG_ENABLED', '0', { enabled: false }],
  ['REDIS_LOG_ENABLED', 'TRUE', { enabled: true }],
  ['REDIS_LOG_ENABLED', '1', { enabled: true }],
  ['NODE_ENV', 'production', { service: { environment: 'production' } }],
];

describe('the environment', () => {
  it.each(CASES)('sets the option of %s=%s', (variable, text, expected) => {
    expect(resolve({ [variable]: text })).toMatchObject(expected);
  });

  it.each(CASES.map(([variable]) => variable))('says nothing by an empty or blank %s', (variable) => {
    expect(resolve({ [variable]: '' })).toEqual(resolve({}));
    expect(resolve({ [variable]: '  ' })).toEqual(resolve({}));
  });

  it('prefers the variables of this package to those it shares', () => {
    const shared = { REDIS_URL: 'redis://shared', NEST_LOG_LEVEL: 'error' };
    const own = { REDIS_LOG_URL: 'redis://own', REDIS_LOG_LEVEL: 'debug' };
    expect(resolve({ ...shared, ...own })).toMatchObject({ connection: 'redis://own', level: 'debug' });
    const blank = resolve({ ...shared, REDIS_LOG_URL: '', REDIS_LOG_LEVEL: '' });
    expect(blank).toMatchObject({ connection: 'redis://shared', level: 'error' });
  });

  it('is read from the process when none is handed in', () => {
    process.env['REDIS_LOG_STREAM'] = 'of-the-process';
    try {
      expect(resolveModuleOptions({}).writer.stream).toBe('of-the-process');
    } finally {
      delete process.env['REDIS_LOG_STREAM'];
    }
  });
});

describe('a level', () => {
  it.each([
    ['warn', 'warn'],
    ['WARN', 'warn'],
    ['>=debug', 'debug'],
    ['>= debug', 'debug'],
    ['>debug', 'log'],
    ['warn,error', 'warn'],
    ['fatal, verbose ,error', 'verbose'],
  ])('written as %s means %s and what is more severe', (text, expected) => {
    expect(parseLevel(text)).toBe(expected);
  });

  it.each(['info', '>=info', '>fatal', 'warn,info', ',', '>', ''])('is not understood in %j', (text) => {
    expect(parseLevel(text)).toBeUndefined();
  });
});
