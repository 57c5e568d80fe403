// The app under test: it logs at a steady rate, whatever happens to Redis, and answers its parent's questions.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type LogStats, RedisLogWriter } from '../../src/core.js';
import { createDiagnostics } from '../../src/diagnostics.js';
import { payload } from '../support/oracle.js';
import { Notebook } from './notes.js';
import type { AppSettings, Question, Sample } from './protocol.js';

const TICK_MS = 5;
const LOOK_MS = 200;

const settings: AppSettings = JSON.parse(process.argv[2] ?? '{}');
const { url, stream, names, rate, spool, closeTimeoutMs = 60_000 } = settings;
const notebook = spool === undefined ? undefined : new Notebook(spool.notes);

const tries: Record<string, number> = {};
const lines: Record<string, number> = {};
const emitted: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
let wrongAccounts = 0;
let looks = 0;
let safe = 0;
let maxRssBytes = 0;
let isLogging = true;

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

const writers = new Map(
  names.map((name) => {
    const write = (line: string): void => count(lines, line.replace(/\d+/g, 'N').slice(0, 90));
    const watch = {
      appended: (_: number, errorType: string | undefined) => count(tries, errorType ?? 'stored'),
      stateChanged: () => {},
    };
    const options = {
      connection: url,
      stream,
      service: { name: 'soak' },
      // What was verified is trimmed by the other side.
      retention: false,
      sendTimeoutMs: settings.sendTimeoutMs ?? 1_500,
      queue: { maxBytes: 32 * 1024 * 1024, ...settings.queue },
      ...(spool === undefined ? {} : { spool: { directory: spool.directory } }),
    } as const;
    return [name, new RedisLogWriter(options, { diagnostics: createDiagnostics({ write }), watch })];
  }),
);

const loop = monitorEventLoopDelay({ resolution: 5 });
loop.enable();

let startedAt = performance.now();
let due = 0;
const emitting = setInterval(() => {
  if (!isLogging) return;
  // After a pause of the whole machine the rate goes on from here instead of making up for it.
  const now = performance.now();
  const next = Math.floor(((now - startedAt) / 1_000) * rate);
  if (next - due > rate) startedAt = now - ((due + rate) / rate) * 1_000;
  const end = Math.min(next, due + rate);
  noteDown(end - due);
  for (; due < end; due++) emitOne(names[due % names.length] ?? '');
}, TICK_MS);

/** Whatever is not queued any more is on disk, or further. So many more records are about to be emitted. */
function noteDown(more: number): void {
  const [name = ''] = names;
  const stats = writers.get(name)?.stats();
  if (notebook === undefined || stats === undefined) return;
  if (stats.queued === 0) safe = stats.emitted;
  const { emitted: before, recovered } = stats;
  notebook.write({ emitted: before + more, safe, recovered, wrongAccounts });
}

function emitOne(name: string): void {
  const n = (emitted[name] ?? 0) + 1;
  emitted[name] = n;
  writers.get(name)?.emit(payload(name, n));
}

const looking = setInterval(look, LOOK_MS);

/** The account adds up at every instant; this is as good an instant as any. */
function look(): void {
  maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss());
  for (const [name, writer] of writers) {
    looks++;
    if (!addsUp(writer.stats(), emitted[name] ?? 0)) wrongAccounts++;
  }
}

function addsUp(stats: LogStats, expected: number): boolean {
  const dropped = Object.values(stats.dropped).reduce((sum, each) => sum + each, 0);
  const { delivered, queued, spooled, inFlight, unconfirmed } = stats;
  const sum = delivered + queued + spooled + inFlight + unconfirmed + dropped;
  return stats.emitted === expected && stats.emitted + stats.recovered === sum;
}

function sample(): Sample {
  look();
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 5);
  return {
    emitted: { ...emitted },
    stats: Object.fromEntries([...writers].map(([name, writer]) => [name, writer.stats()])),
    rssBytes: process.memoryUsage.rss(),
    maxRssBytes,
    loopDelay: { p50: ms(loop.percentile(50)), p99: ms(loop.percentile(99)), max: ms(loop.max) },
    tries,
    wrongAccounts,
    looks,
    lines,
  };
}

async function finish(): Promise<Sample> {
  isLogging = false;
  clearInterval(emitting);
  const from = performance.now();
  const closing = [...writers].map(async ([name, writer]) => {
    return [name, await writer.close({ timeoutMs: closeTimeoutMs })] as const;
  });
  const closed = Object.fromEntries(await Promise.all(closing));
  const closedInMs = performance.now() - from;
  clearInterval(looking);
  return { ...sample(), closed, closedInMs };
}

process.on('message', (question: Question) => {
  void (question === 'finish' ? finish() : Promise.resolve(sample())).then((answer) =>
    process.send?.(answer),
  );
  // What comes after this answer is measured anew.
  if (question === 'measure') {
    loop.reset();
    maxRssBytes = 0;
  }
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit());
process.send?.('ready');
