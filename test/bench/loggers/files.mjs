// Loggers that write to a file. The trace ids are handed to them as ready attributes, which is the cheapest way for
// them to get the same record; ours looks up the active span.
import { ConsoleLogger } from '@nestjs/common';
import { Logger, PinoLogger } from 'nestjs-pino';
import { join } from 'node:path';
import pino from 'pino';
import winston from 'winston';
import { RESOURCE_ATTRIBUTES, SPANS } from '../lib/records.mjs';
import { useAsyncContext } from './context.mjs';

const settledAtOnce = async () => {};

function withTrace(attributes, i) {
  const span = SPANS[Math.floor(i / 5) % SPANS.length];
  attributes.trace_id = span.traceId;
  attributes.span_id = span.spanId;
  attributes.trace_flags = span.traceFlags;
  return attributes;
}

export function openPino({ directory, sites }) {
  useAsyncContext();
  const destination = pino.destination({ dest: join(directory, 'pino.log'), sync: true });
  const root = pino({ base: RESOURCE_ATTRIBUTES }, destination);
  return { log: pinoLog(root, sites), settled: settledAtOnce, close: settledAtOnce };
}

export function openPinoWorker({ directory, sites }) {
  useAsyncContext();
  const options = { destination: join(directory, 'pino-worker.log'), mkdir: true };
  const transport = pino.transport({ target: 'pino/file', options });
  const root = pino({ base: RESOURCE_ATTRIBUTES }, transport);
  return {
    log: pinoLog(root, sites),
    settled: () => new Promise((resolve) => transport.flush(resolve)),
    close: async () => transport.end(),
  };
}

function pinoLog(root, sites) {
  const loggers = sites.map((site) => root.child({ context: site.context }));
  return (i) => {
    const at = i % sites.length;
    loggers[at].info(withTrace(sites[at].attributes(i), i), sites[at].message(i));
  };
}

export function openNestPino({ directory, sites }) {
  useAsyncContext();
  const stream = pino.destination({ dest: join(directory, 'nest-pino.log'), sync: true });
  const params = { pinoHttp: { base: RESOURCE_ATTRIBUTES, stream } };
  const logger = new Logger(new PinoLogger(params), params);
  return {
    log(i) {
      const site = sites[i % sites.length];
      logger.log(withTrace(site.attributes(i), i), site.message(i), site.context);
    },
    settled: settledAtOnce,
    close: settledAtOnce,
  };
}

export function openWinston({ directory, sites }) {
  useAsyncContext();
  const { timestamp, combine, json } = winston.format;
  const file = new winston.transports.File({ filename: join(directory, 'winston.log') });
  let written = 0;
  let logged = 0;
  let wake = () => {};
  file.on('logged', () => {
    written++;
    if (written === logged) wake();
  });
  const root = winston.createLogger({
    format: combine(timestamp(), json()),
    defaultMeta: RESOURCE_ATTRIBUTES,
    transports: [file],
  });
  const loggers = sites.map((site) => root.child({ context: site.context }));
  return {
    log(i) {
      const at = i % sites.length;
      logged++;
      loggers[at].info(sites[at].message(i), withTrace(sites[at].attributes(i), i));
    },
    async settled() {
      if (written === logged) return;
      await new Promise((resolve) => {
        wake = resolve;
      });
    },
    close: async () => root.close(),
  };
}

/** Prints to standard output, which the parent has pointed at a file. It cannot add a resource to its records. */
export function openConsole({ sites }) {
  useAsyncContext();
  const loggers = sites.map((site) => new ConsoleLogger(site.context, { json: true, colors: false }));
  return {
    log(i) {
      const at = i % sites.length;
      loggers[at].log(sites[at].message(i), withTrace(sites[at].attributes(i), i));
    },
    settled: () => new Promise((resolve) => process.stdout.write('', resolve)),
    close: settledAtOnce,
  };
}
