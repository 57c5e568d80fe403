// A consumer end to end against ioredis alone: XREADGROUP and XACK of the same entries, which it leaves as they are.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';
import { fillStream } from '../lib/fill-stream.mjs';

const CHILD = new URL('../lib/consumer-child.mjs', import.meta.url);
const STREAM = 'logs:bench';
const CONTESTANTS = ['ours', 'ioredis'];

export async function measure(bench) {
  const { url, client } = bench.redis;
  const records = bench.quick ? 50_000 : 200_000;
  await fillStream({ connection: url, stream: STREAM, records });
  const children = {};
  for (const name of CONTESTANTS) {
    children[name] = await openChild(CHILD, { name, url, stream: STREAM, records });
  }
  const round = (name) => children[name].call('round', {});
  for (const name of CONTESTANTS) await round(name);
  const measured = await alternate(CONTESTANTS, bench.rounds, round);
  for (const name of CONTESTANTS) await children[name].close();
  await client.del(STREAM);
  return [
    figure({
      id: 'consumer',
      name: 'consume in a group, batches of 500, decoded',
      unit: 'records/s',
      better: 'higher',
      ours: measured.ours,
      peer: measured.ioredis,
      peerName: 'XREADGROUP and XACK by ioredis, nothing decoded',
      bar: 0.9,
    }),
  ];
}
