// What request logging and its context cost a hello-world application: requests a second, and CPU a request, against
// nestjs-pino that writes to a file by its own default, `pino.destination(file)`, which is synchronous. Both log one record
// a request; servers and load are processes of their own. Ours also needs the Redis server, so where there are fewer than
// three processors free the rate says how they were shared out, and CPU a request is the figure to look at: the note says
// how much of one processor the server got.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';

const SERVER = new URL('../lib/http-server-child.mjs', import.meta.url);
const LOAD = new URL('../lib/http-load-child.mjs', import.meta.url);
const NAMES = ['ours', 'pino', 'none'];

export async function measure(bench) {
  const requests = bench.quick ? 6_400 : 25_600;
  const load = await openChild(LOAD, {});
  try {
    const figures = [];
    for (const platform of ['fastify', 'express'])
      figures.push(...(await onPlatform(platform, load, { ...bench, requests })));
    return figures;
  } finally {
    await load.close();
  }
}

async function onPlatform(platform, load, { where, rounds, requests }) {
  const servers = new Map();
  try {
    for (const name of NAMES) servers.set(name, await openChild(SERVER, { name, platform, ...where }));
    const round = async (name) => {
      const server = servers.get(name);
      const port = await server.call('port');
      await server.call('start');
      const perSecond = await load.call('run', { port, requests });
      const cpuUs = (await server.call('cpu')) / requests;
      return { perSecond, cpuUs, busy: (cpuUs * perSecond) / 1e6 };
    };
    // Several times: the compiler is not done with a server after a few thousand requests.
    for (const name of [...NAMES, ...NAMES, ...NAMES]) await round(name);
    return figuresOf(platform, await alternate(NAMES, rounds, round));
  } finally {
    for (const server of servers.values()) await server.close();
  }
}

function figuresOf(platform, measured) {
  const of = (name, what) => measured[name].map((each) => each[what]);
  const ratios = of('ours', 'perSecond').map((value, round) => value / of('pino', 'perSecond')[round]);
  return [
    figure({
      id: `requests-${platform}`,
      name: `hello world with request logging on ${platform}`,
      unit: 'requests/s',
      ours: of('ours', 'perSecond'),
      peer: of('pino', 'perSecond'),
      peerName: 'nestjs-pino, file',
      bar: 0.97,
      better: 'higher',
      met: median(ratios) >= 0.97,
      note: `median of the rounds' ratios ${median(ratios).toFixed(2)}; without any logger ${median(of('none', 'perSecond')).toFixed(0)}; ours had ${median(of('ours', 'busy')).toFixed(2)} of a processor, nestjs-pino ${median(of('pino', 'busy')).toFixed(2)}`,
    }),
    figure({
      id: `requests-cpu-${platform}`,
      name: `the same, CPU of the server on ${platform}`,
      unit: 'us CPU a request',
      ours: of('ours', 'cpuUs'),
      peer: of('pino', 'cpuUs'),
      peerName: 'nestjs-pino, file',
      note: `for comparison; without any logger ${median(of('none', 'cpuUs')).toFixed(1)}`,
    }),
  ];
}
