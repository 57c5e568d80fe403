import { describe, expect, it } from 'vitest';
import { type LogInput, RedisLogWriter } from '../../../src/core.js';
import type { RedisLogWriterOptions } from '../../../src/options/types.js';
import { createDiagnostics } from '../../../src/diagnostics.js';

/** A writer that never connects: nothing here waits for Redis. What it says of that is not what is tested. */
function writer(options: RedisLogWriterOptions = {}): RedisLogWriter {
  const diagnostics = createDiagnostics({ write: () => {} });
  const all = { connection: 'redis://127.0.0.1:1', service: { name: 'hostile' }, ...options };
  return new RedisLogWriter(all, { diagnostics });
}

function throwing(name: string): object {
  return Object.defineProperty({ body: 'x', severityNumber: 17 }, name, {
    enumerable: true,
    get: () => {
      throw new Error('hostile');
    },
  });
}

const revoked = Proxy.revocable({}, {});
revoked.revoke();

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['a text', 'text'],
  ['a function', () => 'x'],
  ['a revoked proxy', revoked.proxy],
  ['a timestamp that is a text', { timestamp: '2026-01-01', severityNumber: 17 }],
  ['a timestamp that is an invalid date', { timestamp: new Date(Number.NaN), severityNumber: 17 }],
  ['a timestamp that is nothing finite', { timestamp: Infinity }],
  ['a timestamp of another shape', { timestamp: [1] }],
  ['attributes that are null', { attributes: null }],
  ['attributes that are a revoked proxy', { attributes: revoked.proxy, severityNumber: 21 }],
  ['attributes with a getter that throws', { attributes: throwing('a') }],
  ['attributes that refer to themselves', { attributes: cyclic }],
  ['a body that is a revoked proxy', { body: revoked.proxy, severityNumber: 17 }],
  ['a body that is a symbol', { body: Symbol('x'), severityNumber: 17 }],
  [
    'a body with a toJSON that throws',
    {
      body: {
        toJSON: () => {
          throw new Error('no');
        },
      },
    },
  ],
  ['a body that refers to itself', { body: cyclic }],
  ['a severity that is none', { severityNumber: Number.NaN, severityText: 5 }],
  ['a severity beyond all', { severityNumber: 1e9 }],
  ['a scope that is a text', { scope: 'orders', severityNumber: 17 }],
  ['a scope with a getter that throws', { scope: throwing('name'), severityNumber: 17 }],
  ['a resource without attributes', { resource: {}, severityNumber: 17 }],
  ['a resource that is a number', { resource: 5, severityNumber: 17 }],
  ['a span context that is none', { spanContext: 'x' }],
  ['an event name that is none', { eventName: {} }],
  ...['timestamp', 'body', 'attributes', 'scope', 'severityNumber', 'resource', 'spanContext'].map(
    (name) => [`a getter of ${name} that throws`, throwing(name)] as const,
  ),
];

describe('emit', () => {
  it.each(HOSTILE)('neither throws nor loses count, given %s', async (_, input) => {
    const hostile = writer();
    expect(() => hostile.emit(input as LogInput)).not.toThrow();
    const { emitted, queued, dropped } = hostile.stats();
    expect(emitted).toBe(1);
    expect(queued + (dropped.rejected ?? 0)).toBe(1);
    hostile.emit({ body: 'good' });
    expect(hostile.stats().queued).toBe(queued + 1);
    await hostile.close({ timeoutMs: 1 });
    expect(() => hostile.emit(input as LogInput)).not.toThrow();
  });

  it('counts a record larger than the whole queue as too large', async () => {
    const small = writer({ queue: { maxBytes: 2_000 } });
    expect(small.emit({ body: 'x'.repeat(3_000) })).toBe(false);
    expect(small.stats()).toMatchObject({ emitted: 1, queued: 0, dropped: { too_large: 1 } });
    await small.close({ timeoutMs: 1 });
  });

  it('does not follow a stream function that logs in turn', async () => {
    const stream = (): string => {
      recursive.emit({ body: 'inner' });
      return 'logs:x';
    };
    const recursive: RedisLogWriter = writer({ stream });
    expect(recursive.emit({ body: 'outer' })).toBe(true);
    expect(recursive.stats()).toMatchObject({ emitted: 2, queued: 1, dropped: { recursive: 1 } });
    await recursive.close({ timeoutMs: 1 });
  });

  it('has an exact account also for whoever asks in the middle of it', async () => {
    const seen: number[] = [];
    const stream = (): string => {
      const { emitted, queued, dropped } = asked.stats();
      seen.push(emitted - queued - (dropped.queue_full ?? 0));
      return 'logs:x';
    };
    const queue = { maxRecords: 2 };
    const asked: RedisLogWriter = writer({ stream, queue });
    for (let n = 0; n < 5; n++) asked.emit({ body: n });
    expect(seen).toEqual([0, 0, 0, 0, 0]);
    await asked.close({ timeoutMs: 1 });
  });
});

describe('flush, close and health', () => {
  it.each([[null], [undefined], [5], [{ timeoutMs: 'soon' }], [{ downWhen: null }]])(
    'neither throw nor reject, given %j',
    async (given) => {
      const made = writer({ shutdownTimeoutMs: 10 });
      const odd = given as never;
      expect(made.health(odd)).toMatchObject({ status: 'up' });
      expect(await made.flush(odd)).toMatchObject({ pending: 0, timedOut: false });
      made.emit({ body: 'x' });
      expect(await made.close(odd)).toMatchObject({ dropped: 1, timedOut: true });
    },
  );
});
