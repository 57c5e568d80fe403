import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { LogReader, type LogTail, type LogTailOptions, type TailGap } from '../../../src/reader/index.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { bodies, numbered, write } from './writing.js';

const STREAM = 'logs:orders';

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

function readerOf(connection: string, streams = [STREAM]): LogReader {
  return new LogReader(
    { connection, streams, requestTimeoutMs: 2_000 },
    { diagnostics: createDiagnostics({ write: () => undefined }) },
  );
}

/** A tail that collects in the background. */
class Collected {
  readonly all: string[] = [];
  readonly gaps: TailGap[] = [];
  readonly tail: LogTail;
  readonly done: Promise<void>;

  constructor(reader: LogReader, options: LogTailOptions = {}) {
    this.tail = reader.tail({ onGap: (gap) => this.gaps.push(gap), ...options });
    this.done = this.#run();
  }

  async #run(): Promise<void> {
    for await (const { record } of this.tail) this.all.push(String(record.body));
  }

  async has(count: number, timeoutMs = 15_000): Promise<void> {
    await until(() => this.all.length >= count, { what: `${count} records`, timeoutMs });
  }

  /** Waits until it reads: a blocked client, or at least one that knows where it is. */
  async isReading(): Promise<void> {
    await until(() => Object.keys(this.tail.position).length > 0, { what: 'the tail to begin' });
    await until(async () => (await admin.info('clients')).includes('blocked_clients:1'), {
      what: 'a blocked read',
    });
  }
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

