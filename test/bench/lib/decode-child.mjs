// Decodes the same entries again and again; see figures/decode.mjs.
import { decodeLogRecord, encodeLogRecord, encodeResource } from 'nestjs-redis-log/core';
import { plainRecord, readableRecord, RESOURCE_ATTRIBUTES, SITES } from './records.mjs';

const ENTRIES = 20_000;
/** A round goes over all of them so often: long enough that a neighbour's turn on the core is not most of it. */
const PASSES = 5;

export async function open({ sites: count }) {
  const sites = SITES.slice(0, count);
  const { hash, text } = encodeResource({ attributes: RESOURCE_ATTRIBUTES });
  const options = { resource: (wanted) => (wanted === hash ? text : undefined) };
  const entries = [];
  const texts = [];
  for (let i = 0; i < ENTRIES; i++) {
    const site = sites[i % sites.length];
    entries.push(received(encodeLogRecord(readableRecord(site, i)), i));
    texts.push(JSON.stringify(plainRecord(site, i, RESOURCE_ATTRIBUTES)));
  }
  return {
    ours: async () =>
      rate((i) => {
        const result = decodeLogRecord(entries[i], options);
        if (result.status !== 'ok') throw new Error(result.reason);
      }),
    json: async () => rate((i) => JSON.parse(texts[i])),
  };
}

/** An entry as a client hands it over: strings of its own, with producer and number filled in. */
function received(fields, i) {
  fields[fields.indexOf('producer') + 1] = 'producer0001';
  fields[fields.indexOf('seq') + 1] = String(i + 1);
  return fields.map((text) => Buffer.from(text).toString());
}

function rate(decode) {
  const before = process.cpuUsage();
  for (let pass = 0; pass < PASSES; pass++) for (let i = 0; i < ENTRIES; i++) decode(i);
  const { user, system } = process.cpuUsage(before);
  return ((PASSES * ENTRIES) / (user + system)) * 1e6;
}
