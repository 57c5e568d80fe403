import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Redis } from 'ioredis';
import { RedisBatchLogRecordProcessor, RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { storedRecords } from '../nest/support.js';
import { unregister } from './support.js';

interface Seen {
  readonly command: string;
  readonly isSuppressed: boolean;
  readonly request: string | undefined;
  readonly hasSpan: boolean;
}

const requests = new AsyncLocalStorage<string>();
let redis: RedisServer;
let seen: Seen[];
let spans: InMemorySpanExporter;

function look(command: string): void {
  const active = context.active();
  seen.push({
    command,
    isSuppressed: isTracingSuppressed(active),
    request: requests.getStore(),
    hasSpan: trace.getSpanContext(active) !== undefined,
  });
}

/** As instrumentations do it: a span around every command, made where the command is called. */
function instrument(): void {
  const { sendCommand } = Redis.prototype;
  vi.spyOn(Redis.prototype, 'sendCommand').mockImplementation(function (this: Redis, ...args) {
    const [{ name }] = args;
    look(name);
    const span = trace.getTracer('fake-ioredis').startSpan(name);
    span.end();
    return sendCommand.apply(this, args);
  });
}

/** ioredis tells of its commands by itself too. */
const commands = tracingChannel('ioredis:command');
const subscriber = {
  start: (message: unknown) => look(`channel ${String((message as { command?: string }).command)}`),
};

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

beforeEach(() => {
  seen = [];
  spans = new InMemorySpanExporter();
  instrument();
  commands.subscribe(subscriber as never);
});
afterEach(() => {
  commands.unsubscribe(subscriber as never);
  vi.restoreAllMocks();
  unregister();
});

function startTracing(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  );
}

/** A request with a span of its own, as a server's instrumentation makes it. */
async function inRequest<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  return requests.run(name, () =>
    trace.getTracer('server').startActiveSpan(name, async (span) => {
      try {
        return await work();
      } finally {
        span.end();
      }
    }),
  );
}

function expectIsolated(): void {
  const ours = seen.filter(({ command }) => !/^(channel )?(xrange|info)$/i.test(command));
  expect(ours.length).toBeGreaterThan(2);
  expect(ours.some(({ command }) => command.startsWith('channel '))).toBe(true);
  for (const { isSuppressed, request, hasSpan } of ours) {
    expect({ isSuppressed, request, hasSpan }).toEqual({
      isSuppressed: true,
      request: undefined,
      hasSpan: false,
    });
  }
}

describe('What the write path does for the record of a request', () => {
  it('becomes no span of that request and does not run in its context, from the first connection to the last flush', async () => {
    startTracing();
    const stream = 'logs:isolated';
    await inRequest('GET /orders', async () => {
      // Even the exporter may be made within a request, and closed within one.
      const exporter = new RedisLogRecordExporter({ connection: redis.url, stream });
      const provider = new LoggerProvider({ processors: [new RedisBatchLogRecordProcessor({ exporter })] });
      provider.getLogger('orders').emit({ body: 'one' });
      await provider.forceFlush();
      provider.getLogger('orders').emit({ body: 'two' });
      await provider.shutdown();
    });
    expectIsolated();
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['GET /orders']);
    const [span] = spans.getFinishedSpans();
    const records = await storedRecords(redis, stream);
    expect(records.map(({ spanContext }) => spanContext?.traceId)).toEqual(
      Array(2).fill(span?.spanContext().traceId),
    );
  });

  it('stays so when tracing is started long after the first record', async () => {
    const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs:late-tracing' });
    const provider = new LoggerProvider({ processors: [new RedisBatchLogRecordProcessor({ exporter })] });
    provider.getLogger('orders').emit({ body: 'before' });
    await provider.forceFlush();
    seen = [];
    startTracing();
    await inRequest('GET /orders', async () => {
      for (let n = 0; n < 3; n++) {
        provider.getLogger('orders').emit({ body: n });
        await provider.forceFlush();
      }
    });
    await provider.shutdown();
    expectIsolated();
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['GET /orders']);
  });

  it('leaves the context of the caller as it was', async () => {
    startTracing();
    const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs:caller' });
    await inRequest('GET /', async () => {
      const active = context.active();
      exporter.connect();
      await exporter.flush();
      expect(context.active()).toBe(active);
      expect(requests.getStore()).toBe('GET /');
    });
    expect(context.active()).toBe(ROOT_CONTEXT);
    await exporter.shutdown();
  });
});
