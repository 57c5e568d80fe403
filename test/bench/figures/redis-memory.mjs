// What a record takes in Redis: growth of used_memory by a stream of nothing else, helper keys included.
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { openChild } from '../lib/child.mjs';
import { figure } from '../lib/figure.mjs';
import { plainRecord, readableRecord, RESOURCE_ATTRIBUTES, SITES } from '../lib/records.mjs';

const CHILD = new URL('../lib/cost-child.mjs', import.meta.url);

/** Hash of a resource as an entry of ours has it: what the JSON object gets in its place, to be fair to it. */
const RESOURCE_HASH = 'r0f1a2b3c4d5';

export async function measure(bench) {
  const records = bench.quick ? 20_000 : 50_000;
  const size = (write) => sizeOf(bench, records, write);
  const figures = [];
  for (const [sites, bar] of [
    [1, 0.55],
    [5, 0.65],
  ]) {
    const attributes = sites === 1 ? 'fields' : 'json';
    const ours = await size(() => writeOurs(bench, records, { sites, attributes }));
    const json = await size(() => writeEach(bench, records, (i) => jsonOf(i, sites, RESOURCE_HASH)));
    const inlined = await size(() => writeEach(bench, records, (i) => jsonOf(i, sites, RESOURCE_ATTRIBUTES)));
    const label = sites === 1 ? 'one call site' : "five alternating, attributes: 'json'";
    const common = { unit: 'bytes', ours: [ours] };
    figures.push(
      figure({
        ...common,
        id: `memory-json-${sites}`,
        name: `memory in Redis, ${label}`,
        peer: [json],
        peerName: 'one JSON field, resource by reference too',
        bar,
      }),
      figure({
        ...common,
        id: `memory-json-inlined-${sites}`,
        name: `memory in Redis, ${label}`,
        peer: [inlined],
        peerName: 'one JSON field, resource inlined',
        bar,
      }),
    );
    const otlp = await size(() => writeEach(bench, records, (i) => otlpOf(i, sites)));
    figures.push(
      figure({
        ...common,
        id: `memory-otlp-${sites}`,
        name: `memory in Redis, ${label}`,
        peer: [otlp],
        peerName: 'one OTLP/JSON field',
        bar: 0.25,
      }),
    );
  }
  return figures;
}

/** Bytes a record of ours takes with that many call sites in turn and that layout of attributes. */
export function bytesOfOurs(bench, layout) {
  return sizeOf(bench, 50_000, () => writeOurs(bench, 50_000, layout));
}

/** Bytes a record. One round is enough: the same records take the same memory each time. */
async function sizeOf({ redis }, records, write) {
  await redis.client.flushall('SYNC');
  const before = await redis.usedMemory();
  await write();
  const after = await redis.usedMemory();
  await redis.client.flushall('SYNC');
  return (after - before) / records;
}

async function writeOurs({ where }, records, { sites, attributes }) {
  const options = { attributes, retention: false };
  const child = await openChild(CHILD, { names: ['ours'], where: { ...where, sites, options }, warmUp: 0 });
  await child.call('flood', { name: 'ours', records });
  await child.close();
}

async function writeEach({ redis }, records, textOf) {
  for (let i = 0; i < records; i += 500) {
    const pipeline = redis.client.pipeline();
    for (let k = i; k < i + 500; k++) pipeline.xadd('bench', '*', 'log', textOf(k));
    await pipeline.exec();
  }
}

const siteOf = (i, sites) => SITES[i % sites];

function jsonOf(i, sites, resource) {
  return JSON.stringify(plainRecord(siteOf(i, sites), i, resource));
}

function otlpOf(i, sites) {
  return Buffer.from(JsonLogsSerializer.serializeRequest([readableRecord(siteOf(i, sites), i)])).toString();
}
