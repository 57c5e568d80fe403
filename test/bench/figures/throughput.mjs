// Throughput: at-least-once against the most that the same server takes from redis-benchmark, and exactly-once
// against ours without it, on loopback and at a round trip of one millisecond.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encodeLogRecord } from 'nestjs-redis-log/core';
import { openChild } from '../lib/child.mjs';
import { contest } from '../lib/contest.mjs';
import { figure } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';
import { readableRecord, SITES } from '../lib/records.mjs';

const PROXY = new URL('../lib/delay-proxy.mjs', import.meta.url);
/** A logging process that uses this much of a core has none left. */
const FULL = 0.95;

export async function measure(bench) {
  // Records a second depend on who else uses the machine, CPU time much less: the quick run keeps to the latter.
  const names = bench.quick ? ['oursAtLeastOnce', 'pino'] : ['ours', 'oursAtLeastOnce', 'pino'];
  const measured = await contest({
    names,
    where: bench.where,
    rounds: bench.rounds,
    call: 'flood',
    argument: { records: bench.records },
    others: bench.quick ? {} : { limit: () => serverLimit(bench) },
  });
  const cost = costOf(measured);
  if (bench.quick) return [cost];
  const loopback = { id: 'exactly-once-loopback', name: 'throughput of exactly-once, loopback' };
  return [cost, atLeastOnce(measured, cost), exactlyOnce(measured, loopback), await overDistance(bench)];
}

function costOf({ oursAtLeastOnce, pino }) {
  return figure({
    id: 'client-cost-at-least-once',
    name: 'client cost, at-least-once, a process each',
    unit: 'us CPU a record',
    ours: oursAtLeastOnce.map((round) => round.cpuUs),
    peer: pino.map((round) => round.cpuUs),
    peerName: 'pino, file, sync',
    bar: 1,
  });
}

/** The bar has two halves: the share of the limit, or a logging process that has no core left and costs little enough. */
function atLeastOnce({ oursAtLeastOnce, limit }, cost) {
  const options = {
    id: 'throughput-at-least-once',
    name: 'throughput, at-least-once',
    unit: 'records/s',
    better: 'higher',
    ours: oursAtLeastOnce.map((round) => round.perSecond),
    peerName: 'redis-benchmark, pipelined XADD of the same fields',
  };
  if (limit.includes(undefined)) return figure({ ...options, note: 'redis-benchmark is not installed' });
  const busy = median(oursAtLeastOnce.map((round) => round.busy));
  const share = figure({ ...options, peer: limit, bar: 0.8 });
  const note = `the client's core is ${Math.round(Math.min(busy, 1) * 100)} % busy`;
  return { ...share, met: share.met || (busy >= FULL && cost.met), note };
}

function exactlyOnce({ ours, oursAtLeastOnce }, names) {
  return figure({
    ...names,
    unit: 'records/s',
    better: 'higher',
    ours: ours.map((round) => round.perSecond),
    peer: oursAtLeastOnce.map((round) => round.perSecond),
    peerName: 'ours, at-least-once',
    bar: 0.75,
  });
}

async function overDistance(bench) {
  const proxy = await openChild(PROXY, { port: bench.redis.port, delayMs: 1 });
  const { url, roundTripMs } = await proxy.call('describe');
  const measured = await contest({
    names: ['ours', 'oursAtLeastOnce'],
    where: { ...bench.where, redis: url },
    rounds: bench.rounds,
    call: 'flood',
    argument: { records: bench.records },
  });
  await proxy.close();
  const name = `throughput of exactly-once, round trip ${roundTripMs.toFixed(1)} ms`;
  return exactlyOnce(measured, { id: 'exactly-once-distant', name });
}

/** XADDs a second that redis-benchmark gets through; undefined where it is not installed. */
async function serverLimit({ redis, records }) {
  const fields = encodeLogRecord(readableRecord(SITES[0], 4711));
  const command = ['XADD', 'bench:limit', 'MAXLEN', '~', '100000', '*', ...fields];
  const options = ['-p', String(redis.port), '-n', String(records), '-c', '4', '-P', '256', '--csv'];
  try {
    const { stdout } = await promisify(execFile)('redis-benchmark', [...options, ...command]);
    // The name comes first and is the whole command, quotes and all; behind it are the rate and six latencies.
    return Number(/"([\d.]+)"(?:,"[\d.]+"){6}\s*$/.exec(stdout)?.[1]);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
