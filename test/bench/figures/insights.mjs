// What it costs to count the messages of a stream, beside reading them in a group: for the process, and for the server.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';
import { fillStream } from '../lib/fill-stream.mjs';

const CHILD = new URL('../lib/insights-child.mjs', import.meta.url);
const STREAM = 'logs:bench';
const COUNTERS = 'redis-log-insights';
const CONTESTANTS = ['ours', 'consumer'];
const PEER = 'a consumer that does nothing';

export async function measure(bench) {
  const { url, client } = bench.redis;
  const records = bench.quick ? 50_000 : 200_000;
  await fillStream({ connection: url, stream: STREAM, records });
  const children = {};
  for (const name of CONTESTANTS) {
    children[name] = await openChild(CHILD, { name, url, stream: STREAM, records });
  }
  const round = async (name) => {
    await forget(client);
    const before = await serverUs(client);
    const ours = await children[name].call('round', { group: COUNTERS });
    return { process: ours, server: ((await serverUs(client)) - before) / records };
  };
  for (const name of CONTESTANTS) await round(name);
  const measured = await alternate(CONTESTANTS, bench.rounds, round);
  for (const name of CONTESTANTS) await children[name].close();
  await forget(client);
  await client.del(STREAM, `{${STREAM}}:resources`, `{${STREAM}}:resources:seen`);
  const figureOf = (key, name, bar) =>
    figure({
      id: `insights-${key}`,
      name,
      unit: 'us a record',
      ours: measured.ours.map((each) => each[key]),
      peer: measured.consumer.map((each) => each[key]),
      peerName: PEER,
      bar,
    });
  return [
    figureOf('process', 'count the messages of a stream', 1.5),
    figureOf('server', "the same, Redis' own CPU time", 1.5),
  ];
}

/** As if nothing had ever been counted or read. */
async function forget(client) {
  await client.xgroup('DESTROY', STREAM, COUNTERS);
  const keys = await client.keys(`{${STREAM}}:insights*`);
  if (keys.length > 0) await client.del(keys);
}

/** CPU time of the server so far, in microseconds. */
async function serverUs(client) {
  const text = await client.info('cpu');
  const seconds = (name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1] ?? NaN);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}
