import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeLogRecord, encodeResource, RedisLogWriter } from '../../../src/core.js';
import { LogReader, type QueryProgress } from '../../../src/reader/index.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { bodies, numbered, write } from './writing.js';

const STREAM = 'logs:orders';
const T0 = 1_790_000_000_000;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedisServer();
  admin = server.client();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  await admin.flushall();
});

function reader(options: ConstructorParameters<typeof LogReader>[0] = {}): LogReader {
  return new LogReader({ connection: server.url, stream: STREAM, ...options });
}

/** An entry that arrived at `T0 + arrivedMs`; `lateMs` before that it was logged. */
async function put(stream: string, arrivedMs: number, logged: string | [string, number]): Promise<string> {
  const [body, lateMs] = typeof logged === 'string' ? [logged, 0] : logged;
  const ms = T0 + arrivedMs - lateMs;
  const fields = encodeLogRecord({
    hrTime: [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000],
    hrTimeObserved: [0, 0],
    body,
    severityNumber: 9,
    resource: { attributes: {} },
    instrumentationScope: { name: 'x' },
    attributes: {},
    droppedAttributesCount: 0,
  });
  return (await admin.xadd(stream, `${T0 + arrivedMs}-*`, ...fields)) ?? '';
}

describe('LogReader.query', () => {
  it('reads backwards in exactly the reverse order, also where streams have entries of one id', async () => {
    const streams = ['logs:a', 'logs:b', 'logs:c'];
    for (let at = 0; at < 6; at++) {
      for (const stream of at % 2 ? streams.toReversed() : streams) await put(stream, at, `${stream} ${at}`);
    }
    await using logs = reader();
    for (const by of ['arrival', 'timestamp'] as const) {
      const forwards = await bodies(logs.query({ streams, by }));
      expect(forwards).toHaveLength(18);
      expect(await bodies(logs.query({ streams, by, order: 'desc' }))).toEqual(forwards.toReversed());
    }
  });

  it.each([null, 'level>=warn', 5])('does not take %j for options, nor does tail', (options) => {
    const logs = reader();
    const problem = expect.objectContaining({
      code: 'REDIS_LOG_INVALID_OPTIONS',
      message: expect.stringContaining('Give an object') as string,
    }) as Error;
    expect(() => logs.query(options as never)).toThrow(problem);
    expect(() => logs.tail(options as never)).toThrow(problem);
    expect(() => new LogReader(options as never)).toThrow(problem);
  });

  it('gives back what the writer wrote, with resource, producer and number', async () => {
    const spanContext = { traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1 };
    await write({ connection: server.url, stream: STREAM }, [
      {
        body: 'Order placed',
        severityNumber: 9,
        attributes: { 'order.id': 7, nested: { a: [1, 'x'] } },
        spanContext,
      },
      { body: 'Card declined', severityNumber: 17 },
    ]);
    await using logs = reader();
    const [first, second, ...rest] = await logs.query().toArray();
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ stream: STREAM, seq: 1, missingResource: undefined });
    expect(first?.record).toMatchObject({
      body: 'Order placed',
      spanContext,
      attributes: { 'order.id': 7, nested: { a: [1, 'x'] } },
      resource: { attributes: { 'service.name': 'orders', 'service.version': '1.2' } },
    });
    expect(second?.record.body).toBe('Card declined');
    expect(await bodies(logs.query({ where: 'order.id:7 version:1.2' }))).toEqual(['Order placed']);
    expect(await bodies(logs.query({ level: 'error' }))).toEqual(['Card declined']);
    expect(await bodies(logs.query({ traceId: TRACE.toUpperCase() }))).toEqual(['Order placed']);
    expect(await bodies(logs.query({ text: 'DECLINED' }))).toEqual(['Card declined']);
    expect(await bodies(logs.query({ where: (record) => record.attributes['order.id'] === 7 }))).toEqual([
      'Order placed',
    ]);
    expect(await bodies(logs.query({ where: 'NOT order', level: 'info', text: 'card' }))).toEqual([
      'Card declined',
    ]);
  });

  it('reads ranges of arrival time, both ends included, in both orders, up to a limit', async () => {
    for (let i = 0; i < 10; i++) await put(STREAM, i * 1_000, `r${i}`);
    await using logs = reader();
    const from = T0 + 2_000;
    const to = new Date(T0 + 5_000).toISOString();
    expect(await bodies(logs.query({ from, to }))).toEqual(['r2', 'r3', 'r4', 'r5']);
    expect(await bodies(logs.query({ from: new Date(from), to, order: 'desc', limit: 3 }))).toEqual([
      'r5',
      'r4',
      'r3',
    ]);
    expect(await bodies(logs.query({ limit: 2 }))).toEqual(['r0', 'r1']);
    expect(await bodies(logs.query({ order: 'desc', limit: 1 }))).toEqual(['r9']);
    expect(await bodies(logs.query({ from: `${T0 + 9_000}-0` }))).toEqual(['r9']);
  });

  it('takes moments relative to now', async () => {
    await put(STREAM, 0, 'old');
    await put(STREAM, 3_600_000, 'new');
    await using logs = new LogReader(
      { connection: server.url, stream: STREAM },
      { clock: () => T0 + 3_660_000 },
    );
    expect(await bodies(logs.query({ from: '15m' }))).toEqual(['new']);
    expect(await bodies(logs.query({ from: '2h', to: '30m' }))).toEqual(['old']);
  });

  it('pages through thousands of entries, with progress, and none twice or left out', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 5_000));
    await using logs = reader();
    const seen: QueryProgress[] = [];
    const query = logs.query({ where: '/ [05]$/', onProgress: (progress) => seen.push(progress) });
    expect(await bodies(query)).toEqual(['n 0', 'n 5']);
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.map(({ scanned }) => scanned)).toEqual(
      seen.map(({ scanned }) => scanned).toSorted((a, b) => a - b),
    );
    expect(query.progress).toMatchObject({ scanned: 5_000, matched: 2, malformed: 0 });
    for (const order of ['asc', 'desc'] as const) {
      const all = await bodies(logs.query({ order }));
      expect(new Set(all).size).toBe(5_000);
      expect(all).toHaveLength(5_000);
      expect(all[0]).toBe(order === 'asc' ? 'n 0' : 'n 4999');
    }
  });

  it('never asks for more than 1,000 entries at once', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 4_000));
    await admin.config('SET', 'slowlog-log-slower-than', '0');
    await admin.call('SLOWLOG', 'RESET');
    await using logs = reader();
    expect(await bodies(logs.query())).toHaveLength(4_000);
    const commands = (await admin.call('SLOWLOG', 'GET', '100')) as [number, number, number, string[]][];
    await admin.config('SET', 'slowlog-log-slower-than', '10000');
    const ranges = commands
      .map(([, , , args]) => args)
      .filter(([name]) => name?.toLowerCase().includes('range'));
    expect(ranges.length).toBeGreaterThan(3);
    for (const args of ranges) expect(Number(args.at(-1))).toBeLessThanOrEqual(1_000);
  });

  it('ends although a producer goes on writing', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 3_000));
    await using writer = new RedisLogWriter({ connection: server.url, stream: STREAM });
    await using logs = reader();
    let count = 0;
    for await (const { record } of logs.query()) {
      expect(String(record.body)).toMatch(/^n /);
      if (count++ % 100 === 0) writer.emit({ body: 'later' });
    }
    expect(count).toBe(3_000);
  });

  it('stops reading when the loop is left', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 5_000));
    await using logs = reader();
    const query = logs.query();
    for await (const { record } of query) if (record.body === 'n 10') break;
    expect(query.progress.scanned).toBeLessThanOrEqual(1_000);
    expect(await query.next()).toEqual({ done: true, value: undefined });
  });

  it('ends with the reason of its signal', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 2_000));
    await using logs = reader();
    const stop = new AbortController();
    const query = logs.query({ signal: stop.signal });
    await query.next();
    stop.abort(new Error('enough'));
    await expect(bodies(query)).rejects.toThrow('enough');
    await expect(bodies(logs.query({ signal: stop.signal }))).rejects.toThrow('enough');
  });

  it('merges several streams in the order of arrival, reading none further than it has to', async () => {
    const streams = ['logs:a', 'logs:b', 'logs:none', 'logs:c'];
    for (let i = 0; i < 30; i++) await put(streams[i % 4 === 2 ? 3 : i % 4] ?? '', i, `r${i}`);
    await write({ connection: server.url, stream: 'logs:full' }, numbered('n', 5_000));
    await using logs = new LogReader({ connection: server.url, streams });
    const expected = Array.from({ length: 30 }, (_, i) => `r${i}`);
    expect(await bodies(logs.query())).toEqual(expected);
    expect(await bodies(logs.query({ order: 'desc' }))).toEqual(expected.toReversed());
    const query = logs.query({ streams: [...streams, 'logs:full'], where: 'r* -n', limit: 30 });
    expect(await bodies(query)).toEqual(expected);
    expect(query.progress.scanned).toBeLessThan(1_000);
  });

  it('orders by the own time of records on request, and looks on for those that came late', async () => {
    await put(STREAM, 1_000, 'one');
    await put(STREAM, 2_000, 'two');
    await put(STREAM, 40_000, ['from the spool', 38_500]);
    await put(STREAM, 41_000, 'three');
    await put(STREAM, 90_000, ['very late', 88_000]);
    await using logs = reader();
    const by = 'timestamp';
    expect(await bodies(logs.query({ by, to: T0 + 10_000 }))).toEqual(['one', 'from the spool', 'two']);
    expect(await bodies(logs.query({ by, to: T0 + 10_000, maxLatenessMs: 120_000 }))).toEqual([
      'one',
      'from the spool',
      'two',
      'very late',
    ]);
    const all = ['one', 'from the spool', 'two', 'very late', 'three'];
    expect(await bodies(logs.query({ by, maxLatenessMs: 120_000 }))).toEqual(all);
    expect(await bodies(logs.query({ by, maxLatenessMs: 120_000, order: 'desc' }))).toEqual(all.toReversed());
    expect(
      await bodies(logs.query({ by, from: T0 + 1_500, to: T0 + 2_000, maxLatenessMs: 120_000 })),
    ).toEqual(['from the spool', 'two', 'very late']);
  });

  it('leaves out what it cannot decode, counts it, and tells of it', async () => {
    await put(STREAM, 0, 'good');
    await admin.xadd(STREAM, `${T0 + 1}-0`, 'hello', 'world');
    await admin.xadd(STREAM, `${T0 + 2}-0`, 'timestamp', '1', 'x', '{broken');
    await put(STREAM, 3, 'also good');
    await using logs = reader();
    const told: unknown[] = [];
    const query = logs.query({ onMalformed: ({ id, stream }) => told.push([id, stream]) });
    expect(await bodies(query)).toEqual(['good', 'also good']);
    expect(query.progress.malformed).toBe(2);
    expect(told).toEqual([
      [`${T0 + 1}-0`, STREAM],
      [`${T0 + 2}-0`, STREAM],
    ]);
    expect(await bodies(logs.query({ where: 'x:5' }))).toEqual([]);
  });

  it('marks records whose resource is stored no more, and asks for each resource once', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 3_000));
    await using logs = reader();
    await admin.call('CONFIG', 'RESETSTAT');
    const first = await logs.query().toArray();
    expect(first.every(({ missingResource }) => missingResource === undefined)).toBe(true);
    expect(await admin.info('commandstats')).toContain('cmdstat_hmget:calls=1,');
    await admin.del(`{${STREAM}}:resources`);
    await using later = reader();
    const [entry] = await later.query({ limit: 1 }).toArray();
    expect(entry?.missingResource).toBe(encodeResource(first[0]?.record.resource ?? { attributes: {} }).hash);
    expect(entry?.record.resource.attributes).toEqual({ 'service.name': 'orders' });
    expect(await bodies(later.query({ where: 'service:orders', limit: 1 }))).toEqual(['n 0']);
  });

  it('finds nothing in a stream that is not there', async () => {
    await using logs = reader({ stream: 'logs:none' });
    expect(await bodies(logs.query())).toEqual([]);
    expect(await logs.context('1-1')).toEqual([]);
  });

  it('reads entries with bodies of many kilobytes and of other alphabets', async () => {
    const inputs = Array.from({ length: 300 }, (_, i) => ({ body: `${i} ${'größe😀'.repeat(3_000)}` }));
    await write({ connection: server.url, stream: STREAM }, inputs);
    await using logs = reader();
    expect(await bodies(logs.query())).toEqual(inputs.map(({ body }) => body));
  });

  it('serves many queries at once', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 3_000));
    await using logs = reader();
    const counts = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => (await bodies(logs.query({ where: `/ ${i}$/` }))).length),
    );
    expect(counts).toEqual(Array.from({ length: 8 }, () => 1));
  });
});

