import { describe, expect, it } from 'vitest';
import {
  resolveLoggerOptions,
  resolveModuleOptions,
  resolveWriterOptions,
} from '../../../src/options/resolve.js';
import type { RedisLogWriterOptions } from '../../../src/options/types.js';

const named = { service: { name: 'orders' } } as const;

describe('with no options and an empty environment', () => {
  it('writes to the Redis on this machine, into a stream named after the service', () => {
    const writer = resolveWriterOptions(named, {});
    expect(writer).toMatchObject({
      connection: 'redis://127.0.0.1:6379',
      stream: 'logs:orders',
      defaultStream: 'logs:orders',
      connect: 'lazy',
    });
  });

  it('keeps a million entries, sends batches of 256 on the next tick and queues 100,000 records', () => {
    const writer = resolveWriterOptions(named, {});
    expect(writer.retention).toEqual({ maxLength: 1_000_000, maxAgeMs: undefined });
    expect(writer.batch).toEqual({ maxRecords: 256, maxBytes: 1_048_576, maxDelayMs: 0, maxInFlight: 4 });
    expect(writer.queue).toEqual({ maxRecords: 100_000, maxBytes: 67_108_864, overflow: 'drop-oldest' });
    expect(writer.sendTimeoutMs).toBe(10_000);
    expect(writer.shutdownTimeoutMs).toBe(5_000);
  });

  it('delivers exactly once, without claiming that the user asked for it', () => {
    const writer = resolveWriterOptions(named, {});
    expect(writer).toMatchObject({
      delivery: 'exactly-once',
      deliveryIsExplicit: false,
      acknowledge: 'written',
      spool: false,
    });
  });

  it('writes fields and leaves the choice of a redaction to the logger', () => {
    const writer = resolveWriterOptions(named, {});
    expect(writer).toMatchObject({ format: 'fields', attributes: 'fields', redact: undefined });
  });

  it('logs from level log on, prints on a terminal only, and is enabled', () => {
    expect(resolveLoggerOptions(undefined, {}, true)).toEqual({
      level: 'log',
      levels: {},
      console: 'pretty',
      consoleIsDefault: true,
      enabled: true,
      fleetLevels: true,
      consoleWhenAwayMs: undefined,
      captureCrashes: false,
      processors: [],
      http: false,
      insights: false,
    });
    expect(resolveLoggerOptions(undefined, {}, false).console).toBe(false);
  });

  it('resolves the same for the module as for writer and logger apart', () => {
    const both = resolveModuleOptions(named, {}, false);
    expect(both.writer).toEqual(resolveWriterOptions(named, {}));
    expect(both.logger).toEqual(resolveLoggerOptions({}, {}, false));
  });
});

