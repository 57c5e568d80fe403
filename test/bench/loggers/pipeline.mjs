// What a careful developer writes by hand: XADD in pipelines of ioredis, one per turn of the event loop.
import { Redis } from 'ioredis';
import { RESOURCE_ATTRIBUTES, SPANS } from '../lib/records.mjs';
import { useAsyncContext } from './context.mjs';

const MOST_COMMANDS = 256;

export async function openPipeline({ redis, sites }) {
  useAsyncContext();
  const client = new Redis(redis, { lazyConnect: true });
  await client.connect();
  const running = new Set();
  let pipeline = client.pipeline();
  let isDue = false;
  const send = () => {
    isDue = false;
    if (pipeline.length === 0) return;
    const sent = pipeline.exec().finally(() => running.delete(sent));
    running.add(sent);
    pipeline = client.pipeline();
  };
  return {
    log(i) {
      pipeline.xadd('bench', 'MAXLEN', '~', 100_000, '*', ...fields(sites[i % sites.length], i));
      if (pipeline.length >= MOST_COMMANDS) send();
      else if (!isDue) {
        isDue = true;
        setImmediate(send);
      }
    },
    async settled() {
      send();
      while (running.size > 0) await Promise.all(running);
    },
    close: async () => client.disconnect(),
  };
}

/** Flat names and values; the resource by name of the service only, as in an entry of ours. */
function fields(site, i) {
  const span = SPANS[Math.floor(i / 5) % SPANS.length];
  // prettier-ignore
  const list = [
    'timestamp', Date.now(),
    'severity_number', 9,
    'severity_text', 'log',
    'body', site.message(i),
    'trace_id', span.traceId,
    'span_id', span.spanId,
    'trace_flags', span.traceFlags,
    'otel.scope.name', site.context,
    'service.name', RESOURCE_ATTRIBUTES['service.name'],
  ];
  const attributes = site.attributes(i);
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    list.push(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return list;
}
