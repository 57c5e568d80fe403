// Where the CPU time of a record goes: a profile of this process, its samples added up by the part of the write
// path that they belong to.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { openLogger } from '../loggers/index.mjs';
import { cost, flood, pacing } from './load.mjs';

/** Sampling interval in microseconds: short, because a part may cost no more than a few hundred nanoseconds. */
const INTERVAL_US = 200;

/** The part that a file belongs to: the first pattern that fits. */
const PARTS = [
  ['reading the call: level, arguments, context', /\/nest\/logger\/(call-|redis-logger|logger-core|levels)/],
  ['making the record, active span', /\/nest\/|@opentelemetry/],
  ['normalising values', /\/record\/(normalize|exception)/],
  ['redaction', /\/record\//],
  ['encoding', /\/codec\//],
  ['queue and batch', /\/pipeline\//],
  ['the request to Redis', /\/src\/(redis|otel)\//],
  ['ioredis: command and reply', /\/node_modules\/(ioredis|@ioredis|redis-parser)\//],
  ['socket', /^node:(net|internal\/(net|stream_base_commons|streams\/.*))$/],
  ['timers and turns', /^node:(timers|internal\/(timers|process\/task_queues))$/],
];

export async function open({ name, where }) {
  const logger = await openLogger(name, where);
  return {
    flood: ({ records }) => profile(logger, floods(records)),
    paced: ({ rate, ms }) => profile(logger, pacing(rate, ms)),
  };
}

/** In parts, so that the queue never overflows. */
const floods = (records) => async (logger) => {
  for (let done = 0; done < records; done += 50_000) {
    await flood(logger, 50_000);
    await logger.settled();
  }
  return records;
};

/** CPU microseconds per record by part, and the hottest functions. */
async function profile(logger, load) {
  await floods(50_000)(logger);
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  await inspector.post('Profiler.start');
  const { cpuUs } = await cost(logger, load);
  const { profile: sampled } = await inspector.post('Profiler.stop');
  inspector.disconnect();
  return addUp(sampled, cpuUs);
}

function addUp({ nodes, samples }, cpuUsPerRecord) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const names = new Map();
  const parts = {};
  const functions = {};
  let busy = 0;
  for (const id of samples) {
    const { functionName, url } = placeOf(byId.get(id));
    if (functionName === '(idle)') continue;
    busy++;
    if (!names.has(id)) names.set(id, partOf(id, byId, parents));
    const part = names.get(id);
    parts[part] = (parts[part] ?? 0) + 1;
    const label = `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}`;
    functions[label] = (functions[label] ?? 0) + 1;
  }
  const scaled = (counts) =>
    Object.entries(counts)
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => ({ name, us: (count / busy) * cpuUsPerRecord, share: count / busy }));
  return { cpuUsPerRecord, parts: scaled(parts), functions: scaled(functions).slice(0, 40) };
}

const maps = new Map();

/** Function and file of a node; of the package's joined files, the module that it comes from. */
function placeOf(node) {
  const { functionName, url, lineNumber, columnNumber } = node.callFrame;
  if (!url.includes('/dist/esm/')) return node.callFrame;
  if (!maps.has(url)) {
    maps.set(url, new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8'))));
  }
  const { originalSource } = maps.get(url).findEntry(lineNumber, columnNumber);
  return { functionName, url: originalSource ?? url };
}

/** The part of the nearest caller that has one: what V8 itself does is done for somebody. */
function partOf(id, byId, parents) {
  for (let at = id; at !== undefined; at = parents.get(at)) {
    const { functionName, url } = placeOf(byId.get(at));
    if (functionName === '(garbage collector)') return 'garbage collection';
    if (/\/test\/bench\//.test(url)) return 'the application (here: this benchmark)';
    const part = PARTS.find(([, pattern]) => pattern.test(url));
    if (part !== undefined) return part[0];
  }
  return "Node's own event loop";
}
