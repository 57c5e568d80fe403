// What everything else costs, in one process, in turn. No bar: it is there to choose by.
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { openChild } from '../lib/child.mjs';
import { alternate } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';
import { LOGGERS } from '../loggers/index.mjs';

const CHILD = new URL('../lib/cost-child.mjs', import.meta.url);
const RECORDS = 10_000;

/** Median CPU microseconds per record and records per second, by name, for one call site. */
export async function measurePeers(bench) {
  const names = Object.keys(LOGGERS);
  const stdout = openSync(join(bench.where.directory, 'console.log'), 'w');
  const child = await openChild(CHILD, { names, where: bench.where }, { stdout });
  closeSync(stdout);
  const round = (name) => child.call('flood', { name, records: RECORDS });
  for (const name of names) await round(name);
  const measured = await alternate(names, bench.rounds, round);
  await child.close();
  return Object.fromEntries(
    names.map((name) => [
      LOGGERS[name],
      {
        cpuUsPerRecord: median(measured[name].map((each) => each.cpuUs)),
        recordsPerSecond: median(measured[name].map((each) => each.perSecond)),
      },
    ]),
  );
}