describe('LogReader.query in trouble', () => {
  it('repeats a page whose connection broke', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 5_000));
    await using proxy = await startTcpProxy(server);
    await using logs = reader({ connection: proxy.url });
    await proxy.set({ resetAfterBytes: { down: 200_000 } });
    const all = bodies(logs.query());
    await until(() => proxy.counts.connections > 1, { what: 'a second connection' });
    await proxy.set({ resetAfterBytes: {} });
    expect(new Set(await all).size).toBe(5_000);
    expect(proxy.counts.connections).toBeGreaterThan(1);
  });

  it('gives up after its deadline when the link is dead, and says so', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 10));
    await using proxy = await startTcpProxy(server);
    await using logs = reader({ connection: proxy.url, requestTimeoutMs: 400 });
    await bodies(logs.query());
    await proxy.set({ blackHole: true });
    await expect(bodies(logs.query())).rejects.toMatchObject({
      code: 'REDIS_LOG_UNAVAILABLE',
      subject: STREAM,
    });
    await proxy.set({ blackHole: false });
    expect(await bodies(logs.query())).toHaveLength(10);
  });

  it('says at once what Redis will not do', async () => {
    await admin.set(STREAM, 'no stream');
    await using logs = reader();
    await expect(bodies(logs.query())).rejects.toMatchObject({ code: 'REDIS_LOG_REFUSED', subject: STREAM });
  });

  it('goes on after Redis was restarted', async () => {
    await using own = await startRedisServer({ appendOnly: true });
    await write({ connection: own.url, stream: STREAM }, numbered('n', 10));
    await using logs = reader({ connection: own.url });
    expect(await bodies(logs.query())).toHaveLength(10);
    await own.restart();
    expect(await bodies(logs.query())).toHaveLength(10);
  });

  it('keeps a healthy connection while it is idle', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 10));
    await using proxy = await startTcpProxy(server);
    await using logs = reader({ connection: proxy.url });
    for (let i = 0; i < 5; i++) expect(await bodies(logs.query())).toHaveLength(10);
    expect(proxy.counts.connections).toBe(1);
  });

  it('refuses to go on after close', async () => {
    const logs = reader();
    const query = logs.query();
    await logs.close();
    await expect(query.next()).rejects.toMatchObject({ code: 'REDIS_LOG_CLOSED' });
    expect(() => logs.query()).toThrow('closed');
    expect(() => logs.tail()).toThrow('closed');
  });
});

