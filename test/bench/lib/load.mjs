// The load: how log calls come in. Every logger gets the very same one.
import * as api from '@opentelemetry/api';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { quantile } from './statistics.mjs';
import { SPANS } from './records.mjs';

/** Records of one request: they share a span, as they do in an application. */
const PER_REQUEST = 5;
/** Records of one turn of the event loop, in a flood: twenty requests at once. */
const PER_TICK = 100;

const CONTEXTS = SPANS.map((span) => api.trace.setSpanContext(api.ROOT_CONTEXT, span));

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Logs as fast as the process can, yielding to its sockets after every hundred records. */
export async function flood(logger, records) {
  for (let i = 0; i < records; i += PER_TICK) {
    for (let k = 0; k < PER_TICK; k += PER_REQUEST) request(logger, i + k);
    await turn();
  }
}

function request(logger, first) {
  api.context.with(CONTEXTS[(first / PER_REQUEST) % CONTEXTS.length], logFive, undefined, logger, first);
}

function logFive(logger, first) {
  for (let i = first; i < first + PER_REQUEST; i++) logger.log(i);
}

/** Logs `rate` records a second for `ms` milliseconds, a few in every millisecond. Returns how many. */
export async function paced(logger, rate, ms) {
  const start = performance.now();
  let sent = 0;
  for (;;) {
    const elapsed = performance.now() - start;
    if (elapsed >= ms) return sent;
    const due = Math.floor((elapsed * rate) / 1_000);
    for (; sent + PER_REQUEST <= due; sent += PER_REQUEST) request(logger, sent);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * CPU time of this process per record in microseconds, from the first call until everything is acknowledged. The
 * garbage of others is collected before, so that everybody pays for their own.
 */
export async function cost(logger, load) {
  const wall = performance.now();
  const before = process.cpuUsage();
  const records = await load(logger);
  await logger.settled();
  const used = process.cpuUsage(before);
  const wallUs = (performance.now() - wall) * 1_000;
  const cpuUs = used.user + used.system;
  return { cpuUs: cpuUs / records, perSecond: (records / wallUs) * 1e6, busy: cpuUs / wallUs };
}

export const flooding = (records) => async (logger) => {
  await flood(logger, records);
  return records;
};

export const pacing = (rate, ms) => (logger) => paced(logger, rate, ms);

/** How long single calls take (microseconds) while the app logs at that pace, and how late its timers are (ms). */
export async function callTimes(logger, rate, ms) {
  const times = new Float64Array(Math.ceil((rate * ms) / 1_000) + PER_REQUEST);
  let count = 0;
  const timed = {
    log(i) {
      const start = performance.now();
      logger.log(i);
      times[count++] = performance.now() - start;
    },
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await paced(timed, rate, ms);
  delay.disable();
  await logger.settled();
  const us = times.subarray(0, count);
  return {
    p50: quantile(us, 0.5) * 1_000,
    p999: quantile(us, 0.999) * 1_000,
    loopDelayP99: delay.percentile(99) / 1e6,
  };
}
