import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { connectionAdvice, isRedisClient, settleConnection } from '../../../src/options/connection.js';
import { resolveWriterOptions } from '../../../src/options/resolve.js';
import { hasHashTag, isStreamName } from '../../../src/options/stream-name.js';

describe('a connection', () => {
  it.each([
    'redis://cache',
    'redis://cache:6379/15',
    'rediss://user:p%40ss@cache:6380',
    'redis://[::1]:6379',
    'redis:///2',
    'redis://cache/0?family=6',
    '/run/redis.sock',
    'unix:///run/redis.sock',
  ])('may be the text %s', (text) => {
    expect(connectionAdvice(text)).toBeUndefined();
  });

  it.each([
    ['cache:6379', 'a URL looks like redis://'],
    ['http://cache', 'a URL looks like redis://'],
    ['redis://cache:port', 'a URL that parses'],
    ['redis://:%zz@cache', 'percent-encoded'],
    ['redis://cache/logs', 'a database number'],
    ['unix://run/redis.sock', 'unix:///path'],
    ['unix:///:secret@/run/redis.sock', '{ path, username, password }'],
    ['', 'a redis:// or rediss:// URL'],
  ])('cannot be the text %j, and the message helps', (text, advice) => {
    expect(connectionAdvice(text)).toContain(advice);
  });

  it('drops the unix: scheme, which ioredis would take for a host', () => {
    expect(settleConnection('unix:///run/redis.sock')).toBe('/run/redis.sock');
    expect(settleConnection('redis://cache')).toBe('redis://cache');
  });

  it.each([
    {},
    { host: 'cache', port: 6379, anythingOfIoredis: true },
    { sentinels: [{ host: 's1', port: 26379 }], name: 'mymaster' },
    { cluster: [{ host: 'n1', port: 7000 }, 'redis://n2:7000', 7001] },
    { cluster: [{ host: 'n1' }], options: { scaleReads: 'slave' } },
    { cluster: [{ host: 'n1', port: '7000' }], options: { redisOptions: { password: 'p', tls: {} } } },
    { host: 'cache', port: '6379', db: '2', password: undefined, username: '' },
    { host: 'cache', maxRetriesPerRequest: null, enableReadyCheck: false, skipVersionCheck: true },
    { host: 'cache', id: 7, kind: 'redis', label: 'x' },
    { sentinels: [{}], name: 'mymaster', failoverDetector: true, natMap: {}, sentinelTLS: {} },
    { path: '/run/redis.sock' },
    { ...new Redis({ lazyConnect: true }).options },
  ])('may be ioredis options or the nodes of a cluster: %j', (options) => {
    expect(connectionAdvice(options)).toBeUndefined();
  });

  it.each([
    [Promise.resolve('redis://cache'), 'await it first'],
    [new URL('redis://cache'), 'pass its href'],
    [{ url: 'redis://cache' }, 'pass the URL itself'],
    [{ cluster: [] }, 'at least one node'],
    [{ cluster: [null] }, 'at least one node'],
    [{ cluster: [{}], options: 5 }, 'options?'],
    [{ cluster: [{}], scaleReads: 'all' }, '"scaleReads" belongs into its options'],
    [{ duplicate: () => undefined, options: {}, isOpen: false }, 'client of the package "redis"'],
    [{ hots: 'cache' }, 'has no option "hots": did you mean host?'],
    [{ host: 'cache', Password: 'x' }, 'did you mean password?'],
    [{ host: 'cache', prot: 6380 }, 'did you mean port?'],
    [{ host: 'cache', keyprefix: 'a:' }, 'did you mean keyPrefix?'],
    [{ host: 'cache', port: 'y' }, '"port" must be a number'],
    [{ host: 'cache', port: 70_000 }, '"port" must be a number'],
    [{ host: 5 }, '"host" must be a host name'],
    [{ host: 'cache', db: -1 }, '"db" must be the number'],
    [{ host: 'cache', password: { value: 's' } }, '"password" must be a text'],
    [{ host: 'cache', keyPrefix: 5 }, '"keyPrefix" must be a text'],
    [{ socket: { host: 'cache' } }, 'give host and port themselves'],
    [{ sentinels: [] }, 'at least one { host, port }'],
    [{ sentinels: ['s1:26379'], name: 'm' }, 'at least one { host, port }'],
    [{ sentinels: [{ host: 's1', port: 26379 }] }, 'the name of their group'],
    [{ cluster: [{ hots: 'n1' }] }, 'did you mean host?'],
    [{ cluster: [{ host: 'n1', port: 'x' }] }, '"port" must be a number'],
    [{ cluster: [{}], options: { redisOptions: { pasword: 'x' } } }, 'did you mean password?'],
    [null, 'a redis:// or rediss:// URL'],
    [6379, 'a redis:// or rediss:// URL'],
  ])('cannot be %s, and the message helps', (value, advice) => {
    expect(connectionAdvice(value)).toContain(advice);
  });

  it('may be a client of ioredis, which stays what it is', () => {
    const redis = new Redis({ lazyConnect: true });
    const cluster = new Cluster([{ host: '127.0.0.1' }], { lazyConnect: true });
    for (const client of [redis, cluster]) {
      expect(isRedisClient(client)).toBe(true);
      expect(resolveWriterOptions({ connection: client }, {}).connection).toBe(client);
      expect(Object.isFrozen(client)).toBe(false);
      client.disconnect();
    }
  });

  it('is safe from later changes to the options it was given in', () => {
    const options = { host: 'first' };
    const nodes = [{ host: 'n1' }];
    const single = resolveWriterOptions({ connection: options }, {}).connection;
    const cluster = resolveWriterOptions({ connection: { cluster: nodes, options: {} } }, {}).connection;
    options.host = 'second';
    nodes.push({ host: 'n2' });
    expect(single).toEqual({ host: 'first' });
    expect(cluster).toEqual({ cluster: [{ host: 'n1' }], options: {} });
  });
});

describe('a stream name', () => {
  it.each(['logs', 'logs:orders', '{logs}', 'a{b}c', 'a}{b}', '{open', 'logs:@acme/orders'])(
    'may be %s',
    (name) => {
      expect(isStreamName(name)).toBe(true);
    },
  );

  it.each(['', 'a}', '}a{', '{}', '{}a{b}', 5, undefined])('cannot be %j', (name) => {
    expect(isStreamName(name)).toBe(false);
  });

  it('has a hash tag where Redis Cluster sees one', () => {
    expect(['{a}', 'x{a}y', '}{a}', '{a}}'].map(hasHashTag)).toEqual([true, true, true, true]);
    expect(['a', '{}', '{a', 'a}', '{}{a}'].map(hasHashTag)).toEqual([false, false, false, false, false]);
  });
});
