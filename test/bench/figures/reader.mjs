// Reading and searching many records against ioredis alone; and one trace in a minute of a long stream.
import { encodeLogRecord, encodeResource } from 'nestjs-redis-log/core';
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';
import { readableRecord, RESOURCE_ATTRIBUTES, SITES } from '../lib/records.mjs';

const CHILD = new URL('../lib/reader-child.mjs', import.meta.url);
const STREAM = 'logs:bench';
const CONTESTANTS = ['ours', 'ioredis'];
const START = 1_790_000_000_000;
/** So that a minute holds 4,000 entries. */
const APART_MS = 15;
const MINUTE = 60_000;
const PER_TRACE = 8;
const PIPELINE = 1_000;

export async function measure(bench) {
  const { url, client } = bench.redis;
  const records = bench.quick ? 50_000 : 1_000_000;
  const read = bench.quick ? 50_000 : 200_000;
  await fill(client, records);
  const to = `${START + (read - 1) * APART_MS}-0`;
  const children = {};
  for (const name of CONTESTANTS) children[name] = await openChild(CHILD, { name, url, stream: STREAM, to });
  const figures = [];
  for (const [call, what] of [
    ['all', 'read many records, all decoded'],
    ['search', 'search many records, one in a hundred wanted'],
  ]) {
    const round = (name) => children[name].call(call, {});
    for (const name of CONTESTANTS) await round(name);
    const measured = await alternate(CONTESTANTS, bench.rounds, round);
    const peer = { peer: measured.ioredis, peerName: 'XRANGE by ioredis, nothing decoded', bar: 0.9 };
    const common = { unit: 'records/s', better: 'higher', ours: measured.ours };
    figures.push(figure({ id: `reader-${call}`, name: what, ...common, ...peer }));
  }
  const middle = Math.floor(records / 2 / PER_TRACE) * PER_TRACE;
  const from = START + middle * APART_MS - MINUTE / 2;
  const wanted = { traceId: traceOf(middle), from, to: from + MINUTE, expected: PER_TRACE };
  const times = [];
  for (let round = 0; round <= bench.rounds; round++) times.push(await children.ours.call('trace', wanted));
  figures.push(
    figure({
      id: 'reader-trace',
      name: `one trace in a minute of 4,000 entries, of ${records.toLocaleString('en')}`,
      unit: 'ms',
      ours: times.slice(1),
      bar: 100,
    }),
  );
  for (const name of CONTESTANTS) await children[name].close();
  await client.del(STREAM, `{${STREAM}}:resources`);
  return figures;
}

function traceOf(index) {
  return (0x0af7651916cd43dd8448eb211c80319cn + BigInt(Math.floor(index / PER_TRACE)))
    .toString(16)
    .padStart(32, '0');
}

/** Entries of 21 fields with ids of our choice, as if they had arrived 15 ms apart. */
async function fill(client, records) {
  const { hash, text } = encodeResource({ attributes: RESOURCE_ATTRIBUTES });
  await client.del(STREAM);
  await client.hset(`{${STREAM}}:resources`, hash, text);
  for (let first = 0; first < records; first += PIPELINE) {
    const pipeline = client.pipeline();
    for (let i = first; i < first + PIPELINE; i++)
      pipeline.xadd(STREAM, `${START + i * APART_MS}-0`, ...entry(i));
    await pipeline.exec();
  }
}

function entry(i) {
  const record = readableRecord(SITES[i % SITES.length], i);
  const extra = {
    'http.request.method': 'GET',
    'url.path': `/orders/${i}`,
    'client.port': 40_000 + (i % 9_999),
  };
  const isError = i % 100 === 0;
  const fields = encodeLogRecord({
    ...record,
    severityNumber: isError ? 17 : 9,
    spanContext: { traceId: traceOf(i), spanId: '17ad6b7169203331', traceFlags: 1 },
    attributes: { ...record.attributes, ...extra },
  });
  fields[fields.indexOf('producer') + 1] = 'producer0001';
  fields[fields.indexOf('seq') + 1] = String(i + 1);
  return fields;
}
