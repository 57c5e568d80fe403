// A stream with the records of the benchmark in it, for figures that read.
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { RESOURCE_ATTRIBUTES, SITES, SPANS } from './records.mjs';

/** Writes so many records, from all call sites in turn. */
export async function fillStream({ connection, stream, records }) {
  const writer = new RedisLogWriter({ connection, stream, resource: { attributes: RESOURCE_ATTRIBUTES } });
  for (let i = 0; i < records; i++) {
    const site = SITES[i % SITES.length];
    writer.emit({
      severityNumber: 9,
      severityText: 'log',
      body: site.message(i),
      attributes: site.attributes(i),
      scope: { name: site.context },
      spanContext: SPANS[i % SPANS.length],
    });
    if (i % 20_000 === 0) await writer.flush();
  }
  await writer.close({ timeoutMs: 30_000 });
}
