// Reads the same stream with a LogReader and with ioredis alone; see figures/reader.mjs.
import { Redis } from 'ioredis';
import { LogReader } from 'nestjs-redis-log/reader';

const PAGE = 1_000;

/** `to`: the id of the last entry that is read. */
export async function open({ name, url, stream, to }) {
  return name === 'ours' ? ours(url, { stream, to }) : plain(url, { stream, to });
}

function ours(connection, { stream, to: end }) {
  const reader = new LogReader({ connection, stream });
  return {
    all: () => rate(async () => count(reader.query({ to: end }))),
    search: () => rate(async () => scanned(reader.query({ to: end, where: 'level>=error' }))),
    /** Milliseconds until all records of the trace in a minute are there. */
    async trace({ traceId, from, to, expected }) {
      const start = performance.now();
      const found = await reader.query({ traceId, from, to }).toArray();
      const ms = performance.now() - start;
      if (found.length !== expected)
        throw new Error(`${found.length} records of the trace instead of ${expected}`);
      return ms;
    },
  };
}

async function plain(url, { stream, to }) {
  const redis = new Redis(url);
  const all = () =>
    rate(async () => {
      let entries = 0;
      let start = '-';
      for (;;) {
        const page = await redis.xrange(stream, start, to, 'COUNT', PAGE);
        entries += page.length;
        if (page.length < PAGE) return entries;
        start = `(${page.at(-1)[0]}`;
      }
    });
  return { all, search: all };
}

async function count(query) {
  let records = 0;
  for await (const { record } of query) if (record !== undefined) records++;
  return records;
}

async function scanned(query) {
  await query.toArray();
  return query.progress.scanned;
}

async function rate(read) {
  const start = performance.now();
  const records = await read();
  return (records / (performance.now() - start)) * 1_000;
}
