// What a record takes in the memory of the logging process while it waits to be sent.
import { openChild } from '../lib/child.mjs';
import { alternate, figure } from '../lib/figure.mjs';

const CHILD = new URL('../lib/heap-child.mjs', import.meta.url);

export async function measure(bench) {
  // The same every time but for a percent or two; each round is a new process.
  const rounds = bench.quick ? 1 : bench.rounds;
  const figures = [];
  for (const sites of [1, 5]) {
    const measured = await alternate(['ours', 'sdk'], rounds, async (name) => {
      const child = await openChild(CHILD, { sites }, { quiet: true });
      const bytes = await child.call(name, { records: 50_000 });
      await child.close();
      return bytes;
    });
    figures.push(
      figure({
        id: `heap-${sites}`,
        name: `heap per queued record, ${sites === 1 ? 'one call site' : 'five call sites'}`,
        unit: 'bytes',
        ours: measured.ours,
        peer: measured.sdk,
        peerName: 'OpenTelemetry SDK, batch processor',
        bar: 0.6,
      }),
    );
  }
  return figures;
}