describe('LogReader.tail', () => {
  it('begins with what comes next, and hands it out at once', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('before', 5));
    await using reader = readerOf(server.url);
    const tail = new Collected(reader);
    await tail.isReading();
    await write({ connection: server.url, stream: STREAM }, numbered('after', 3));
    await tail.has(3, 1_000);
    expect(tail.all).toEqual(names('after', 3));
    expect(tail.gaps).toEqual([]);
  });

  it('begins at the start, at a moment or after an id, and filters', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 1_200));
    await using reader = readerOf(server.url);
    expect(await bodies(reader.tail({ from: 'start' }), 1_200)).toEqual(names('n', 1_200));
    const [first] = await reader.query({ limit: 1 }).toArray();
    expect(await bodies(reader.tail({ from: first?.id ?? '' }), 1)).toEqual(['n 1']);
    expect(await bodies(reader.tail({ from: '1h' }), 2)).toEqual(['n 0', 'n 1']);
    expect(await bodies(reader.tail({ from: 'start', where: '/ 1.99$/' }), 1)).toEqual(['n 1099']);
  });

  it('goes on where another ended, by its position', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 10));
    await using reader = readerOf(server.url);
    const first = reader.tail({ from: 'start' });
    expect(await bodies(first, 4)).toEqual(names('n', 4));
    expect(await bodies(reader.tail({ from: first.position }), 6)).toEqual(names('n', 10).slice(4));
  });

  it('merges several streams in order', async () => {
    const streams = ['logs:a', 'logs:b', 'logs:c'];
    const expected: string[] = [];
    for (let i = 0; i < 30; i++) {
      await write({ connection: server.url, stream: streams[i % 3] ?? '' }, [{ body: `r ${i}` }]);
      expected.push(`r ${i}`);
    }
    await write({ connection: server.url, stream: 'logs:c' }, numbered('full', 1_100));
    await using reader = readerOf(server.url, streams);
    const all = await bodies(reader.tail({ from: 'start' }), 1_130);
    expect(all).toEqual([...expected, ...names('full', 1_100)]);
  });

  it('ends with its signal, with return and with the reader, also while it waits', async () => {
    const stop = new AbortController();
    const reader = readerOf(server.url);
    const tails = [
      new Collected(reader, { signal: stop.signal }),
      new Collected(reader),
      new Collected(reader),
    ];
    await until(async () => (await admin.info('clients')).includes('blocked_clients:3'));
    const start = performance.now();
    stop.abort();
    await tails[0]?.done;
    await tails[1]?.tail.return();
    await tails[1]?.done;
    await reader.close();
    await tails[2]?.done;
    expect(performance.now() - start).toBeLessThan(1_000);
    await until(async () => (await admin.info('clients')).includes('blocked_clients:0'));
  });

  it('reads no faster than it is iterated', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 5_000));
    await using reader = readerOf(server.url);
    await admin.call('CONFIG', 'RESETSTAT');
    const tail = reader.tail({ from: 'start' });
    for (let i = 0; i < 10; i++) await tail.next();
    expect(await admin.info('commandstats')).toContain('cmdstat_xread:calls=1,');
    await tail.return();
  });

  it('says how many records were trimmed before it came to them', async () => {
    await using reader = readerOf(server.url);
    await write({ connection: server.url, stream: STREAM }, numbered('early', 10));
    const gaps: TailGap[] = [];
    const tail = reader.tail({ from: 'start', onGap: (gap) => gaps.push(gap) });
    for (let i = 0; i < 10; i++) await tail.next();
    const { [STREAM]: after } = tail.position;
    await write({ connection: server.url, stream: STREAM }, numbered('late', 1_500));
    await admin.xtrim(STREAM, 'MAXLEN', 100);
    expect((await tail.next()).value?.record.body).toBe('late 1400');
    expect(gaps).toEqual([{ stream: STREAM, after, missed: 1_400, reason: 'trimmed' }]);
    expect(await bodies(tail, 99)).toEqual(names('late', 1_500).slice(1_401));
    expect(gaps).toHaveLength(1);
  });

  it('says that something may be gone when it goes on after an entry that was trimmed', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 100));
    await using reader = readerOf(server.url);
    const [first] = await reader.query({ limit: 1 }).toArray();
    await admin.xtrim(STREAM, 'MAXLEN', 10);
    const gaps: TailGap[] = [];
    const tail = reader.tail({ from: first?.id ?? '', onGap: (gap) => gaps.push(gap) });
    expect(await bodies(tail, 10)).toEqual(names('n', 100).slice(90));
    expect(gaps).toEqual([{ stream: STREAM, after: first?.id, missed: undefined, reason: 'trimmed' }]);
  });

  it('goes on when the stream is deleted and made anew', async () => {
    await write({ connection: server.url, stream: STREAM }, numbered('n', 3));
    await using reader = readerOf(server.url);
    const tail = new Collected(reader, { from: 'start' });
    await tail.has(3);
    await admin.del(STREAM);
    await write({ connection: server.url, stream: STREAM }, numbered('new', 3));
    await tail.has(6);
    expect(tail.all).toEqual([...names('n', 3), ...names('new', 3)]);
  });

  it('waits for a stream that is not there yet', async () => {
    await using reader = readerOf(server.url);
    const tail = new Collected(reader);
    await tail.isReading();
    await write({ connection: server.url, stream: STREAM }, numbered('n', 3));
    await tail.has(3);
    expect(tail.all).toEqual(names('n', 3));
  });

  it('survives a lost connection and a restart, with every record once', async () => {
    await using own = await startRedisServer({ appendOnly: true, config: ['appendfsync always'] });
    await using proxy = await startTcpProxy(own);
    await using reader = readerOf(proxy.url);
    const tail = new Collected(reader, { from: 'start' });
    await write({ connection: own.url, stream: STREAM }, numbered('a', 100));
    await tail.has(100);
    proxy.cut();
    await write({ connection: own.url, stream: STREAM }, numbered('b', 100));
    await tail.has(200);
    await own.restart();
    await write({ connection: own.url, stream: STREAM }, numbered('c', 100));
    await tail.has(300);
    expect(tail.all).toEqual([...names('a', 100), ...names('b', 100), ...names('c', 100)]);
    expect(tail.gaps).toEqual([]);
    expect(proxy.counts.connections).toBeGreaterThan(2);
  });

  it('notices that its link is dead while it waits', async () => {
    await using proxy = await startTcpProxy(server);
    await using reader = readerOf(proxy.url);
    const tail = new Collected(reader);
    await tail.isReading();
    const { connections } = proxy.counts;
    await proxy.set({ blackHole: true });
    await write({ connection: server.url, stream: STREAM }, numbered('n', 5));
    await until(() => proxy.counts.connections > connections, {
      what: 'another connection',
      timeoutMs: 15_000,
    });
    expect(tail.all).toEqual([]);
    await proxy.set({ blackHole: false });
    await tail.has(5);
    expect(tail.all).toEqual(names('n', 5));
  });
});
