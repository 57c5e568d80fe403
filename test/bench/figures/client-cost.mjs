// Client cost: CPU time of the logging process per record, from the call to the server's acknowledgement.
import { openChild } from '../lib/child.mjs';
import { contest } from '../lib/contest.mjs';
import { alternate, figure } from '../lib/figure.mjs';

const CHILD = new URL('../lib/cost-child.mjs', import.meta.url);
const PINO = { peer: 'pino', peerName: 'pino, file, sync', bar: 1 };
const OTLP = { peer: 'otlp', peerName: 'OpenTelemetry SDK, OTLP/HTTP protobuf', bar: 0.4 };

export async function measure(bench) {
  const figures = [];
  for (const sites of [1, 5]) {
    // The quick run keeps to what disturbs itself least.
    if (!bench.quick) figures.push(await sameProcess(bench, sites));
    figures.push(await ownProcess(bench, sites, PINO));
    figures.push(await ownProcess(bench, sites, OTLP));
  }
  return figures;
}

/** Both in one process, in turn. Some of our garbage is then collected in pino's rounds, and the other way round. */
async function sameProcess(bench, sites) {
  const names = ['ours', 'pino'];
  const child = await openChild(CHILD, { names, where: { ...bench.where, sites } });
  const round = (name) => child.call('flood', { name, records: bench.records });
  for (const name of names) await round(name);
  const measured = await alternate(names, bench.rounds, round);
  await child.close();
  return result(measured, {
    ...PINO,
    id: `client-cost-${sites}`,
    name: `client cost, ${word(sites)}, one process`,
  });
}

async function ownProcess(bench, sites, options) {
  const measured = await contest({
    names: ['ours', options.peer],
    where: { ...bench.where, sites },
    rounds: bench.rounds,
    call: 'flood',
    argument: { records: bench.records },
  });
  const name = `client cost, ${word(sites)}, a process each`;
  return result(measured, { ...options, id: `client-cost-${options.peer}-${sites}`, name });
}

function result(measured, { peer, ...options }) {
  const us = (rounds) => rounds.map((round) => round.cpuUs);
  return figure({ ...options, unit: 'us CPU a record', ours: us(measured.ours), peer: us(measured[peer]) });
}

const word = (sites) => (sites === 1 ? 'one call site' : 'five call sites');
