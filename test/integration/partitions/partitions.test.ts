import 'reflect-metadata';
import type { RedisOptions } from 'ioredis';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OnLogs, RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { DeadLetterError, type LogBatch, LogConsumer, replayDeadLetters } from 'nestjs-redis-log/consumer';
import {
  type AclRole,
  aclRules,
  partitionStreams,
  RedisLogWriter,
  type RedisLogWriterOptions,
} from 'nestjs-redis-log/core';
import { StreamMonitor } from 'nestjs-redis-log/monitor';
import { LogReader } from 'nestjs-redis-log/reader';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { slotOf } from '../../../src/options/key-slot.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const STREAM = 'logs:shop';
const TRACES = 100;
const PER_TRACE = 6;

const redis = useRedisServer();

/** Writes requests of some records each, one record of every request in turn, as a busy service does. */
async function writeTraces(options: RedisLogWriterOptions): Promise<string[]> {
  await using writer = new RedisLogWriter({ stream: STREAM, service: { name: 'shop' }, ...options });
  const bodies: string[] = [];
  for (let at = 0; at < TRACES * PER_TRACE; at++) {
    const trace = (at % TRACES) + 1;
    const traceId = (BigInt(trace) * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(16).slice(-32);
    const spanContext = { traceId: traceId.padStart(32, '0'), spanId: '00f067aa0ba902b7', traceFlags: 1 };
    const body = `trace ${trace} record ${at}`;
    bodies.push(body);
    writer.emit({ body, spanContext });
    // A tick now and then, so that there are many batches.
    if (at % 50 === 49) await writer.flush();
  }
  const { delivered } = await writer.flush();
  if (delivered !== bodies.length) throw new Error(`Only ${delivered} of ${bodies.length} were written.`);
  return bodies;
}

function traceOf(body: unknown): string {
  return String(body).split(' record ')[0] ?? '';
}

function quiet(): { readonly diagnostics: ReturnType<typeof createDiagnostics>; readonly lines: string[] } {
  const lines: string[] = [];
  return { diagnostics: createDiagnostics({ write: (line) => lines.push(line) }), lines };
}

describe('A stream with six partitions in a Cluster', () => {
  it('is written on every master, read back as one in the order of time, and handled once by a group', async () => {
    await using cluster = await startRedisCluster();
    const connection = { cluster: cluster.startupNodes };
    const bodies = await writeTraces({ connection, partitions: 6 });
    const streams = partitionStreams(STREAM, 6);
    const admin = cluster.client();

    const slots = await Promise.all(streams.map((stream) => admin.cluster('KEYSLOT', stream)));
    expect(slots).toEqual(streams.map((stream) => slotOf(/\{(.+)\}/.exec(stream)?.[1] ?? '')));
    const perMaster = await Promise.all(
      cluster.masters.map(async (master) => (await master.client().keys(`${STREAM}:{*}`)).length),
    );
    expect(perMaster).toEqual([2, 2, 2]);
    const lengths = await Promise.all(streams.map((stream) => admin.xlen(stream)));
    expect(lengths.reduce((sum, length) => sum + length)).toBe(bodies.length);
    expect(Math.min(...lengths)).toBeGreaterThan(bodies.length / 20);

    await using reader = new LogReader({ connection, stream: STREAM, partitions: 6 });
    const read = await reader.query().toArray();
    expect(read.map(({ record }) => String(record.body)).toSorted()).toEqual(bodies.toSorted());
    const times = read.map(({ id }) => Number.parseInt(id, 10));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const newest = await reader.query({ order: 'desc', limit: 3, streams: [STREAM] }).toArray();
    expect(newest.map(({ id }) => id)).toEqual(
      read
        .slice(-3)
        .map(({ id }) => id)
        .toReversed(),
    );
    const tailed: string[] = [];
    for await (const { record } of reader.tail({ from: 'start' })) {
      if (tailed.push(String(record.body)) === bodies.length) break;
    }
    expect(tailed.toSorted()).toEqual(bodies.toSorted());

    const handled: string[] = [];
    const { diagnostics, lines } = quiet();
    const options = { connection, stream: STREAM, partitions: 6, group: 'etl', maxWaitMs: 5 };
    const consumers = [1, 2].map(() => new LogConsumer(options, { diagnostics }));
    const running = consumers.map((consumer) =>
      consumer.run((batch) => {
        for (const { record } of batch) handled.push(String(record.body));
      }),
    );
    await until(() => handled.length >= bodies.length, {
      what: 'all records to be handled',
      timeoutMs: 20_000,
    });
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
    expect(handled.toSorted()).toEqual(bodies.toSorted());
    const pending = await Promise.all(streams.map((stream) => admin.xpending(stream, 'etl')));
    expect(pending.map(([count]) => count)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(lines).toEqual([]);
  }, 60_000);
});

describe('Partitions', () => {
  it('keep the records of a trace together and in order', async () => {
    const bodies = await writeTraces({ connection: redis.url, partitions: 4 });
    const home = new Map<string, string>();
    const seen: string[] = [];
    for (const stream of partitionStreams(STREAM, 4)) {
      const found: string[] = [];
      await using reader = new LogReader({ connection: redis.url, streams: [stream] });
      for await (const { record } of reader.query()) found.push(String(record.body));
      for (const trace of new Set(found.map(traceOf))) {
        expect(home.has(trace)).toBe(false);
        home.set(trace, stream);
        const wanted = bodies.filter((body) => traceOf(body) === trace);
        expect(found.filter((body) => traceOf(body) === trace)).toEqual(wanted);
      }
      seen.push(...found);
    }
    expect(seen.toSorted()).toEqual(bodies.toSorted());
    expect(home.size).toBe(TRACES);
  });

  it('each have a guard, resources and retention of their own', async () => {
    await writeTraces({ connection: redis.url, partitions: 2, retention: { maxLength: 100 } });
    for (const stream of partitionStreams(STREAM, 2)) {
      expect(await redis.client.keys(`${stream}:guard:*`)).toHaveLength(1);
      expect(await redis.client.hlen(`${stream}:resources`)).toBe(1);
      expect(await redis.client.xlen(stream)).toBeLessThan(250);
    }
    expect(await redis.client.exists(STREAM)).toBe(0);
  });

  it('are handled no more at once than the consumer allows, all of them together', async () => {
    const bodies = await writeTraces({ connection: redis.url, partitions: 4 });
    const { diagnostics } = quiet();
    const consumer = new LogConsumer(
      { connection: redis.url, stream: STREAM, partitions: 4, group: 'etl', batchSize: 20, maxWaitMs: 5 },
      { diagnostics },
    );
    let atOnce = 0;
    let most = 0;
    const sources = new Set<string>();
    const running = consumer.run(async (batch) => {
      most = Math.max(most, ++atOnce);
      sources.add(batch.stream);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    });
    await until(() => consumer.stats().acknowledged === bodies.length, { what: 'all to be handled' });
    expect(consumer.stats()).toMatchObject({ received: bodies.length, held: 0, retried: 0 });
    expect([...sources].toSorted()).toEqual(partitionStreams(STREAM, 4).toSorted());
    expect(most).toBe(1);
    for (const stream of sources) {
      const groups = (await redis.client.xinfo('CONSUMERS', stream, 'etl')) as unknown[][];
      expect(groups.map((fields) => fields[1])).toEqual([consumer.name]);
    }
    await consumer.close();
    await running;
  });

  it('are refused records from a handler of any of them, so that none can feed itself', async () => {
    await writeTraces({ connection: redis.url, partitions: 3 });
    const { diagnostics } = quiet();
    await using writer = new RedisLogWriter(
      { connection: redis.url, stream: STREAM, partitions: 3 },
      { diagnostics },
    );
    const before = await Promise.all(partitionStreams(STREAM, 3).map((each) => redis.client.xlen(each)));
    const consumer = new LogConsumer(
      { connection: redis.url, stream: STREAM, partitions: 3, group: 'etl', maxWaitMs: 5 },
      { diagnostics },
    );
    let batches = 0;
    const running = consumer.run(() => {
      batches++;
      for (let n = 0; n < 600; n++) writer.emit({ body: 'about what was handled' });
    });
    await until(() => consumer.stats().acknowledged === TRACES * PER_TRACE, { what: 'all to be handled' });
    await consumer.close();
    await running;
    await writer.flush();
    expect(writer.stats().dropped).toEqual({ feedback: 600 * batches });
    expect(await Promise.all(partitionStreams(STREAM, 3).map((each) => redis.client.xlen(each)))).toEqual(
      before,
    );
  });

  it('are all let go of by a consumer that is closed, also where one of them is no stream', async () => {
    await redis.client.set(partitionStreams(STREAM, 2)[0] ?? '', 'no stream');
    const { diagnostics, lines } = quiet();
    const consumer = new LogConsumer(
      { connection: redis.url, stream: STREAM, partitions: 2, group: 'etl', maxWaitMs: 5 },
      { diagnostics },
    );
    const running = consumer.run(() => undefined);
    await until(() => lines.some((line) => line.includes('WRONGTYPE')), { what: 'the trouble to be told' });
    await consumer.close();
    await running;
    const names = async (): Promise<string> => String(await redis.client.client('LIST'));
    await until(async () => !(await names()).includes('nestjs-redis-log-'), {
      what: 'all connections to end',
    });
    expect(consumer.stats()).toMatchObject({ received: 0, held: 0 });
  });

  it('are watched one by one by a monitor of the stream', async () => {
    await writeTraces({ connection: redis.url, partitions: 3 });
    const monitor = new StreamMonitor({
      connection: redis.url,
      streams: STREAM,
      partitions: 3,
      metrics: false,
    });
    const { streams } = await monitor.sample();
    await monitor.stop();
    expect(streams.map(({ stream }) => stream)).toEqual(partitionStreams(STREAM, 3));
    expect(streams.reduce((sum, { length }) => sum + (length ?? 0), 0)).toBe(TRACES * PER_TRACE);
  });

  it('give their dead letters back, all of them, and each to its own partition', async () => {
    await writeTraces({ connection: redis.url, partitions: 3 });
    const { diagnostics } = quiet();
    const options = { connection: redis.url, stream: STREAM, partitions: 3 };
    const consumer = new LogConsumer({ ...options, group: 'etl', maxWaitMs: 5 }, { diagnostics });
    const running = consumer.run((batch) => {
      if (batch.entries.some(({ record }) => traceOf(record.body) === 'trace 7'))
        throw new DeadLetterError('7');
    });
    await until(() => consumer.stats().deadLettered > 0 && consumer.stats().held === 0, {
      what: 'dead letters',
    });
    await consumer.close();
    await running;
    const lengths = (): Promise<number[]> =>
      Promise.all(partitionStreams(STREAM, 3).map((stream) => redis.client.xlen(stream)));
    const letters = await Promise.all(
      partitionStreams(STREAM, 3).map((stream) => redis.client.xlen(`${stream}:dlq`)),
    );
    const before = await lengths();
    const { replayed } = await replayDeadLetters(options);
    expect(replayed).toBe(letters.reduce((sum, length) => sum + length));
    expect(await lengths()).toEqual(before.map((length, at) => length + (letters[at] ?? 0)));
  });
});

describe('Users of a stream with partitions', () => {
  it('need no more rights than those of their roles, also behind a prefix', async () => {
    const place = { stream: STREAM, partitioned: true, keyPrefix: 'prod:' } as const;
    const retention = { maxLength: 100, keepFor: ['etl'], hardMaxLength: 10_000 };
    const connect = async (role: AclRole): Promise<RedisOptions> => {
      const rules = aclRules({ role, retention, ...place });
      await redis.client.call('ACL', 'SETUSER', role, 'on', '>secret', ...rules);
      const { host, port } = redis.server;
      return { host, port, username: role, password: 'secret', keyPrefix: place.keyPrefix };
    };
    await redis.client.call('ACL', 'LOG', 'RESET');
    const { diagnostics, lines } = quiet();
    const options = { stream: STREAM, partitions: 3 };
    const consumer = new LogConsumer(
      { ...options, connection: await connect('consumer'), group: 'etl', maxWaitMs: 5 },
      { diagnostics },
    );
    const running = consumer.run(() => undefined);
    const first = `prod:${partitionStreams(STREAM, 3)[2] ?? ''}`;
    await until(() => redis.client.exists(first).then(Boolean), { what: 'the groups' });
    const bodies = await writeTraces({ ...options, connection: await connect('producer'), retention });
    await until(() => consumer.stats().acknowledged === bodies.length, { what: 'all to be handled' });
    await consumer.close();
    await running;
    await using reader = new LogReader({ ...options, connection: await connect('viewer') });
    expect((await reader.query().toArray()).length).toBeGreaterThan(100);
    expect(await redis.client.call('ACL', 'LOG')).toEqual([]);
    expect(lines).toEqual([]);
  });
});

describe('In a Nest application, partitions', () => {
  it('are those of the logger for handlers and the reader, too', async () => {
    @Injectable()
    class Etl {
      readonly bodies: unknown[] = [];
      @OnLogs({ group: 'etl', maxWaitMs: 5 })
      store(batch: LogBatch): void {
        this.bodies.push(...batch.entries.map(({ record }) => record.body));
      }
    }
    class AppModule {}
    Module({})(AppModule);
    const options = { connection: redis.url, stream: STREAM, console: false, partitions: 3 } as const;
    const module = { module: AppModule, imports: [RedisLogModule.forRoot(options)], providers: [Etl] };
    const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    const logger = app.get(RedisLogger);
    for (let n = 0; n < 600; n++) logger.log(`record ${n}`, 'Orders');
    await logger.flush();
    const etl = app.get(Etl);
    const own = (): unknown[] => etl.bodies.filter((body) => String(body).startsWith('record '));
    await until(() => own().length === 600, { what: 'all records to be handled' });
    const read = await app.get(LogReader).query({ text: 'record ' }).toArray();
    expect(new Set(read.map(({ stream }) => stream))).toEqual(new Set(partitionStreams(STREAM, 3)));
    expect(read).toHaveLength(600);
    await app.close();
    expect(await redis.client.exists(STREAM)).toBe(0);
  });
});
