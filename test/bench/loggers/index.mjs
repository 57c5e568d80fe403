// The contestants: ours, and what people would use instead. Each is opened as
// `{ log(i), settled(), close() }`: `log` writes record number i, `settled` resolves when everything written is
// where it belongs (acknowledged by Redis, answered by the collector, handed to the operating system).
import { SITES } from '../lib/records.mjs';
import { openConsole, openNestPino, openPino, openPinoWorker, openWinston } from './files.mjs';
import { openOtlp } from './otlp.mjs';
import { openPipeline } from './pipeline.mjs';
import { openRedisLog } from './redis-log.mjs';

/** Names as they are printed. */
export const LOGGERS = {
  ours: 'nestjs-redis-log',
  oursAtLeastOnce: 'nestjs-redis-log, at-least-once',
  oursUnredacted: 'nestjs-redis-log, redact: false',
  pino: 'pino, file, sync',
  pinoWorker: 'pino, file, worker transport',
  nestPino: 'nestjs-pino, file, sync',
  winston: 'winston, file',
  console: "Nest's ConsoleLogger, JSON, to a file",
  otlp: 'OpenTelemetry SDK, OTLP/HTTP protobuf',
  pipeline: 'ioredis pipeline of XADD',
};

const OPENERS = {
  ours: openRedisLog,
  oursAtLeastOnce: (where) =>
    openRedisLog({ ...where, options: { delivery: 'at-least-once', ...where.options } }),
  oursUnredacted: (where) => openRedisLog({ ...where, options: { redact: false, ...where.options } }),
  pino: openPino,
  pinoWorker: openPinoWorker,
  nestPino: openNestPino,
  winston: openWinston,
  console: openConsole,
  otlp: openOtlp,
  pipeline: openPipeline,
  nothing: openNothing,
};

/** The same application, not logging. */
function openNothing() {
  return { log() {}, settled: async () => {}, close: async () => {} };
}

/**
 * @param name one of LOGGERS, or `nothing`
 * @param where `{ redis, sink, directory, sites, options }`: URLs, a folder for files, how many call sites (1 or 5)
 * take turns, options of ours
 */
export function openLogger(name, where) {
  return OPENERS[name]({ ...where, sites: SITES.slice(0, where.sites ?? 1) });
}
