// What the options of the write path do, each against its neighbours, for docs/write-path.md.
import { openChild } from '../lib/child.mjs';
import { contest } from '../lib/contest.mjs';
import { median } from '../lib/statistics.mjs';
import { bytesOfOurs } from './redis-memory.mjs';

const PROXY = new URL('../lib/delay-proxy.mjs', import.meta.url);
const ROUNDS = 5;

/** Rows `{ load, option, cpuUs, perSecond, bytes? }`. */
export async function measureChoices(bench) {
  const flood = { call: 'flood', argument: { records: 50_000 } };
  return [
    ...(await vary(bench, {
      load: '400 requests of 5 records a second',
      call: 'paced',
      argument: { rate: 2_000, ms: 1_500 },
      variants: [0, 5, 20].map((maxDelayMs) => [
        `batch.maxDelayMs: ${maxDelayMs}`,
        { batch: { maxDelayMs } },
      ]),
    })),
    ...(await vary(bench, {
      load: 'flood, loopback',
      ...flood,
      variants: [64, 256, 1_024].map((maxRecords) => [
        `batch.maxRecords: ${maxRecords}`,
        { batch: { maxRecords } },
      ]),
    })),
    ...(await vary(bench, {
      load: 'flood, loopback',
      ...flood,
      variants: ['exactly-once', 'at-least-once'].map((delivery) => [
        `delivery: '${delivery}'`,
        { delivery },
      ]),
    })),
    ...(await distant(bench, flood)),
    ...(await layouts(bench, flood)),
  ];
}

async function vary({ where }, { load, variants, sites = 1, redis = where.redis, ...rest }) {
  const options = new Map(variants.map(([name, value]) => [`ours ${name}`, value]));
  const measured = await contest({
    names: [...options.keys()],
    where: (name) => ({ ...where, redis, sites, options: options.get(name) }),
    rounds: ROUNDS,
    ...rest,
  });
  return variants.map(([option]) => {
    const rounds = measured[`ours ${option}`];
    return {
      load,
      option,
      cpuUs: median(rounds.map((round) => round.cpuUs)),
      perSecond: median(rounds.map((round) => round.perSecond)),
    };
  });
}

async function distant(bench, flood) {
  const proxy = await openChild(PROXY, { port: bench.redis.port, delayMs: 1 });
  const { url, roundTripMs } = await proxy.call('describe');
  const rows = await vary(bench, {
    load: `flood, round trip ${roundTripMs.toFixed(1)} ms`,
    ...flood,
    redis: url,
    variants: [1, 4, 16].map((maxInFlight) => [
      `batch.maxInFlight: ${maxInFlight}`,
      { batch: { maxInFlight } },
    ]),
  });
  await proxy.close();
  return rows;
}

/** How attributes are laid out, and what that takes in Redis. */
async function layouts(bench, flood) {
  const rows = [];
  for (const sites of [1, 5]) {
    const load = sites === 1 ? 'flood, one call site' : 'flood, five call sites in turn';
    const variants = ['fields', 'json'].map((attributes) => [`attributes: '${attributes}'`, { attributes }]);
    const measured = await vary(bench, { load, ...flood, sites, variants });
    for (const [index, row] of measured.entries()) {
      rows.push({ ...row, bytes: await bytesOfOurs(bench, { sites, ...variants[index][1] }) });
    }
  }
  const layout = { sites: 5, streamPerContext: true };
  const option = "stream: (record) => 'logs:' + record.instrumentationScope.name";
  const variants = [[option, {}]];
  const where = { ...bench.where, streamPerContext: true };
  const load = 'flood, five call sites in turn';
  const [row] = await vary({ ...bench, where }, { load, ...flood, sites: 5, variants });
  return [...rows, { ...row, bytes: await bytesOfOurs(bench, layout) }];
}
