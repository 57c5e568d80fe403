// Cost must not rise with the load, nor with the length of the queue.
import { openChild } from '../lib/child.mjs';
import { contest } from '../lib/contest.mjs';
import { figure } from '../lib/figure.mjs';

const QUEUE = new URL('../lib/queue-child.mjs', import.meta.url);
/** The two differ by measurement alone where nothing rises; this much is not taken for a rise. */
const NOISE = 1.1;

export async function measure(bench) {
  const filling = await queue(bench);
  return bench.quick ? filling : [...(await load(bench)), ...filling];
}

/** The load comes with a timer every millisecond, which is not ours: what the same app costs without logging is off. */
async function load(bench) {
  const at = async (rate) => {
    const measured = await contest({
      names: ['ours', 'pino', 'nothing'],
      where: bench.where,
      rounds: bench.rounds,
      call: 'paced',
      argument: { rate, ms: 1_500 },
    });
    const net = (name) => measured[name].map((round, i) => round.cpuUs - measured.nothing[i].cpuUs);
    return { ours: net('ours'), pino: net('pino') };
  };
  const low = await at(2_000);
  const high = await at(20_000);
  const common = { unit: 'us CPU a record' };
  const pino = { ...common, peerName: 'pino, file, sync', note: 'for comparison' };
  return [
    figure({
      ...common,
      id: 'load-tenfold',
      name: 'client cost at 20,000/s',
      ours: high.ours,
      peer: low.ours,
      peerName: 'the same at 2,000/s',
      bar: 1,
    }),
    figure({ ...pino, id: 'cost-2000', name: 'client cost at 2,000/s', ours: low.ours, peer: low.pino }),
    figure({ ...pino, id: 'cost-20000', name: 'client cost at 20,000/s', ours: high.ours, peer: high.pino }),
  ];
}

async function queue(bench) {
  const rounds = [];
  // Each round fills a queue three times; what it shows does not scatter much.
  const count = bench.quick ? 3 : bench.rounds;
  for (let round = 0; round < count; round++) {
    const child = await openChild(QUEUE, {}, { quiet: true });
    rounds.push(await child.call('fill', {}));
    await child.close();
  }
  const of = (name) => rounds.map((each) => each[name]);
  const common = { unit: 'us CPU a call', peer: of('first'), peerName: 'queue nearly empty', bar: NOISE };
  return [
    figure({ ...common, id: 'queue-last', name: 'the call, queue nearly full', ours: of('last') }),
    figure({ ...common, id: 'queue-over', name: 'the call, queue full, oldest dropped', ours: of('over') }),
  ];
}