describe('explicit options', () => {
  it('count as not given when they are undefined, at every level, and whatever their name', () => {
    const options = { stream: undefined, batch: { maxRecords: undefined }, nonsense: undefined };
    const writer = resolveModuleOptions(options, { REDIS_LOG_STREAM: 'from-environment' }).writer;
    expect(writer.stream).toBe('from-environment');
    expect(writer.batch.maxRecords).toBe(256);
  });

  it('win over the environment one by one, so that the rest of a group may come from there', () => {
    const environment = { OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '100', OTEL_BLRP_SCHEDULE_DELAY: '50' };
    const { batch } = resolveWriterOptions({ batch: { maxRecords: 10 } }, environment);
    expect(batch).toMatchObject({ maxRecords: 10, maxDelayMs: 50 });
  });

  it('make a wrong environment variable that they override harmless', () => {
    const writer = resolveWriterOptions({ connection: '/run/redis.sock' }, { REDIS_URL: 'amqp://elsewhere' });
    expect(writer.connection).toBe('/run/redis.sock');
  });

  it('keep the default length beside an age, and no limit at all for retention: false', () => {
    const aged = resolveWriterOptions({ retention: { maxAgeMs: 1_000 } }, {});
    expect(aged.retention).toEqual({ maxLength: 1_000_000, maxAgeMs: 1_000 });
    const environment = { REDIS_LOG_MAX_LENGTH: '5', REDIS_LOG_MAX_AGE_MS: '5' };
    const elsewhere = resolveWriterOptions({ retention: false }, environment);
    expect(elsewhere.retention).toEqual({ maxLength: undefined, maxAgeMs: undefined });
  });

  it('shrink a batch that nobody sized to a queue smaller than it', () => {
    const { batch } = resolveWriterOptions({ queue: { maxRecords: 20, maxBytes: 2_048 } }, {});
    expect(batch).toMatchObject({ maxRecords: 20, maxBytes: 2_048 });
  });

  it('remember that a delivery was asked for, here or in the environment', () => {
    expect(resolveWriterOptions({ delivery: 'exactly-once' }, {}).deliveryIsExplicit).toBe(true);
    const fromEnvironment = resolveWriterOptions({}, { REDIS_LOG_DELIVERY: 'at-least-once' });
    expect(fromEnvironment).toMatchObject({ delivery: 'at-least-once', deliveryIsExplicit: true });
  });

  it('take redaction as paths, as paths with a censor, or as a refusal', () => {
    const censor = (): string => 'x';
    const redactOf = (redact: RedisLogWriterOptions['redact']) =>
      resolveWriterOptions(redact === undefined ? {} : { redact }, {}).redact;
    expect(redactOf(['a.b'])).toEqual({ paths: ['a.b'], censor: '[Redacted]' });
    expect(redactOf({ paths: ['a'], censor })).toEqual({ paths: ['a'], censor });
    expect(redactOf(false)).toBe(false);
  });

  it('name a stream by a function, with the default stream for its failures', () => {
    const stream = (): string => 'x';
    const writer = resolveWriterOptions({ ...named, stream }, { REDIS_LOG_STREAM: 'unused' });
    expect(writer).toMatchObject({ stream, defaultStream: 'logs:orders' });
    expect(resolveWriterOptions({ stream: 'a' }, {}).defaultStream).toBe('a');
  });

  it('pass encoders and resources on as they are', () => {
    const format = { target: 'list', encode: () => '', calls: 0 } as const;
    const resource = { attributes: { 'service.name': 'x' } };
    const writer = resolveWriterOptions({ format, resource }, {});
    expect(writer.format).toBe(format);
    expect(writer.resource).toBe(resource);
    expect(Object.isFrozen(format)).toBe(false);
    expect(Object.isFrozen(resource)).toBe(false);
  });

  it('let the module have an exporter and its scope', () => {
    const exporter = { export: () => undefined };
    expect(() => resolveModuleOptions({ exporter, isGlobal: false }, {})).not.toThrow();
  });
});

describe('the result', () => {
  it('is frozen to its depth and apart from the objects it was made of', () => {
    const batch = { maxRecords: 5 };
    const paths = ['a'];
    const levels = { Orders: 'warn' as const };
    const { writer, logger } = resolveModuleOptions({ batch, redact: paths, levels, attributes: ['b'] }, {});
    batch.maxRecords = 6;
    paths.push('later');
    expect(writer.batch.maxRecords).toBe(5);
    expect(writer.redact).toMatchObject({ paths: ['a'] });
    const { service, resource, retention, queue, redact, attributes } = writer;
    const frozen = [writer, logger, logger.levels, writer.batch, service, resource, resource.attributes];
    for (const value of [...frozen, retention, queue, redact, attributes])
      expect(value).toSatisfy(Object.isFrozen);
    expect(redact).toSatisfy(
      (value: typeof redact) => typeof value === 'object' && Object.isFrozen(value.paths),
    );
  });

  it('leaves the options of the user untouched and unfrozen', () => {
    const options = { batch: { maxRecords: 5 }, connection: { host: 'h', tls: {} } };
    const writer = resolveWriterOptions(options, {});
    expect(options).toEqual({ batch: { maxRecords: 5 }, connection: { host: 'h', tls: {} } });
    expect([options, options.batch, options.connection].some(Object.isFrozen)).toBe(false);
    expect(writer.connection).toEqual({ host: 'h', tls: {} });
    expect(Object.isFrozen(options.connection.tls)).toBe(false);
  });
});