describe('Options of a reader', () => {
  it('are refused with all that is wrong', () => {
    const options = { conection: 'redis://localhost', requestTimeoutMs: -1, streams: [] } as object;
    expect(() => new LogReader(options)).toThrow(/3 problems[^]*conection[^]*Did you mean connection[^]*/);
    expect(() => new LogReader({ stream: 'a', streams: ['b'] })).toThrow('Give one of the two');
  });

  it('of a query, too', () => {
    const logs = reader();
    expect(() => logs.query({ form: '15m' } as object)).toThrow('Did you mean from?');
    expect(() => logs.query({ from: 'yesterday', limit: 0 })).toThrow(/2 problems/);
    expect(() => logs.query({ where: 'level>=wrn' })).toThrow('There is no level');
    expect(() => logs.query({ traceId: 'abc' })).toThrow('32 hexadecimal digits');
    expect(() => logs.query({ level: 'loud' })).toThrow('level');
    expect(() => logs.tail({ from: 'whenever' })).toThrow('start, now');
  });

  it('show where a regex is wrong in the query as it was written', async () => {
    await using logs = reader();
    const query = logs.query({ level: 'warn', where: 'status>=500 /(/' });
    await expect(query.next()).rejects.toMatchObject({
      code: 'REDIS_LOG_QUERY_SYNTAX',
      position: 12,
      message: expect.stringContaining('\n  status>=500 /(/\n              ^') as unknown,
    });
  });

  it('default to the stream of the service', () => {
    expect(new LogReader({ service: { name: 'shop' } }).streams).toEqual(['logs:shop']);
  });
});

