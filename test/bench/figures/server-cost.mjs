// What a record costs the server: the script of exactly-once against the plain XADDs of at-least-once.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';

const CHILD = new URL('../lib/cost-child.mjs', import.meta.url);
const NAMES = ['ours', 'oursAtLeastOnce'];

export async function measure(bench) {
  const { records, where } = bench;
  const children = new Map();
  for (const name of NAMES) children.set(name, await openChild(CHILD, { names: [name], where }));
  const measured = await alternate(NAMES, bench.rounds, async (name) => {
    const before = await cpuUs(bench.redis);
    await children.get(name).call('flood', { name, records });
    return ((await cpuUs(bench.redis)) - before) / records;
  });
  for (const child of children.values()) await child.close();
  return [
    figure({
      id: 'server-cost',
      name: "Redis' own CPU time, one script call a batch",
      unit: 'us a record',
      ours: measured.ours,
      peer: measured.oursAtLeastOnce,
      peerName: 'one XADD a record, pipelined',
      note: 'for comparison',
    }),
  ];
}

/** CPU time of the server's main thread so far, where it tells; else of all its threads. */
async function cpuUs({ client }) {
  const text = await client.info('cpu');
  const seconds = (name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1] ?? NaN);
  const main = seconds('used_cpu_user_main_thread') + seconds('used_cpu_sys_main_thread');
  const all = seconds('used_cpu_user') + seconds('used_cpu_sys');
  return (Number.isNaN(main) ? all : main) * 1e6;
}
