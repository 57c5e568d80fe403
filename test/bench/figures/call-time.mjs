// The call itself, at 20,000 records a second, and what it does to the event loop of the application.
import { contest } from '../lib/contest.mjs';
import { figure } from '../lib/figure.mjs';

const RATE = 20_000;

export async function measure(bench) {
  const figures = [];
  for (const sites of bench.quick ? [1] : [1, 5]) {
    const measured = await contest({
      names: ['ours', 'pino', 'nothing'],
      where: { ...bench.where, sites },
      rounds: bench.rounds,
      call: 'calls',
      argument: { rate: RATE, ms: bench.quick ? 500 : 1_500 },
    });
    figures.push(...results(measured, sites));
  }
  return figures;
}

function results(measured, sites) {
  const label = sites === 1 ? 'one call site' : 'five call sites';
  const of = (name, what) => measured[name].map((round) => round[what]);
  const peerName = 'pino, file, sync';
  const call = { unit: 'us', peerName, bar: 1 };
  const added = measured.ours.map((round, i) => round.loopDelayP99 - measured.nothing[i].loopDelayP99);
  return [
    figure({
      ...call,
      id: `call-p50-${sites}`,
      name: `the call at 20,000/s, median, ${label}`,
      ours: of('ours', 'p50'),
      peer: of('pino', 'p50'),
    }),
    figure({
      ...call,
      id: `call-p999-${sites}`,
      name: `the call at 20,000/s, p99.9, ${label}`,
      ours: of('ours', 'p999'),
      peer: of('pino', 'p999'),
    }),
    figure({
      id: `loop-delay-${sites}`,
      name: `event-loop delay p99 added at 20,000/s, ${label}`,
      unit: 'ms',
      ours: added,
      bar: 5,
      note: 'over the same app not logging',
    }),
  ];
}