describe('LogReader.context', () => {
  it('gives an entry with its neighbours', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 9; i++) ids.push(await put(STREAM, i, `r${i}`));
    await using logs = reader();
    const around = async (...args: Parameters<LogReader['context']>): Promise<unknown[]> =>
      (await logs.context(...args)).map(({ record }) => record.body);
    expect(await around(ids[4] ?? '', 2, 2)).toEqual(['r2', 'r3', 'r4', 'r5', 'r6']);
    expect(await around(ids[0] ?? '', 2, 1)).toEqual(['r0', 'r1']);
    expect(await around(ids[8] ?? '', 1, 5)).toEqual(['r7', 'r8']);
    expect(await around(ids[4] ?? '', 0, 0)).toEqual(['r4']);
    expect(await around(ids[4] ?? '')).toHaveLength(9);
    await admin.xdel(STREAM, ids[4] ?? '');
    expect(await around(ids[4] ?? '', 1, 1)).toEqual(['r3', 'r5']);
    await expect(logs.context('nonsense')).rejects.toMatchObject({ code: 'REDIS_LOG_INVALID_OPTIONS' });
  });

  it('keeps to the same trace or service on request', async () => {
    const span = { traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const inputs = numbered('n', 9).map((input, i) =>
      i % 3 === 0 ? { ...input, spanContext: span } : input,
    );
    await write({ connection: server.url, stream: STREAM }, inputs);
    await using logs = reader();
    const [, , , fourth] = await logs.query().toArray();
    const neighbours = await logs.context(fourth?.id ?? '', { before: 1, after: 5, same: 'trace' });
    expect(neighbours.map(({ record }) => record.body)).toEqual(['n 0', 'n 3', 'n 6']);
    const ofService = await logs.context(fourth?.id ?? '', { before: 1, after: 1, same: 'service' });
    expect(ofService.map(({ record }) => record.body)).toEqual(['n 2', 'n 3', 'n 4']);
  });
});
