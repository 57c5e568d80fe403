import type { Format } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';
import { accountGap, openWriter } from './writing.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

const RESETS = 10;
const PER_RESET = 300;
const RECORDS = RESETS * PER_RESET;

async function bodiesAfterResets(
  format: Format,
  list: string,
  read: (item: string) => unknown,
): Promise<unknown[]> {
  await using proxy = await startTcpProxy({ port: redis.port });
  const { writer } = openWriter(proxy, { format, stream: list, batch: { maxRecords: 50 } });
  let next = 0;
  for (let n = 0; n < RESETS; n++) {
    writer.emit({ body: `n${next++}` });
    await writer.flush();
    const { connections } = proxy.counts;
    // In turn: the requests arrive and their replies are lost, or the requests break off in the middle.
    const losesReplies = n % 2 === 0;
    await proxy.set(losesReplies ? { blackHole: 'down' } : { resetAfterBytes: { up: 2_000 } });
    while (next % PER_RESET > 0) writer.emit({ body: `n${next++}` });
    const before = 1 + n * PER_RESET;
    if (losesReplies) await until(async () => (await redis.client().llen(list)) > before);
    else await until(() => proxy.counts.connections > connections);
    proxy.cut();
    await proxy.heal();
    await writer.flush();
  }
  const result = await writer.flush();
  expect(result).toMatchObject({ delivered: RECORDS, pending: 0, dropped: 0 });
  await writer.close();
  const { retried, duplicatesSuppressed, possibleDuplicates } = writer.stats();
  expect(retried).toBeGreaterThan(0);
  expect(duplicatesSuppressed).toBeGreaterThan(RESETS);
  expect(possibleDuplicates).toBe(0);
  expect(accountGap(writer)).toBe(0);
  return (await redis.client().lrange(list, 0, -1)).map(read);
}

describe('A list has every record once, in order, also when connections break in the middle of a batch', () => {
  const wanted = Array.from({ length: RECORDS }, (_, n) => `n${n}`);

  it('with the format "list"', async () => {
    const message = (item: string): unknown => (JSON.parse(item) as { message: unknown }).message;
    expect(await bodiesAfterResets('list', 'resets:list', message)).toEqual(wanted);
  });

  it('with the format "plumelog"', async () => {
    const content = (item: string): unknown => (JSON.parse(item) as { content: unknown }).content;
    expect(await bodiesAfterResets('plumelog', 'resets:plumelog', content)).toEqual(wanted);
  });

  it('with an encoder of your own', async () => {
    const own: Format = { target: 'list', encode: (record) => `<${String(record.body)}>` };
    expect(await bodiesAfterResets(own, 'resets:own', (item) => item.slice(1, -1))).toEqual(wanted);
  });
});
