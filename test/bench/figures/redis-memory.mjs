// What a record takes in Redis: growth of used_memory by a stream of nothing else, helper keys included.
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { openChild } from '../lib/child.mjs';
import { figure } from '../lib/figure.mjs';
import { plainRecord, readableRecord, RESOURCE_ATTRIBUTES, SITES } from '../lib/records.mjs';

const CHILD = new URL('../lib/cost-child.mjs', import.meta.url);

/** Stands for the hash of the resource, where it is referred to. */
const RESOURCE_HASH = 'r0f1a2b3c4d5';

/** The layouts that the documentation recommends, and one to compare with; see docs/write-path.md. */
const LAYOUTS = [
  { id: '1', name: 'one call site', sites: 1, bar: 0.55 },
  {
    id: '5',
    name: 'five alternating, a stream per context',
    sites: 5,
    streamPerContext: true,
    bar: 0.65,
  },
  { id: '5-json', name: "five alternating, one stream, attributes: 'json'", sites: 5, attributes: 'json' },
];

export async function measure(bench) {
  const records = bench.quick ? 20_000 : 50_000;
  const figures = [];
  const peers = new Map();
  for (const layout of LAYOUTS) {
    const { sites } = layout;
    if (!peers.has(sites)) peers.set(sites, await peerSizes(bench, records, sites));
    const ours = await sizeOf(bench, records, () => writeOurs(bench, records, layout));
    for (const peer of PEERS)
      figures.push(against(peer, { ours, layout, bytes: peers.get(sites).get(peer) }));
  }
  return figures;
}

const PEERS = [
  { id: 'json', name: 'the same fields as one JSON object in one field', textOf: sameFields },
  { id: 'json-inlined', name: 'one JSON field, resource inlined', textOf: inlined },
  { id: 'otlp', name: 'one OTLP/JSON field', textOf: otlp, bar: 0.25 },
];

async function peerSizes(bench, records, sites) {
  const sizes = new Map();
  for (const peer of PEERS) {
    const textOf = (i) => peer.textOf(SITES[i % sites], i);
    sizes.set(peer, await sizeOf(bench, records, () => writeEach(bench, records, textOf)));
  }
  return sizes;
}

function against(peer, { ours, layout, bytes }) {
  return figure({
    id: `memory-${peer.id}-${layout.id}`,
    name: `memory in Redis, ${layout.name}`,
    unit: 'bytes',
    ours: [ours],
    peer: [bytes],
    peerName: peer.name,
    ...(layout.bar === undefined ? { note: 'for comparison' } : { bar: peer.bar ?? layout.bar }),
  });
}

/** All that an entry of ours has, resource by reference, producer and number too. */
function sameFields(site, i) {
  const { timestamp: _, message, attributes, resource, ...rest } = plainRecord(site, i, RESOURCE_HASH);
  const timestamp = `${BigInt(1_790_000_000_000 + i) * 1_000_000n}`;
  const producer = '9zTpZvDEz8em';
  return JSON.stringify({ timestamp, ...rest, body: message, resource, producer, seq: i + 1, ...attributes });
}

function inlined(site, i) {
  return JSON.stringify(plainRecord(site, i, RESOURCE_ATTRIBUTES));
}

function otlp(site, i) {
  return Buffer.from(JsonLogsSerializer.serializeRequest([readableRecord(site, i)])).toString();
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

async function writeOurs({ where }, records, { sites, attributes = 'fields', streamPerContext = false }) {
  const options = { attributes, retention: false };
  const input = { ...where, sites, options, streamPerContext };
  const child = await openChild(CHILD, { names: ['ours'], where: input, warmUp: 0 });
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
