import { decodeLogRecord, type StreamEncoder } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { AT, SPAN, write } from './writing.js';

const service = { name: 'shop', version: '1.2.3' };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

/** As Logstash's redis input takes a batch off a list: in one script, so that nobody comes in between. */
async function popBatch(list: string, count: number): Promise<unknown[]> {
  const script = `local items = redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)
    redis.call('LTRIM', KEYS[1], #items, -1)
    return items`;
  const items = (await redis.client().eval(script, 1, list, count)) as string[];
  return items.map((item) => JSON.parse(item) as unknown);
}

const order = {
  body: 'Order placed',
  severityNumber: 9,
  severityText: 'log',
  timestamp: AT,
  spanContext: SPAN,
  scope: { name: 'OrdersService', version: '2' },
  eventName: 'order.placed',
  attributes: { orderId: 7, items: ['a', 'b'], buyer: { name: 'Ann' } },
} as const;
const asJson = {
  '@timestamp': new Date(1_795_000_000_123).toISOString(),
  timestamp: '1795000000123456789',
  severity_number: 9,
  severity_text: 'log',
  message: 'Order placed',
  'service.name': 'shop',
  trace_id: SPAN.traceId,
  span_id: SPAN.spanId,
  trace_flags: '01',
  'otel.event.name': 'order.placed',
  'otel.scope.name': 'OrdersService',
  'otel.scope.version': '2',
  attributes: order.attributes,
};

describe('The format "list"', () => {
  it('is one plain JSON object an item, for Logstash and Vector', async () => {
    await write(redis, { format: 'list', service, stream: 'logstash' }, [order]);
    const [item] = await popBatch('logstash', 125);
    expect(item).toMatchObject(asJson);
    expect(item).toMatchObject({ resource: { 'service.name': 'shop', 'service.version': '1.2.3' } });
    expect(await redis.client().exists('logstash')).toBe(0);
  });

  it('gives batches in order, and single items to a blocked pop', async () => {
    const records = Array.from({ length: 300 }, (_, n) => ({ body: `n${n}` }));
    const bodies = records.map(({ body }) => body);
    await write(redis, { format: 'list', service }, records);
    const first = await popBatch('logs:shop', 125);
    const second = await popBatch('logs:shop', 125);
    const popped = [...first, ...second].map((item) => (item as { message: string }).message);
    for (let n = 250; n < 300; n++) {
      const [, item] = (await redis.client().blpop('logs:shop', 1)) ?? [];
      popped.push((JSON.parse(String(item)) as { message: string }).message);
    }
    expect(popped).toEqual(bodies);
  });

  it('is kept to its length, the newest items staying', async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({ body: `n${n}` }));
    await write(redis, { format: 'list', service, retention: { maxLength: 10 } }, records);
    const items = (await popBatch('logs:shop', 100)) as { message: string }[];
    expect(items.map(({ message }) => message)).toEqual(records.slice(-10).map(({ body }) => body));
  });

  it('holds a valid item whatever the values are', async () => {
    const circular: Record<string, unknown> = { n: 1n };
    circular['self'] = circular;
    await write(redis, { format: 'list', service }, [
      { body: circular, attributes: circular },
      { timestamp: [Number.NaN, 0] },
    ]);
    const items = (await popBatch('logs:shop', 100)) as Record<string, unknown>[];
    expect(items).toHaveLength(2);
    for (const item of items) expect(item).toHaveProperty('@timestamp');
    expect(items[1]).toMatchObject({ message: '', attributes: {} });
  });
});

describe('The format "json"', () => {
  it('is the same object in the one field "log" of a stream entry', async () => {
    const { writer } = await write(redis, { format: 'json', service }, [order, { body: 'second' }]);
    const entries = await redis.client().xrange('logs:shop', '-', '+');
    expect(entries.map(([, fields]) => fields[0])).toEqual(['log', 'log']);
    expect(entries.every(([, fields]) => fields.length === 2)).toBe(true);
    expect(JSON.parse(entries[0]?.[1][1] ?? '')).toMatchObject(asJson);
    expect(writer.stats()).toMatchObject({ delivered: 2, delivery: 'exactly-once' });
  });
});

describe('An encoder of your own', () => {
  it('decides on the fields of a stream entry, also when they change from record to record', async () => {
    const format: StreamEncoder = {
      target: 'stream',
      encode: (record) => [
        'msg',
        String(record.body),
        ...Object.entries(record.attributes).flat().map(String),
      ],
    };
    await write(redis, { format, stream: 'own' }, [
      { body: 'a' },
      { body: 'b', attributes: { x: 1 } },
      { body: 'c', attributes: { y: 'ü\r\n', x: 2 } },
    ]);
    const entries = await redis.client().xrange('own', '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['msg', 'a'],
      ['msg', 'b', 'x', '1'],
      ['msg', 'c', 'y', 'ü\r\n', 'x', '2'],
    ]);
  });

  it('decides on the items of a list, given as a string or as an array of one', async () => {
    const format: StreamEncoder = {
      target: 'list',
      encode: (record) => (record.body === 'one' ? `<${String(record.body)}>` : [`<${String(record.body)}>`]),
    };
    await write(redis, { format, stream: 'own' }, [{ body: 'one' }, { body: 'two' }]);
    expect(await redis.client().lrange('own', 0, -1)).toEqual(['<one>', '<two>']);
  });
});

describe('The option "attributes"', () => {
  const attributes = {
    orderId: 7,
    note: '12',
    nested: { a: [1, Number.NaN] },
    body: 'reserved name',
    last: null,
  };

  async function fieldsAndRecord(layout: 'fields' | 'json' | string[]) {
    await write(redis, { attributes: layout, service, stream: 'layout' }, [{ body: 'x', attributes }]);
    const fields = (await redis.client().xrange('layout', '-', '+'))[0]?.[1] ?? [];
    const result = decodeLogRecord(fields);
    if (result.status !== 'ok') throw new Error(result.reason);
    const names = fields.filter((_, index) => index % 2 === 0).slice(12);
    return { names, decoded: result.record.attributes };
  }

  it('"fields" writes each as a field of its own', async () => {
    const { names, decoded } = await fieldsAndRecord('fields');
    expect(names).toEqual(['orderId', 'note', 'nested', 'attributes.body', 'last']);
    expect(decoded).toEqual(attributes);
  });

  it('"json" writes all of them into one field', async () => {
    const { names, decoded } = await fieldsAndRecord('json');
    expect(names).toEqual(['attributes']);
    expect(decoded).toEqual(attributes);
  });

  it('a list of names writes those as fields and the rest into one', async () => {
    const { names, decoded } = await fieldsAndRecord(['orderId', 'body', 'absent']);
    expect(names).toEqual(['orderId', 'attributes.body', 'attributes']);
    expect(decoded).toEqual(attributes);
  });
});
