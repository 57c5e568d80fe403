// From the call to a blocked reader in another process, by the clock that both processes share.
import { openChild } from '../lib/child.mjs';
import { figure } from '../lib/figure.mjs';
import { quantile } from '../lib/statistics.mjs';

const WRITER = new URL('../lib/latency-writer.mjs', import.meta.url);
const READER = new URL('../lib/latency-reader.mjs', import.meta.url);

export async function measure(bench) {
  const { where, rounds } = bench;
  const input = { redis: where.redis, stream: 'bench' };
  const reader = await openChild(READER, input);
  const writer = await openChild(WRITER, { ...where, sites: 1 });
  const round = async (call, argument) => {
    await reader.call('begin');
    const records = await writer.call(call, argument);
    return reader.call('finish', { records });
  };
  await round('idle', { records: 200 });
  const idle = [];
  const loaded = [];
  for (let i = 0; i < rounds; i++) {
    idle.push(await round('idle', { records: bench.quick ? 100 : 400 }));
    loaded.push(await round('loaded', { rate: 20_000, ms: bench.quick ? 500 : 2_000 }));
  }
  await writer.close();
  await reader.close();
  const ms = (latencies, q) => latencies.map((each) => quantile(each, q));
  const common = { unit: 'ms', note: 'call to visible in another process' };
  return [
    figure({
      ...common,
      id: 'latency-idle-p50',
      name: 'latency when idle, p50',
      ours: ms(idle, 0.5),
      bar: 1,
    }),
    figure({
      ...common,
      id: 'latency-idle-p99',
      name: 'latency when idle, p99',
      ours: ms(idle, 0.99),
      bar: 5,
    }),
    figure({
      ...common,
      id: 'latency-loaded-p99',
      name: 'latency at 20,000/s, p99',
      ours: ms(loaded, 0.99),
      bar: 20,
    }),
  ];
}
